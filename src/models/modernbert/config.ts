/** config.json of ModernBERT (Hugging Face's ModernBertConfig), with older files' fields, and the named sizes. */
import * as z from "zod";
import type { Rotation } from "../../nn/rotary.ts";
import { checked } from "../../schema.ts";
import { labelFields } from "../classification.ts";
import { activationName, rotationFrom } from "../config.ts";

const count = z.int().positive();
const theta = z.number().positive();
const rate = z.number().min(0).lt(1).default(0);
const kinds = ["full_attention", "sliding_attention"] as const;
/** Whether a layer sees all tokens or those of its window. */
type Kind = (typeof kinds)[number];
const rope = z.looseObject({ rope_theta: theta.nullish() }).nullish();

const schema = z
  .looseObject({
    model_type: z.literal("modernbert"),
    vocab_size: count,
    hidden_size: count,
    intermediate_size: count,
    num_hidden_layers: count,
    num_attention_heads: count,
    hidden_activation: activationName.default("gelu"),
    max_position_embeddings: count,
    initializer_range: z.number().positive().default(0.02),
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    decoder_bias: z.boolean().default(true),
    classifier_bias: z.boolean().default(false),
    pad_token_id: z.int().min(0).nullish(),
    /** Tokens that a layer with a window sees in all, half of them on either side of the token itself. */
    local_attention: count.default(128),
    /** By layer; absent: the first of every `global_attn_every_n_layers` sees all tokens. */
    layer_types: z.array(z.enum(kinds)).nullish(),
    global_attn_every_n_layers: count.default(3),
    /** By kind of layer. Files of before transformers 5 have the two bases instead. */
    rope_parameters: z.looseObject({ full_attention: rope, sliding_attention: rope }).nullish(),
    rope_scaling: z.looseObject({}).nullish(),
    global_rope_theta: theta.default(160_000),
    local_rope_theta: theta.default(10_000),
    attention_dropout: rate,
    embedding_dropout: rate,
    mlp_dropout: rate,
    tie_word_embeddings: z.boolean().default(true),
    classifier_pooling: z.enum(["cls", "mean"]).default("cls"),
    classifier_activation: activationName.default("gelu"),
    ...labelFields,
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % (2 * num_attention_heads) === 0, {
    path: ["num_attention_heads"],
    error: "expected a number of heads of even width that hidden_size is made of",
  })
  .refine(({ layer_types, num_hidden_layers }) => (layer_types?.length ?? num_hidden_layers) === num_hidden_layers, {
    path: ["layer_types"],
    error: "expected one for each of num_hidden_layers",
  });

export type ModernBertConfig = z.infer<typeof schema>;

/** @throws ConfigError that names the field. */
export function parseModernBertConfig(json: unknown, where: string): ModernBertConfig {
  const config = checked(schema, json, where);
  for (const kind of kinds) rotationOf(config, kind, where);
  return config;
}

export function kindOf({ layer_types, global_attn_every_n_layers: every }: ModernBertConfig, layer: number): Kind {
  return layer_types?.[layer] ?? (layer % every === 0 ? "full_attention" : "sliding_attention");
}

/** By layer, how many tokens are seen on either side; null: all. */
export function windowsOf(config: ModernBertConfig): (number | null)[] {
  const half = Math.floor(config.local_attention / 2);
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => kindOf(config, layer));
  return layers.map((kind) => (kind === "full_attention" ? null : half));
}

/** What positions turn queries and keys by. @throws ConfigError for a scaling that is not known. */
export function rotationOf(config: ModernBertConfig, kind: Kind, where = "config.json"): Rotation {
  const given = { ...config.rope_parameters?.[kind], ...config.rope_scaling };
  const base = kind === "full_attention" ? config.global_rope_theta : config.local_rope_theta;
  const json = { ...given, rope_theta: given.rope_theta ?? base };
  const head = { width: config.hidden_size / config.num_attention_heads, positions: config.max_position_embeddings };
  return rotationFrom(json, head, `${where}: rope_parameters.${kind}`);
}

interface Size {
  readonly width: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
}

const size = ({ width, inner, layers, heads }: Size): ModernBertConfig =>
  schema.parse({
    model_type: "modernbert",
    architectures: ["ModernBertForMaskedLM"],
    vocab_size: 50_368,
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    max_position_embeddings: 8192,
    pad_token_id: 50_283,
  });

/** Published shapes; BioClinical-ModernBERT has the same. */
export const modernBertSizes: Readonly<Record<string, ModernBertConfig>> = {
  "modernbert-base": size({ width: 768, inner: 1152, layers: 22, heads: 12 }),
  "modernbert-large": size({ width: 1024, inner: 2624, layers: 28, heads: 16 }),
};
