/**
 * GPT-2 (Radford et al. 2019) and BioMedLM (Bolton et al. 2024, arXiv:2403.18421): a pre-norm decoder with learned
 * positions and a tied head, exactly as transformers' GPT2LMHeadModel computes it, with its heads for classification.
 * Linear layers are its Conv1D, weights [in, out]; parameter names are its state dict's. Left out: cross-attention.
 */
// B batch, T tokens, N = B·T, D width, F feed-forward width, V vocabulary
import type { Graph, Value } from "../../graph/graph.ts";
import { add, linear, scale, slice } from "../../graph/ops/index.ts";
import { activations } from "../../nn/activations.ts";
import { attentionOf, joinHeads, type Place, splitHeads } from "../../nn/attention.ts";
import {
  conv1dLayer,
  dropout,
  embedding,
  embeddingTable,
  flat,
  layerNormLayer,
  linearLayer,
  unflat,
  vocabularyTable,
} from "../../nn/layers.ts";
import { learnedPositions } from "../../nn/positions.ts";
import { labelCount, labelMeasure, lastTokenHead, tokenHead } from "../classification.ts";
import { caricature } from "../config.ts";
import type { CacheShape, Family, Measures, ModelInputs, Shapes } from "../family.ts";
import { languageHead } from "../language-head.ts";
import { type Gpt2Config, gpt2Sizes, headWidth, parseGpt2Config, scoreFactor, writtenGpt2Config } from "./config.ts";
import { gguf } from "./gguf.ts";

/** hidden_BTD after the final LayerNorm. ids_BT int64. */
function hidden(g: Graph, config: Gpt2Config, inputs: ModelInputs): Value {
  const attend = attentionOf(g, inputs, { causal: true, dropout: config.attn_pdrop });
  const { hidden_size: width, max_position_embeddings: rows, initializer_range: normal } = config;
  const rows_BT = inputs.ids_BT.shape;
  return g.scope("transformer", () => {
    const positions = learnedPositions(embeddingTable(g, "wpe", rows, width, { normal }), inputs);
    const tokens_BTD = embedding(tokenTable(g, config), inputs.ids_BT);
    let x_ND = flat(dropout(g, add(tokens_BTD, positions), config.embd_pdrop));
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const below_ND = x_ND;
      const at = { attend, rows_BT, index: i };
      x_ND = g.scope(`h.${i}`, () => g.checkpoint(() => layer(g, config, below_ND, at)));
    }
    return unflat(layerNormLayer(g, "ln_f", x_ND, config.layer_norm_epsilon), rows_BT);
  });
}

function tokenTable(g: Graph, { vocab_size, hidden_size, initializer_range: normal }: Gpt2Config): Value {
  return vocabularyTable(g, "wte", vocab_size, hidden_size, { normal });
}

function layer(g: Graph, config: Gpt2Config, x_ND: Value, { attend, rows_BT, index }: Place): Value {
  const { hidden_size: width, intermediate_size: inner, layer_norm_epsilon: epsilon, resid_pdrop: rate } = config;
  const { initializer_range: deviation } = config;
  // Where a layer adds to the residual stream, it starts smaller, by the square root of how many do.
  const outDeviation = deviation / Math.sqrt(2 * config.num_hidden_layers);
  const h_ND = layerNormLayer(g, "ln_1", x_ND, epsilon);
  const attended_ND = g.scope("attn", () => {
    const qkv = conv1dLayer(g, "c_attn", h_ND, 3 * width, { deviation });
    const split = (part: number): Value =>
      splitHeads(slice(qkv, 1, part * width, (part + 1) * width), config.num_attention_heads, rows_BT);
    const y_BHTK = attend(scaledQueries(config, split(0), index), split(1), split(2), index);
    return conv1dLayer(g, "c_proj", joinHeads(y_BHTK), width, { deviation: outDeviation });
  });
  const middle_ND = add(x_ND, dropout(g, attended_ND, rate));
  const f_ND = layerNormLayer(g, "ln_2", middle_ND, epsilon);
  const outer_ND = g.scope("mlp", () => {
    const inner_NF = activations[config.activation_function](conv1dLayer(g, "c_fc", f_ND, inner, { deviation }));
    return conv1dLayer(g, "c_proj", inner_NF, width, { deviation: outDeviation });
  });
  return add(middle_ND, dropout(g, outer_ND, rate));
}

/** Attention divides scores by √K; what the configuration has otherwise is made of the queries. */
function scaledQueries(config: Gpt2Config, q_BHTK: Value, index: number): Value {
  const factor = scoreFactor(config, index);
  return factor === 1 ? q_BHTK : scale(q_BHTK, factor);
}

/** The language model's matrix_VD: the token table, or one of its own. */
function headWeight(g: Graph, config: Gpt2Config): Value {
  if (config.tie_word_embeddings) return g.scope("transformer", () => tokenTable(g, config));
  const { vocab_size, hidden_size, initializer_range: normal } = config;
  return g.head(() => vocabularyTable(g, "lm_head", vocab_size, hidden_size, { normal }));
}

const rowLogits = (g: Graph, config: Gpt2Config, last_BD: Value): Value => {
  const weight = [labelCount(config), config.hidden_size] as const;
  return linear(
    last_BD,
    g.head(() => g.param("score.weight", weight, { normal: config.initializer_range })),
  );
};

const tokenLogits = (g: Graph, config: Gpt2Config, hidden: Value): Value => {
  const kept = dropout(g, hidden, config.classifier_dropout ?? 0.1);
  return g.head(() => linearLayer(g, "classifier", kept, labelCount(config), { deviation: config.initializer_range }));
};

const tokens = "transformer.wte.weight";

function measures(config: Gpt2Config): Measures {
  const heads = { GPT2ForSequenceClassification: "score", GPT2ForTokenClassification: "classifier" };
  return {
    layers: { field: "n_layer", value: config.num_hidden_layers, prefix: "transformer.h." },
    sizes: [
      { field: "vocab_size", parameter: tokens, axis: 0 },
      { field: "n_embd", value: config.hidden_size, parameter: tokens, axis: 1 },
      { field: "n_positions", value: config.max_position_embeddings, parameter: "transformer.wpe.weight", axis: 0 },
      { field: "n_inner", value: config.intermediate_size, parameter: "transformer.h.0.mlp.c_fc.weight", axis: 1 },
      ...labelMeasure(config, heads),
    ],
  };
}

/** Published files have no prefix; old ones carry the triangle of the causal mask and its number. */
function parameterNames(stored: Shapes): (storedName: string) => string | undefined {
  const prefixed = [...stored.keys()].some((name) => name.startsWith("transformer."));
  return (name) => {
    if (/(?:^|\.)h\.\d+\.attn\.(?:masked_)?bias$/.test(name)) return undefined;
    return prefixed || /^(?:lm_head|score|classifier)\./.test(name) ? name : `transformer.${name}`;
  };
}

export const gpt2: Family<Gpt2Config> = {
  modelType: "gpt2",
  architecture: "GPT2LMHeadModel",
  causal: true,
  tied: ({ tie_word_embeddings }): Record<string, string> => (tie_word_embeddings ? { "lm_head.weight": tokens } : {}),
  untied: (config) => ({ ...config, tie_word_embeddings: false }),
  sizes: gpt2Sizes,
  debug: (config) => ({ ...config, ...caricature }),
  withDropout: (config, rate) => ({ ...config, embd_pdrop: rate, resid_pdrop: rate, attn_pdrop: rate }),
  loraTargets: ["c_attn", "c_proj", "c_fc"],
  heads: {
    GPT2Model: "none",
    GPT2ForSequenceClassification: lastTokenHead(rowLogits),
    GPT2ForTokenClassification: tokenHead(tokenLogits),
  },
  parseConfig: parseGpt2Config,
  written: writtenGpt2Config,
  measures,
  adapt: (config, stored) => ({ config, parameterOf: parameterNames(stored) }),
  foreign: { gguf },
  hidden,
  ...languageHead(headWeight),
  cache: (config): CacheShape => ({
    layers: config.num_hidden_layers,
    keyHeads: config.num_attention_heads,
    headWidth: headWidth(config),
    maxTokens: config.max_position_embeddings,
  }),
};
