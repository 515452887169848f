/** BioGPT's configuration: Hugging Face's fields and defaults, and the named sizes. */
import * as z from "zod";
import { checked } from "../../schema.ts";
import { labelFields } from "../classification.ts";
import { activationName } from "../config.ts";

const schema = z
  .looseObject({
    model_type: z.literal("biogpt"),
    vocab_size: z.int().positive(),
    hidden_size: z.int().positive(),
    num_hidden_layers: z.int().positive(),
    num_attention_heads: z.int().positive(),
    intermediate_size: z.int().positive(),
    max_position_embeddings: z.int().positive(),
    hidden_act: activationName.default("gelu"),
    hidden_dropout_prob: z.number().min(0).lt(1).default(0.1),
    attention_probs_dropout_prob: z.number().min(0).lt(1).default(0.1),
    activation_dropout: z.number().min(0).lt(1).default(0),
    initializer_range: z.number().positive().default(0.02),
    scale_embedding: z.boolean().default(true),
    tie_word_embeddings: z.boolean().optional(),
    bos_token_id: z.int().default(0),
    pad_token_id: z.int().default(1),
    eos_token_id: z.int().default(2),
    ...labelFields,
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ["num_attention_heads"],
    error: "expected a divisor of hidden_size",
  });

/** Hugging Face's BioGptConfig; `layer_norm_eps` is ignored, as the reference ignores it. */
export type BioGptConfig = z.infer<typeof schema>;

/** @throws ConfigError that names the field. */
export function parseBioGptConfig(json: unknown, where: string): BioGptConfig {
  return checked(schema, json, where);
}

/** A complete configuration: the published fields, with Galen's own small sizes beside the published two. */
function size(vocab: number, width: number, layers: number, heads: number, positions: number): BioGptConfig {
  return schema.parse({
    model_type: "biogpt",
    vocab_size: vocab,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
    max_position_embeddings: positions,
  });
}

export const bioGptSizes: Readonly<Record<string, BioGptConfig>> = {
  nano: size(8192, 192, 4, 3, 512),
  micro: size(16384, 320, 6, 5, 1024),
  base: size(42384, 1024, 24, 16, 1024),
  large: size(57717, 1600, 48, 25, 2048),
};
