/**
 * BERT in llama.cpp's GGUF: names and metadata of its convert_hf_to_gguf.py. llama.cpp has the network alone, for vectors:
 * no pooler and no head; its GELU is the tanh's approximation. Left out: other architectures that it calls "bert" too.
 */
import { CheckpointError, ConfigError } from "../../errors.ts";
import type { ForeignCheckpoint, ForeignFormat } from "../family.ts";
import { ggufNames, ggufNumbers, ggufSizes, ggufTokens, lostHead, rounded, storedSizes, under } from "../gguf.ts";
import type { BertConfig } from "./config.ts";

const prefix = "bert";

const { parameterOf, storedName } = ggufNames({
  of: "a BERT",
  layers: "encoder.layer.",
  parts: {
    attn_q: "attention.self.query",
    attn_k: "attention.self.key",
    attn_v: "attention.self.value",
    attn_output: "attention.output.dense",
    attn_output_norm: "attention.output.LayerNorm",
    ffn_up: "intermediate.dense",
    ffn_down: "output.dense",
    layer_output_norm: "output.LayerNorm",
  },
  whole: {
    token_embd: "embeddings.word_embeddings",
    token_types: "embeddings.token_type_embeddings",
    position_embd: "embeddings.position_embeddings",
    token_embd_norm: "embeddings.LayerNorm",
  },
});

function configOf(checkpoint: ForeignCheckpoint): object {
  const { where, stored } = checkpoint;
  const { needed } = ggufNumbers(checkpoint, prefix);
  const [types] = stored.get("token_types.weight")?.dims ?? [];
  if (types === undefined) {
    throw new CheckpointError(`${where}: expected tensor "token_types.weight", as a BERT has, got none`);
  }
  return {
    model_type: "bert",
    architectures: ["BertModel"],
    ...ggufSizes(checkpoint, prefix),
    type_vocab_size: types,
    layer_norm_eps: rounded(needed("attention.layer_norm_epsilon")),
    add_pooling_layer: false,
    ...ggufTokens(checkpoint),
  };
}

function settingsOf(config: BertConfig): Record<string, Record<string, string | number | boolean>> {
  if (config.hidden_act !== "gelu") {
    throw new ConfigError(`hidden_act: expected gelu, which llama.cpp's ${prefix} has, got ${config.hidden_act}`);
  }
  return {
    string: { "general.architecture": prefix },
    uint32: {
      ...under(prefix, {
        ...storedSizes(config),
        vocab_size: config.vocab_size,
      }),
      "tokenizer.ggml.token_type_count": config.type_vocab_size,
    },
    float32: under(prefix, { "attention.layer_norm_epsilon": config.layer_norm_eps }),
    bool: { [`${prefix}.attention.causal`]: false },
  };
}

/** The pooler's, and the masked language model's. */
const leftOut = /^(?:pooler|cls\.predictions)\./;

export const gguf: ForeignFormat<BertConfig> = {
  recognises: ({ setting }) => setting("general.architecture") === prefix,
  configOf,
  parameterOf,
  written: {
    settingsOf,
    storedAs: (parameters) =>
      [...parameters].flatMap((name) => {
        const bare = name.replace(/^bert\./, "");
        return leftOut.test(bare) ? [] : [[storedName(bare), name] as const];
      }),
    lossesOf: ({ architectures, add_pooling_layer: pools }) => [
      ...lostHead(architectures),
      ...(pools ? ["llama.cpp has no pooler: it is left out"] : []),
    ],
  },
};
