/** BERT's heads as transformers computes them: the pooler, the masked language model, and classification. */
// B batch, T tokens, L leading axes, D width, V vocabulary, P projections
import type { Graph, Value } from "../../graph/graph.ts";
import { add, linearCrossEntropy, matMul, reshape, slice, tanh } from "../../graph/ops/index.ts";
import { activations } from "../../nn/activations.ts";
import { dropout, flat, vocabularyTable, layerNormLayer, linearLayer } from "../../nn/layers.ts";
import { inBody, projectionWeight, tokenTable } from "./layers.ts";
import type { BertConfig } from "./config.ts";
import { decoderBias } from "./names.ts";
import { labelCount, sequenceHead, tokenHead } from "../classification.ts";
import type { Head, Labels } from "../family.ts";

/** tanh of a linear layer over the first token: hidden_BTD → pooled_BD. */
export function pooler(g: Graph, config: BertConfig, hidden_BTD: Value): Value {
  const { hidden_size: width, initializer_range: deviation } = config;
  const first_BD = reshape(slice(hidden_BTD, 1, 0, 1), [hidden_BTD.shape[0]!, width]);
  return inBody(g, config, () =>
    g.head(() => g.scope("pooler", () => tanh(linearLayer(g, "dense", first_BD, width, { deviation })))),
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
  const x_LD = g.head(() =>
    g.scope("cls.predictions.transform", () => {
      const inner = activations[config.hidden_act](linearLayer(g, "dense", hidden_LD, width, { deviation: normal }));
      return layerNormLayer(g, "LayerNorm", inner, config.layer_norm_eps);
    }),
  );
  const bias_V = g.head(() => g.param(decoderBias(config), [vocab_size], { constant: 0 }, { vocabulary: true }));
  if (!config.tie_word_embeddings) {
    const weight = g.head(() => vocabularyTable(g, "cls.predictions.decoder", vocab_size, width, { normal }));
    return { x: x_LD, weight, bias_V };
  }
  return inBody(g, config, () =>
    g.scope("embeddings", () => {
      const x = config.projections === undefined ? x_LD : matMul(x_LD, projectionWeight(g, config));
      return { x, weight: tokenTable(g, config), bias_V };
    }),
  );
}

/** The masked language model: scores over the vocabulary. */
export const maskedHead = {
  kind: "language",
  labels: ({ vocab_size }): Labels => ({ of: "tokens", count: vocab_size }),
  logits: (g: Graph, config: BertConfig, hidden_BTD: Value): Value => {
    const { x, weight, bias_V } = decoder(g, config, hidden_BTD);
    return add(matMul(x, weight, { transB: true }), bias_V);
  },
  loss: (g: Graph, config: BertConfig, hidden: Value, labels_N: Value): Value => {
    const { x, weight, bias_V } = decoder(g, config, hidden);
    return linearCrossEntropy(flat(x), weight, labels_N, bias_V);
  },
} satisfies Head<BertConfig>;

function classifier(g: Graph, config: BertConfig, x: Value): Value {
  const kept = dropout(g, x, config.classifier_dropout ?? config.hidden_dropout_prob);
  return g.head(() => linearLayer(g, "classifier", kept, labelCount(config), { deviation: config.initializer_range }));
}

export const bertSequenceHead: Head<BertConfig> = sequenceHead((g, config, hidden_BTD) =>
  classifier(g, config, pooler(g, config, hidden_BTD)),
);

export const bertTokenHead: Head<BertConfig> = tokenHead(classifier);
