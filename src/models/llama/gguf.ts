/**
 * LLaMA and its relatives in llama.cpp's GGUF: names and metadata of its convert_hf_to_gguf.py. Its "llama" has the rows
 * of queries and keys in Meta's order, its "qwen2" and "qwen3" in Hugging Face's. Left out: mixtures of experts.
 */
import { CheckpointError, ConfigError } from "../../errors.ts";
import type { ForeignCheckpoint, ForeignFormat } from "../family.ts";
import { ggufNames, ggufNumbers, ggufTokens, ggufVocabularySize, rounded, storedSizes, under } from "../gguf.ts";
import { headWidth, keyHeads, type LlamaConfig, rotationOf } from "./config.ts";

const { parameterOf, storedName } = ggufNames({
  of: "a dense LLaMA",
  layers: "model.layers.",
  parts: {
    attn_norm: "input_layernorm",
    attn_q: "self_attn.q_proj",
    attn_k: "self_attn.k_proj",
    attn_v: "self_attn.v_proj",
    attn_output: "self_attn.o_proj",
    attn_q_norm: "self_attn.q_norm",
    attn_k_norm: "self_attn.k_norm",
    ffn_norm: "post_attention_layernorm",
    ffn_gate: "mlp.gate_proj",
    ffn_up: "mlp.up_proj",
    ffn_down: "mlp.down_proj",
  },
  whole: { token_embd: "model.embed_tokens", output_norm: "model.norm", output: "lm_head" },
});
/** What Llama 3.1 divides each frequency by: llama.cpp has the factors, Hugging Face what they are computed from. */
const factors = "rope_freqs.weight";

function configOf(checkpoint: ForeignCheckpoint, modelType: string, prefix: string): object {
  const { where, stored } = checkpoint;
  const { number, needed } = ggufNumbers(checkpoint, prefix);
  const [heads, width] = [needed("attention.head_count"), needed("embedding_length")];
  const headSize = number("attention.key_length") ?? number("rope.dimension_count") ?? width / heads;
  if (
    (number("attention.value_length") ?? headSize) !== headSize ||
    (number("rope.dimension_count") ?? headSize) !== headSize
  ) {
    throw new CheckpointError(`${where}: ${prefix}: expected heads of one width, all of which is turned, got others`);
  }
  return {
    model_type: modelType,
    vocab_size: ggufVocabularySize(checkpoint),
    hidden_size: width,
    intermediate_size: needed("feed_forward_length"),
    num_hidden_layers: needed("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: number("attention.head_count_kv") ?? heads,
    head_dim: headSize,
    max_position_embeddings: needed("context_length"),
    rms_norm_eps: rounded(needed("attention.layer_norm_rms_epsilon")),
    ...ropeOf(checkpoint, prefix, headSize),
    tie_word_embeddings: !stored.has("output.weight"),
    attention_bias: stored.has("blk.0.attn_output.bias"),
    mlp_bias: stored.has("blk.0.ffn_gate.bias"),
    ...ggufTokens(checkpoint),
  };
}

function ropeOf(checkpoint: ForeignCheckpoint, prefix: string, headSize: number): object {
  const { where, setting } = checkpoint;
  const { number } = ggufNumbers(checkpoint, prefix);
  const theta = rounded(number("rope.freq_base") ?? 10_000);
  const divisors = setting(factors) as Float32Array | undefined;
  if (divisors !== undefined) {
    const old = number("rope.scaling.original_context_length") ?? 8192;
    return { rope_theta: theta, rope_scaling: llama3Of(divisors, old, theta, headSize, where) };
  }
  const kind = setting(`${prefix}.rope.scaling.type`);
  const factor = number("rope.scaling.factor") ?? number("rope.scale_linear");
  if (kind === "none" || factor === undefined || (kind === undefined && factor === 1)) return { rope_theta: theta };
  if (kind === "linear" || kind === undefined)
    return { rope_theta: theta, rope_scaling: { rope_type: "linear", factor } };
  if (kind !== "yarn") {
    throw new CheckpointError(
      `${where}: ${prefix}.rope.scaling.type: expected linear or yarn, got ${String(kind).slice(0, 80)}`,
    );
  }
  const scaling = {
    rope_type: "yarn",
    factor,
    original_max_position_embeddings: number("rope.scaling.original_context_length") ?? null,
    beta_fast: number("rope.scaling.yarn_beta_fast") ?? null,
    beta_slow: number("rope.scaling.yarn_beta_slow") ?? null,
  };
  return { rope_theta: theta, rope_scaling: scaling };
}

/** Of all published models; files do not say them. */
const llama3 = { low_freq_factor: 1, high_freq_factor: 4 };

interface Llama3 {
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
}

/** What each frequency is divided by. */
function divisorsOf(scaling: Llama3, theta: number, width: number): Float32Array {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: old } = scaling;
  return Float32Array.from({ length: width / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / width);
    if (wavelength < old / high) return 1;
    if (wavelength > old / low) return factor;
    const smooth = (old / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

function llama3Of(divisors: Float32Array, old: number, theta: number, headSize: number, where: string): object {
  const scaling = { ...llama3, factor: Math.max(...divisors), original_max_position_embeddings: old };
  const expected = divisorsOf(scaling, theta, headSize);
  if (
    divisors.length === expected.length &&
    expected.every((value, i) => Math.abs(value - divisors[i]!) < 1e-4 * value)
  ) {
    return { rope_type: "llama3", ...scaling };
  }
  throw new CheckpointError(
    `${where}: tensor "${factors}": expected the factors of Llama 3.1 from ${old} positions, got others`,
    {
      hint: "read the model from its Hugging Face directory, which says what they are computed from",
    },
  );
}

/** Sections are metadata's types. */
function settingsOf(config: LlamaConfig, prefix: string): Record<string, Record<string, string | number | boolean>> {
  const { scaling } = rotationOf(config);
  if (scaling.rope_type === "dynamic" || scaling.rope_type === "longrope") {
    throw new ConfigError(`rope_type: expected one that llama.cpp's ${prefix} has, got "${scaling.rope_type}"`, {
      hint: 'set rope_type to "default" in config.json: up to the length that the model was trained for nothing changes',
    });
  }
  if (config.hidden_act !== "silu") {
    throw new ConfigError(`hidden_act: expected silu, which llama.cpp's ${prefix} has, got ${config.hidden_act}`);
  }
  const [width, old] = [headWidth(config), oldLength(config)];
  const yarn = scaling.rope_type === "yarn" ? scaling : undefined;
  const scaled = yarn ?? (scaling.rope_type === "linear" ? scaling : undefined);
  if (yarn !== undefined && (yarn.mscale ?? yarn.mscale_all_dim ?? yarn.attention_factor ?? null) !== null) {
    throw new ConfigError("rope_scaling: expected yarn with the usual softening of attention, got another");
  }
  return {
    string: {
      "general.architecture": prefix,
      ...(scaled === undefined ? {} : { [`${prefix}.rope.scaling.type`]: scaled.rope_type }),
    },
    uint32: under(prefix, {
      ...storedSizes(config),
      "attention.head_count_kv": keyHeads(config),
      "attention.key_length": width,
      "attention.value_length": width,
      "rope.dimension_count": width,
      "rope.scaling.original_context_length": old,
      vocab_size: config.vocab_size,
    }),
    float32: under(prefix, {
      "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
      "rope.freq_base": scaling.rope_theta,
      "rope.scaling.factor":
        scaled === undefined ? undefined : (scaled.factor ?? config.max_position_embeddings / old!),
      "rope.scaling.yarn_beta_fast": yarn?.beta_fast ?? undefined,
      "rope.scaling.yarn_beta_slow": yarn?.beta_slow ?? undefined,
    }),
  };
}

/** The length that a model was trained for before its positions were stretched. */
function oldLength(config: LlamaConfig): number | undefined {
  const { scaling } = rotationOf(config);
  if (scaling.rope_type !== "llama3" && scaling.rope_type !== "yarn") return undefined;
  return scaling.original_max_position_embeddings ?? config.max_position_embeddings;
}

/** The order of queries and keys in Meta's files, biases included. */
export function pairs(parameter: string, config: LlamaConfig): { kind: "pairs"; heads: number } | undefined {
  const part = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(parameter)?.[1];
  if (part === undefined) return undefined;
  return { kind: "pairs", heads: part === "q" ? config.num_attention_heads : keyHeads(config) };
}

/** `prefix`: llama.cpp's architecture; `read`: false where another family is read from its files. */
export function gguf(
  modelType: string,
  prefix: string,
  { read = true, slides }: { readonly read?: boolean; readonly slides: (config: LlamaConfig) => boolean },
): ForeignFormat<LlamaConfig> {
  return {
    recognises: ({ setting }) => read && setting("general.architecture") === prefix,
    configOf: (checkpoint) => configOf(checkpoint, modelType, prefix),
    parameterOf: (name, where) => (name === factors ? undefined : parameterOf(name, where)),
    ...(prefix === "llama" ? { orderOf: pairs } : {}),
    settingTensors: [factors],
    written: {
      settingsOf: (config) => settingsOf(config, prefix),
      storedAs: (parameters) => [...parameters].map((name) => [storedName(name), name] as const),
      tensorsOf: (config): Record<string, Float32Array> => {
        const { scaling } = rotationOf(config);
        if (scaling.rope_type !== "llama3") return {};
        const whole = { ...scaling, original_max_position_embeddings: oldLength(config)! };
        return { [factors]: divisorsOf(whole, scaling.rope_theta, headWidth(config)) };
      },
      lossesOf: (config) =>
        slides(config) ? ["llama.cpp looks back over all tokens, not over sliding_window of them"] : [],
    },
  };
}
