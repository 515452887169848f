/**
 * GPT-2's configuration. Its files have names of their own (`n_embd` and the like) for what others call `hidden_size`:
 * here they are read under either, held under the shared ones, and written under GPT-2's.
 */
import * as z from "zod";
import { checked } from "../../schema.ts";
import { labelFields } from "../classification.ts";
import { activationName } from "../config.ts";

/** GPT-2's name of a field, and the shared one. */
const names = {
  n_embd: "hidden_size",
  n_layer: "num_hidden_layers",
  n_head: "num_attention_heads",
  n_inner: "intermediate_size",
  n_positions: "max_position_embeddings",
} as const;

const count = z.int().positive();
const token = z.int().min(0);
const rate = z.number().min(0).lt(1).default(0.1);

const schema = z
  .looseObject({
    model_type: z.literal("gpt2"),
    vocab_size: count,
    hidden_size: count,
    num_hidden_layers: count,
    num_attention_heads: count,
    intermediate_size: count,
    max_position_embeddings: count,
    activation_function: activationName.default("gelu_new"),
    embd_pdrop: rate,
    resid_pdrop: rate,
    attn_pdrop: rate,
    layer_norm_epsilon: z.number().positive().default(1e-5),
    initializer_range: z.number().positive().default(0.02),
    scale_attn_weights: z.boolean().default(true),
    /** Scores of layer i, counted from 0, are divided by i + 1. */
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    tie_word_embeddings: z.boolean().default(true),
    bos_token_id: token.nullish(),
    eos_token_id: z.union([token, z.array(token).min(1)]).nullish(),
    pad_token_id: token.nullish(),
    add_cross_attention: z.literal(false).default(false),
    ...labelFields,
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ["num_attention_heads"],
    error: "expected a divisor of hidden_size",
  });

/** `reorder_and_upcast_attn` is of half precision, and ignored. */
export type Gpt2Config = z.infer<typeof schema>;

/** @throws ConfigError that names the field, by its shared name. */
export function parseGpt2Config(json: unknown, where: string): Gpt2Config {
  const { n_ctx: _, ...fields } = checked(z.looseObject({}), json, where);
  for (const [own, shared] of Object.entries(names)) {
    fields[shared] ??= fields[own];
    delete fields[own];
  }
  if (typeof fields["hidden_size"] === "number") fields["intermediate_size"] ??= 4 * fields["hidden_size"];
  return checked(schema, fields, where);
}

/** config.json as programs that read GPT-2 expect it; `n_ctx` is an older name that some still ask for. */
export function writtenGpt2Config(config: Gpt2Config): object {
  const shared = Object.fromEntries(Object.entries(names).map(([own, name]) => [name, own]));
  const fields = Object.entries(config).map(([name, value]) => [shared[name] ?? name, value]);
  return { ...Object.fromEntries(fields), n_ctx: config.max_position_embeddings };
}

/** What queries of layer `index` are multiplied by, beside the division of scores by √K that attention does. */
export function scoreFactor(config: Gpt2Config, index: number): number {
  const { scale_attn_weights: divides, scale_attn_by_inverse_layer_idx: byLayer } = config;
  return (divides ? 1 : Math.sqrt(headWidth(config))) / (byLayer ? index + 1 : 1);
}

export const headWidth = ({ hidden_size, num_attention_heads }: Gpt2Config): number =>
  hidden_size / num_attention_heads;

interface Size {
  readonly vocab?: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

function size({ vocab = 50_257, width, layers, heads }: Size, more: object = {}): Gpt2Config {
  const json = {
    model_type: "gpt2",
    vocab_size: vocab,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    max_position_embeddings: 1024,
    bos_token_id: vocab - 1,
    eos_token_id: vocab - 1,
    ...more,
  };
  return parseGpt2Config(json, "gpt2");
}

export const gpt2Sizes: Readonly<Record<string, Gpt2Config>> = {
  gpt2: size({ width: 768, layers: 12, heads: 12 }),
  "gpt2-medium": size({ width: 1024, layers: 24, heads: 16 }),
  "gpt2-large": size({ width: 1280, layers: 36, heads: 20 }),
  "gpt2-xl": size({ width: 1600, layers: 48, heads: 25 }),
  // Bolton et al. 2024, arXiv:2403.18421.
  biomedlm: size(
    { vocab: 28_896, width: 2560, layers: 32, heads: 20 },
    { pad_token_id: 28_895, scale_attn_by_inverse_layer_idx: true },
  ),
};
