/**
 * LLaMA as Meta and llama2.c have it: names of Meta's model.py, in params.json or llama2.c's header the sizes. The rows of
 * queries and keys are in the order of pairs. Read only.
 */
import { CheckpointError } from "../../errors.ts";
import type { ForeignCheckpoint, ForeignFormat } from "../family.ts";
import type { LlamaConfig } from "./config.ts";
import { pairs } from "./gguf.ts";

const parts: Readonly<Record<string, string>> = {
  "attention.wq": "self_attn.q_proj",
  "attention.wk": "self_attn.k_proj",
  "attention.wv": "self_attn.v_proj",
  "attention.wo": "self_attn.o_proj",
  "feed_forward.w1": "mlp.gate_proj",
  "feed_forward.w2": "mlp.down_proj",
  "feed_forward.w3": "mlp.up_proj",
  attention_norm: "input_layernorm",
  ffn_norm: "post_attention_layernorm",
};
const whole: Readonly<Record<string, string>> = {
  "tok_embeddings.weight": "model.embed_tokens.weight",
  "norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
};

function parameterOf(name: string, where: string): string | undefined {
  if (name === "rope.freqs") return undefined;
  if (Object.hasOwn(whole, name)) return whole[name];
  const [, layer, part] = /^layers\.(\d+)\.([\w.]+)\.weight$/.exec(name) ?? [];
  if (part !== undefined && Object.hasOwn(parts, part)) return `model.layers.${layer}.${parts[part]}.weight`;
  throw new CheckpointError(`${where}: expected the tensors of a LLaMA, got ${JSON.stringify(name.slice(0, 80))}`);
}

function matrix({ where, stored }: ForeignCheckpoint, name: string): readonly [rows: number, columns: number] {
  const dims = stored.get(name)?.dims ?? [];
  if (dims.length === 2) return dims as readonly number[] as [number, number];
  throw new CheckpointError(
    `${where}: expected the matrix ${name}, got ${dims.length === 0 ? "none" : "another shape"}`,
  );
}

function number({ where, setting }: ForeignCheckpoint, key: string, fallback?: number): number {
  const value = setting(key) ?? fallback;
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw new CheckpointError(`${where}: ${key}: expected a positive number, got ${String(value).slice(0, 80)}`);
}

/** Sizes that params.json leaves out, or has as -1, are those of the tensors. */
function configOf(checkpoint: ForeignCheckpoint): object {
  const { where, setting, stored } = checkpoint;
  const [vocabulary, width] = matrix(checkpoint, "tok_embeddings.weight");
  const [inner] = matrix(checkpoint, "layers.0.feed_forward.w1.weight");
  const [keyRows] = matrix(checkpoint, "layers.0.attention.wk.weight");
  const [heads, layers] = [number(checkpoint, "n_heads"), number(checkpoint, "n_layers")];
  const keys = number(checkpoint, "n_kv_heads", heads);
  const sizes = { dim: width, vocab_size: vocabulary, n_kv_heads: (keyRows * heads) / width };
  const given = { dim: setting("dim"), vocab_size: setting("vocab_size"), n_kv_heads: keys };
  for (const [key, size] of Object.entries(sizes)) {
    const value = given[key as keyof typeof given] ?? size;
    if (value !== size && value !== -1) {
      throw new CheckpointError(
        `${where}: ${key}: expected ${size}, as the tensors have, got ${String(value).slice(0, 80)}`,
      );
    }
  }
  return {
    model_type: "llama",
    vocab_size: vocabulary,
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keys,
    max_position_embeddings: number(checkpoint, "max_seq_len", setting("rope_theta") === undefined ? 4096 : 8192),
    rms_norm_eps: number(checkpoint, "norm_eps", 1e-5),
    rope_theta: number(checkpoint, "rope_theta", 10_000),
    ...(setting("use_scaled_rope") === true ? { rope_scaling: scaled } : {}),
    tie_word_embeddings: !stored.has("output.weight"),
    ...(vocabulary >= 128_000
      ? { bos_token_id: 128_000, eos_token_id: 128_001 }
      : { bos_token_id: 1, eos_token_id: 2 }),
  };
}

/** Llama 3.1's, which params.json does not spell out (llama-models, `apply_scaling`). */
const scaled = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

/** Fairscale's layers: those split by outputs, those by inputs; the table by columns, since Llama 3 by rows. */
function splitAxis(name: string, [, columns]: readonly number[], { setting }: ForeignCheckpoint): number | undefined {
  if (/\b(?:attention_norm|ffn_norm|norm|freqs)\b/.test(name)) return undefined;
  if (name === "tok_embeddings.weight") return columns === setting("dim") ? 0 : 1;
  return /\.(?:wo|w2)\.weight$/.test(name) ? 1 : 0;
}

export const meta: ForeignFormat<LlamaConfig> = {
  recognises: ({ stored }) => stored.has("tok_embeddings.weight"),
  configOf,
  parameterOf,
  orderOf: pairs,
  splitAxis,
};
