/**
 * GPT-2 in llama.cpp's GGUF: names and metadata of its convert_hf_to_gguf.py. Its matrices are [out, in], and scores are
 * divided by the root of a head's width alone: what else divides them (BioMedLM's layers by their number) is divided out
 * of the queries that are written.
 */
import { ConfigError } from "../../errors.ts";
import type { ForeignCheckpoint, ForeignFormat } from "../family.ts";
import { ggufNames, ggufNumbers, ggufSizes, ggufTokens, rounded, storedSizes, under } from "../gguf.ts";
import { type Gpt2Config, scoreFactor } from "./config.ts";

const prefix = "gpt2";

const { parameterOf, storedName } = ggufNames({
  of: "a GPT-2",
  layers: "transformer.h.",
  parts: {
    attn_norm: "ln_1",
    attn_qkv: "attn.c_attn",
    attn_output: "attn.c_proj",
    ffn_norm: "ln_2",
    ffn_up: "mlp.c_fc",
    ffn_down: "mlp.c_proj",
  },
  whole: {
    token_embd: "transformer.wte",
    position_embd: "transformer.wpe",
    output_norm: "transformer.ln_f",
    output: "lm_head",
  },
});

function configOf(checkpoint: ForeignCheckpoint): object {
  const { needed } = ggufNumbers(checkpoint, prefix);
  return {
    model_type: "gpt2",
    ...ggufSizes(checkpoint, prefix),
    layer_norm_epsilon: rounded(needed("attention.layer_norm_epsilon")),
    tie_word_embeddings: !checkpoint.stored.has("output.weight"),
    ...ggufTokens(checkpoint),
  };
}

function settingsOf(config: Gpt2Config): Record<string, Record<string, string | number | boolean>> {
  if (config.activation_function !== "gelu_new") {
    throw new ConfigError(
      `activation_function: expected gelu_new, which llama.cpp's ${prefix} has, got ${config.activation_function}`,
    );
  }
  return {
    string: { "general.architecture": prefix },
    uint32: under(prefix, {
      ...storedSizes(config),
      vocab_size: config.vocab_size,
    }),
    float32: under(prefix, { "attention.layer_norm_epsilon": config.layer_norm_epsilon }),
  };
}

export const gguf: ForeignFormat<Gpt2Config> = {
  recognises: ({ setting }) => setting("general.architecture") === prefix,
  configOf,
  parameterOf,
  orderOf: (parameter) => (/\.c_(?:attn|proj|fc)\.weight$/.test(parameter) ? { kind: "transposed" } : undefined),
  written: {
    settingsOf,
    storedAs: (parameters) => [...parameters].map((name) => [storedName(name), name] as const),
    factorOf(parameter, config) {
      const layer = /^transformer\.h\.(\d+)\.attn\.c_attn\./.exec(parameter)?.[1];
      const factor = layer === undefined ? 1 : scoreFactor(config, Number(layer));
      return factor === 1 ? undefined : { rows: config.hidden_size, factor };
    },
  },
};
