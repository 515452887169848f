/**
 * ModernBERT in llama.cpp's GGUF: names and metadata of its convert_hf_to_gguf.py. llama.cpp has the network alone, for
 * vectors, without biases, and with a window in all layers but each third or so; its GELU is the tanh's approximation.
 */
import { CheckpointError, ConfigError } from "../../errors.ts";
import type { ForeignCheckpoint, ForeignFormat } from "../family.ts";
import { ggufNames, ggufNumbers, ggufSizes, ggufTokens, lostHead, rounded, storedSizes, under } from "../gguf.ts";
import { kindOf, type ModernBertConfig, rotationOf } from "./config.ts";

const prefix = "modern-bert";

const { parameterOf, storedName } = ggufNames({
  of: "a ModernBERT",
  layers: "model.layers.",
  parts: {
    attn_norm: "attn_norm",
    attn_qkv: "attn.Wqkv",
    attn_output: "attn.Wo",
    ffn_norm: "mlp_norm",
    ffn_up: "mlp.Wi",
    ffn_down: "mlp.Wo",
  },
  whole: {
    token_embd: "model.embeddings.tok_embeddings",
    token_embd_norm: "model.embeddings.norm",
    output_norm: "model.final_norm",
  },
});

function configOf(checkpoint: ForeignCheckpoint): object {
  const { where, setting } = checkpoint;
  const { number, needed } = ggufNumbers(checkpoint, prefix);
  const every = setting(`${prefix}.attention.sliding_window_pattern`) ?? 3;
  if (typeof every !== "number") {
    throw new CheckpointError(`${where}: ${prefix}.attention.sliding_window_pattern: expected a number, got a list`);
  }
  const theta = rounded(number("rope.freq_base") ?? 160_000);
  return {
    model_type: "modernbert",
    architectures: ["ModernBertModel"],
    ...ggufSizes(checkpoint, prefix),
    norm_eps: rounded(needed("attention.layer_norm_epsilon")),
    local_attention: needed("attention.sliding_window"),
    global_attn_every_n_layers: every,
    global_rope_theta: theta,
    local_rope_theta: rounded(number("rope.freq_base_swa") ?? 10_000),
    hidden_activation: setting(`${prefix}.hidden_activation`) ?? "gelu",
    ...ggufTokens(checkpoint),
  };
}

/** The distance of layers that see all, which llama.cpp has in place of a list. @throws ConfigError for another order. */
function everyOf(config: ModernBertConfig): number {
  const kinds = Array.from({ length: config.num_hidden_layers }, (_, layer) => kindOf(config, layer));
  const next = kinds.indexOf("full_attention", 1);
  const every = next > 0 ? next : kinds.length;
  if (kinds.every((kind, i) => (kind === "full_attention") === (i % every === 0))) return every;
  throw new ConfigError(
    "layer_types: expected full attention in the first of every so many layers, got another order",
    {
      hint: `llama.cpp's ${prefix} has no other`,
    },
  );
}

function settingsOf(config: ModernBertConfig): Record<string, Record<string, string | number | boolean>> {
  const [full, sliding] = [rotationOf(config, "full_attention"), rotationOf(config, "sliding_attention")];
  const expected = [
    ["attention_bias", config.attention_bias, false],
    ["mlp_bias", config.mlp_bias, false],
    ["norm_bias", config.norm_bias, false],
    ["hidden_activation", config.hidden_activation, "gelu"],
    ["rope_type", full.scaling.rope_type, "default"],
    ["rope_type", sliding.scaling.rope_type, "default"],
  ] as const;
  for (const [field, value, has] of expected) {
    if (value === has) continue;
    throw new ConfigError(`${field}: expected ${has}, which llama.cpp's ${prefix} has, got ${value}`);
  }
  return {
    string: {
      "general.architecture": prefix,
      [`${prefix}.rope.scaling.type`]: "none",
      [`${prefix}.hidden_activation`]: config.hidden_activation,
    },
    uint32: under(prefix, {
      ...storedSizes(config),
      "attention.sliding_window": config.local_attention,
      "attention.sliding_window_pattern": everyOf(config),
      vocab_size: config.vocab_size,
    }),
    float32: under(prefix, {
      "attention.layer_norm_epsilon": config.norm_eps,
      "rope.freq_base": full.scaling.rope_theta,
      "rope.freq_base_swa": sliding.scaling.rope_theta,
    }),
    bool: { [`${prefix}.attention.causal`]: false },
  };
}

/** The masked language model's head. */
const leftOut = /^(?:head|decoder)\./;

export const gguf: ForeignFormat<ModernBertConfig> = {
  recognises: ({ setting }) => setting("general.architecture") === prefix,
  configOf,
  parameterOf,
  written: {
    settingsOf,
    storedAs: (parameters) =>
      [...parameters].flatMap((name) => (leftOut.test(name) ? [] : [[storedName(name), name] as const])),
    lossesOf: ({ architectures }) => lostHead(architectures),
  },
};
