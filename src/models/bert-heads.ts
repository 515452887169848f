/**
 * BERT's heads as transformers computes them: the pooler, the masked language model, and classification of rows
 * (single label, several labels, regression, by `problem_type`) and of tokens.
 */
// B batch, T tokens, L leading axes, N rows in all, D width, V vocabulary, C classes, P projections
import type { Graph, Value } from "../graph/graph.ts";
import {
  add,
  binaryCrossEntropy,
  crossEntropy,
  linearCrossEntropy,
  matMul,
  mul,
  reshape,
  slice,
  sub,
  tanh,
} from "../graph/ops/index.ts";
import { product } from "../graph/shape.ts";
import { dropout, embeddingTable, layerNormLayer, linearLayer } from "../nn/layers.ts";
import { activationOf, inBody, projectionWeight, tokenTable } from "./bert-layers.ts";
import { type BertConfig, labelCount, problemOf } from "./bert-config.ts";
import { decoderBias } from "./bert-names.ts";
import type { Head, Labels } from "./family.ts";

/** tanh of a linear layer over the first token: hidden_BTD → pooled_BD. */
export function pooler(g: Graph, config: BertConfig, hidden_BTD: Value): Value {
  const { hidden_size: width, initializer_range: deviation } = config;
  const first_BD = reshape(slice(hidden_BTD, 1, 0, 1), [hidden_BTD.shape[0]!, width]);
  return inBody(g, config, () =>
    g.scope("pooler", () => tanh(linearLayer(g, "dense", first_BD, width, { deviation }))),
  );
}

interface Decoder {
  readonly x: Value;
  readonly weight: Value;
  readonly bias_V: Value;
}

/**
 * What the logits x Wᵀ + b are made of: x_LD and weight_VD, the token table when tied, else a matrix of its own. For a
 * tied factorised table E_VP with projection W_DP hidden states go back through the projection: (x W) Eᵀ.
 */
function decoder(g: Graph, config: BertConfig, hidden_LD: Value): Decoder {
  const { hidden_size: width, vocab_size, initializer_range: normal } = config;
  const x_LD = g.scope("cls.predictions.transform", () => {
    const inner = activationOf(config)(linearLayer(g, "dense", hidden_LD, width, { deviation: normal }));
    return layerNormLayer(g, "LayerNorm", inner, config.layer_norm_eps);
  });
  const bias_V = g.param(decoderBias(config), [vocab_size], { constant: 0 });
  if (!config.tie_word_embeddings) {
    return { x: x_LD, weight: embeddingTable(g, "cls.predictions.decoder", vocab_size, width, { normal }), bias_V };
  }
  return inBody(g, config, () =>
    g.scope("embeddings", () => {
      const x = config.projections === undefined ? x_LD : matMul(x_LD, projectionWeight(g, config));
      return { x, weight: tokenTable(g, config), bias_V };
    }),
  );
}

/** Rows and the last axis: [..., C] → [N, C]. */
function flat(x: Value): Value {
  return reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

/** The masked language model: scores over the vocabulary. */
export const maskedHead: Head<BertConfig> = {
  labels: ({ vocab_size }): Labels => ({ of: "tokens", count: vocab_size }),
  logits: (g, config, hidden_BTD) => {
    const { x, weight, bias_V } = decoder(g, config, hidden_BTD);
    return add(matMul(x, weight, { transB: true }), bias_V);
  },
  loss: (g, config, hidden, labels_N) => {
    const { x, weight, bias_V } = decoder(g, config, hidden);
    return linearCrossEntropy(flat(x), weight, labels_N, bias_V);
  },
};

function classifier(g: Graph, config: BertConfig, x: Value): Value {
  const kept = dropout(g, x, config.classifier_dropout ?? config.hidden_dropout_prob);
  return linearLayer(g, "classifier", kept, labelCount(config), { deviation: config.initializer_range });
}

const rowLogits = (g: Graph, config: BertConfig, hidden_BTD: Value): Value =>
  classifier(g, config, pooler(g, config, hidden_BTD));

export const sequenceHead: Head<BertConfig> = {
  labels: (config): Labels => ({
    of: problemOf(config) === "single_label_classification" ? "rows" : "numbers",
    count: labelCount(config),
  }),
  logits: rowLogits,
  loss: (g, config, hidden_BTD, labels) => {
    const logits_BC = rowLogits(g, config, hidden_BTD);
    const problem = problemOf(config);
    if (problem === "single_label_classification") return crossEntropy(logits_BC, labels);
    const apart_BC = sub(logits_BC, labels);
    const loss_BC = problem === "regression" ? mul(apart_BC, apart_BC) : binaryCrossEntropy(logits_BC, labels);
    return reshape(loss_BC, [product(loss_BC.shape)]);
  },
};

export const tokenHead: Head<BertConfig> = {
  labels: (config): Labels => ({ of: "tokens", count: labelCount(config) }),
  logits: classifier,
  loss: (g, config, hidden, labels_N) => crossEntropy(flat(classifier(g, config, hidden)), labels_N),
};
