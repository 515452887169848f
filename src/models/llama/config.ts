/** Configurations of LLaMA and its relatives: Hugging Face's fields, old and new, and the named sizes. */
import * as z from "zod";
import { ConfigError } from "../../errors.ts";
import type { Windows } from "../../nn/attention.ts";
import { longestRow, type Rotation } from "../../nn/rotary.ts";
import { checked } from "../../schema.ts";
import { labelFields } from "../classification.ts";
import { activationName, rotationFrom } from "../config.ts";

const count = z.int().positive();
const token = z.int().min(0);

const schema = z.looseObject({
  model_type: z.string(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  /** Absent: as many as heads. */
  num_key_value_heads: count.nullish(),
  /** Absent: hidden_size over heads. */
  head_dim: count.nullish(),
  hidden_act: activationName.default("silu"),
  max_position_embeddings: count,
  /** Tokens that a token sees, itself the last; null: all before it. Absent: transformers' default. */
  sliding_window: count.nullish(),
  /** Qwen's: without it no layer slides; with it those of `layer_types`, or else those above the lowest so many. */
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
  max_window_layers: z.int().min(0).nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  initializer_range: z.number().positive().default(0.02),
  /** Files of before transformers 5; newer ones have both in `rope_parameters`. */
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  /** Here, or in `rope_parameters`. */
  original_max_position_embeddings: count.nullish(),
  rope_parameters: z.looseObject({}).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().default(false),
  attention_dropout: z.number().min(0).lt(1).default(0),
  bos_token_id: token.nullish(),
  eos_token_id: z.union([token, z.array(token).min(1)]).nullish(),
  pad_token_id: token.nullish(),
  ...labelFields,
});

export type LlamaConfig = z.infer<typeof schema>;

/** Which layers see no farther than `sliding_window`: those that the configuration says, in one way or another. */
export type Sliding = "no layer" | "every layer" | "some layers";

/** @throws ConfigError that names the field. */
export function parseLlamaConfig(json: unknown, where: string, sliding: Sliding = "no layer"): LlamaConfig {
  const config = checked(schema, json, where);
  const { num_attention_heads: heads } = config;
  const divides = (of: number) => z.number().refine((by) => of % by === 0, `expected a divisor of ${of}`);
  checked(z.looseObject({ num_key_value_heads: divides(heads) }), { num_key_value_heads: keyHeads(config) }, where);
  if (config.head_dim === null || config.head_dim === undefined) {
    checked(z.looseObject({ num_attention_heads: divides(config.hidden_size) }), config, where);
  }
  rotationOf(config, where);
  windowsOf(config, sliding, where);
  return config;
}

export function keyHeads({ num_key_value_heads: keys, num_attention_heads: heads }: LlamaConfig): number {
  return keys ?? heads;
}

/** The most tokens of a row. */
export const longest = (config: LlamaConfig): number => longestRow(rotationOf(config));

export function headWidth({ head_dim, hidden_size, num_attention_heads }: LlamaConfig): number {
  return head_dim ?? hidden_size / num_attention_heads;
}

/** How far each layer looks. @throws ConfigError for kinds of layers that contradict the other fields. */
export function windowsOf(config: LlamaConfig, sliding: Sliding, where = "config.json"): Windows | undefined {
  const { num_hidden_layers: layers, layer_types: kinds, use_sliding_window, sliding_window = 4096 } = config;
  const full = config.max_window_layers ?? 28; // as 4096 transformers' default
  if (sliding === "no layer") return undefined;
  if (sliding === "every layer") return Array.from({ length: layers }, () => sliding_window);
  const window = use_sliding_window === true ? sliding_window : null;
  if (kinds === null || kinds === undefined) {
    return Array.from({ length: layers }, (_, layer) => (layer < full ? null : window));
  }
  if (kinds.length !== layers) {
    throw new ConfigError(`${where}: layer_types: expected ${layers}, as num_hidden_layers says, got ${kinds.length}`);
  }
  if (window === null && kinds.includes("sliding_attention")) {
    throw new ConfigError(`${where}: layer_types: expected full_attention alone, got sliding_attention`, {
      hint: "set sliding_window, and use_sliding_window to true",
    });
  }
  return kinds.map((kind) => (kind === "full_attention" ? null : window));
}

/** What positions turn queries and keys by. @throws ConfigError for a scaling that is not known. */
export function rotationOf(config: LlamaConfig, where = "config.json"): Rotation {
  const { rope_parameters: now, rope_scaling: before } = config;
  const given = now ?? before ?? {};
  const json = {
    ...given,
    original_max_position_embeddings:
      config.original_max_position_embeddings ?? given["original_max_position_embeddings"],
    rope_theta: now?.["rope_theta"] ?? config.rope_theta ?? 10_000,
  };
  const head = { width: headWidth(config), positions: config.max_position_embeddings };
  return rotationFrom(json, head, `${where}: rope_parameters`);
}

interface Size {
  readonly vocab: number;
  readonly width: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly keys?: number;
  readonly positions: number;
}

function size(
  modelType: string,
  { vocab, width, inner, layers, heads, keys = heads, positions }: Size,
  more: object = {},
): LlamaConfig {
  return parseLlamaConfig(
    {
      model_type: modelType,
      vocab_size: vocab,
      hidden_size: width,
      intermediate_size: inner,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: keys,
      max_position_embeddings: positions,
      rms_norm_eps: 1e-5,
      bos_token_id: 1,
      eos_token_id: 2,
      ...more,
    },
    modelType,
  );
}

type Sizes = Readonly<Record<string, LlamaConfig>>;
const llama2 = { vocab: 32_000, positions: 4096 };

/** Published shapes, and `nano` for a laptop. */
export const llamaSizes: Sizes = {
  "llama-nano": size(
    "llama",
    { vocab: 8192, width: 384, inner: 1024, layers: 8, heads: 6, keys: 2, positions: 1024 },
    { tie_word_embeddings: true },
  ),
  "llama-2-7b": size("llama", { ...llama2, width: 4096, inner: 11_008, layers: 32, heads: 32 }),
  "llama-2-13b": size("llama", { ...llama2, width: 5120, inner: 13_824, layers: 40, heads: 40 }),
  "llama-2-70b": size("llama", { ...llama2, width: 8192, inner: 28_672, layers: 80, heads: 64, keys: 8 }),
  "llama-3-8b": size(
    "llama",
    { vocab: 128_256, width: 4096, inner: 14_336, layers: 32, heads: 32, keys: 8, positions: 8192 },
    { rope_theta: 500_000, bos_token_id: 128_000, eos_token_id: 128_001 },
  ),
  "smollm2-135m": size(
    "llama",
    { vocab: 49_152, width: 576, inner: 1536, layers: 30, heads: 9, keys: 3, positions: 8192 },
    { rope_theta: 100_000, tie_word_embeddings: true },
  ),
};

export const mistralSizes: Sizes = {
  "mistral-7b": size(
    "mistral",
    { vocab: 32_000, width: 4096, inner: 14_336, layers: 32, heads: 32, keys: 8, positions: 32_768 },
    { sliding_window: 4096 },
  ),
};

const qwen = { vocab: 151_936, positions: 32_768 };

export const qwen2Sizes: Sizes = {
  "qwen2-0.5b": size(
    "qwen2",
    { ...qwen, width: 896, inner: 4864, layers: 24, heads: 14, keys: 2 },
    { rope_theta: 1_000_000, rms_norm_eps: 1e-6, tie_word_embeddings: true },
  ),
};

export const qwen3Sizes: Sizes = {
  "qwen3-0.6b": size(
    "qwen3",
    { ...qwen, width: 1024, inner: 3072, layers: 28, heads: 16, keys: 8, positions: 40_960 },
    { head_dim: 128, rope_theta: 1_000_000, rms_norm_eps: 1e-6, tie_word_embeddings: true },
  ),
};
