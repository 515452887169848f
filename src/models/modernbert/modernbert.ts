/**
 * ModernBERT (Warner et al. 2024, arXiv:2412.13663): a pre-norm encoder with rotary positions, a gated feed-forward and
 * no biases, most of whose layers see a window alone, exactly as transformers' ModernBertModel computes it; parameter
 * names are its state dict's. Left out: question answering, multiple choice, predictions that training makes at the
 * masked places only (losses are the same).
 */
// B batch, T tokens, N = B·T, L leading axes, D width, F feed-forward width, H heads, K width of a head, V vocabulary
import type { Graph, Value } from "../../graph/graph.ts";
import { add, linearCrossEntropy, matMul, mul, rotate, slice } from "../../graph/ops/index.ts";
import { activations } from "../../nn/activations.ts";
import { attentionOf, joinHeads, type Place, splitHeads } from "../../nn/attention.ts";
import { dropout, embedding, flat, layerNormLayer, linearLayer, unflat, vocabularyTable } from "../../nn/layers.ts";
import { pool } from "../../nn/pooling.ts";
import { positionsOf } from "../../nn/positions.ts";
import { rotations, turnsWithin } from "../../nn/rotary.ts";
import { givenTokens, labelCount, labelMeasure, sequenceHead, tokenHead } from "../classification.ts";
import { caricature } from "../config.ts";
import type { Family, Head, Measures, Shapes } from "../family.ts";
import {
  kindOf,
  type ModernBertConfig,
  modernBertSizes,
  parseModernBertConfig,
  rotationOf,
  windowsOf,
} from "./config.ts";
import { gguf } from "./gguf.ts";

type Turns = ReturnType<typeof rotations>;

const hidden: Family<ModernBertConfig>["hidden"] = (g, config, inputs) => {
  const { ids_BT, positions_BT } = inputs;
  const attend = attentionOf(g, inputs, {
    causal: false,
    windows: windowsOf(config),
    dropout: config.attention_dropout,
  });
  // Without the mask: transformers counts padding too.
  const places_BT = positionsOf({ ids_BT, positions_BT });
  const width = config.hidden_size / config.num_attention_heads;
  const turnsOf = (kind: ReturnType<typeof kindOf>): Turns => rotations(g, rotationOf(config, kind), width, places_BT);
  const turns = { full_attention: turnsOf("full_attention"), sliding_attention: turnsOf("sliding_attention") };
  const rows_BT = ids_BT.shape;
  return g.scope("model", () => {
    let x_ND = g.scope("embeddings", () => {
      const rows = norm(g, config, "norm", flat(embedding(tokenTable(g, config), ids_BT)));
      return dropout(g, rows, config.embedding_dropout);
    });
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const below_ND = x_ND;
      const at = { attend, turns: turns[kindOf(config, i)], rows_BT, index: i };
      x_ND = g.scope(`layers.${i}`, () => g.checkpoint(() => layer(g, config, below_ND, at)));
    }
    return unflat(norm(g, config, "final_norm", x_ND), rows_BT);
  });
};

interface TurnedPlace extends Place {
  readonly turns: Turns;
}

function layer(g: Graph, config: ModernBertConfig, x_ND: Value, place: TurnedPlace): Value {
  // The embeddings are normalised already.
  const h_ND = place.index === 0 ? x_ND : norm(g, config, "attn_norm", x_ND);
  const middle_ND = add(
    x_ND,
    g.scope("attn", () => selfAttention(g, config, h_ND, place)),
  );
  const m_ND = norm(g, config, "mlp_norm", middle_ND);
  return add(
    middle_ND,
    g.scope("mlp", () => feedForward(g, config, m_ND)),
  );
}

function selfAttention(g: Graph, config: ModernBertConfig, h_ND: Value, place: TurnedPlace): Value {
  const { attend, turns, rows_BT, index } = place;
  const { hidden_size: width, num_attention_heads: heads, attention_bias: bias } = config;
  const fused = linearLayer(g, "Wqkv", h_ND, 3 * width, { deviation: config.initializer_range, bias });
  const all_BHTK = splitHeads(fused, 3 * heads, rows_BT);
  const turned_BHTK = rotate(slice(all_BHTK, 1, 0, 2 * heads), turns);
  const [q_BHTK, k_BHTK] = [slice(turned_BHTK, 1, 0, heads), slice(turned_BHTK, 1, heads, 2 * heads)];
  const y_BHTK = attend(q_BHTK, k_BHTK, slice(all_BHTK, 1, 2 * heads, 3 * heads), index);
  const y_ND = linearLayer(g, "Wo", joinHeads(y_BHTK), width, { deviation: outwards(config), bias });
  return dropout(g, y_ND, config.attention_dropout);
}

function feedForward(g: Graph, config: ModernBertConfig, m_ND: Value): Value {
  const { intermediate_size: inner, mlp_bias: bias } = config;
  const both = linearLayer(g, "Wi", m_ND, 2 * inner, { deviation: config.initializer_range, bias });
  const [input_NF, gate_NF] = [slice(both, 1, 0, inner), slice(both, 1, inner, 2 * inner)];
  const gated_NF = mul(activations[config.hidden_activation](input_NF), gate_NF);
  const kept_NF = dropout(g, gated_NF, config.mlp_dropout);
  return linearLayer(g, "Wo", kept_NF, config.hidden_size, { deviation: outwards(config), bias });
}

/** Layers whose result is added to what went in start the smaller, the more of them there are. */
const outwards = ({ initializer_range, num_hidden_layers }: ModernBertConfig): number =>
  initializer_range / Math.sqrt(2 * num_hidden_layers);

const norm = (g: Graph, { norm_eps, norm_bias: bias }: ModernBertConfig, name: string, x_LD: Value): Value =>
  layerNormLayer(g, name, x_LD, norm_eps, { bias });

const tokenTable = (g: Graph, { vocab_size, hidden_size, initializer_range: normal }: ModernBertConfig): Value =>
  vocabularyTable(g, "tok_embeddings", vocab_size, hidden_size, { normal });

/** What every head begins with: a dense layer, its activation, a norm. */
function transformed(g: Graph, config: ModernBertConfig, x_LD: Value): Value {
  const { hidden_size: width, classifier_bias: bias } = config;
  return g.head(() =>
    g.scope("head", () => {
      const inner_LD = linearLayer(g, "dense", x_LD, width, { deviation: outwards(config), bias });
      return norm(g, config, "norm", activations[config.classifier_activation](inner_LD));
    }),
  );
}

interface Decoder {
  readonly weight_VD: Value;
  readonly bias_V: Value | undefined;
}

function decoder(g: Graph, config: ModernBertConfig): Decoder {
  const { vocab_size, hidden_size, tie_word_embeddings: isTied } = config;
  const biased = (): Value =>
    g.scope("decoder", () => g.param("bias", [vocab_size], { constant: 0 }, { vocabulary: true }));
  const own = (): Value => vocabularyTable(g, "decoder", vocab_size, hidden_size, { normal: outwards(config) });
  return {
    weight_VD: isTied ? g.scope("model.embeddings", () => tokenTable(g, config)) : g.head(own),
    bias_V: config.decoder_bias ? g.head(biased) : undefined,
  };
}

const logits = (g: Graph, config: ModernBertConfig, hidden_LD: Value): Value => {
  const { weight_VD, bias_V } = decoder(g, config);
  const scores = matMul(transformed(g, config, hidden_LD), weight_VD, { transB: true });
  return bias_V === undefined ? scores : add(scores, bias_V);
};

const tokenLoss = (g: Graph, config: ModernBertConfig, hidden_LD: Value, labels_N: Value): Value => {
  const { weight_VD, bias_V } = decoder(g, config);
  return linearCrossEntropy(flat(transformed(g, config, hidden_LD)), weight_VD, labels_N, bias_V);
};

function classifier(g: Graph, config: ModernBertConfig, x_LD: Value): Value {
  const kept = dropout(g, transformed(g, config, x_LD), config.classifier_dropout ?? 0);
  const deviation = 1 / Math.sqrt(config.hidden_size);
  return g.head(() => linearLayer(g, "classifier", kept, labelCount(config), { deviation }));
}

const heads: Readonly<Record<string, Head<ModernBertConfig> | "none">> = {
  ModernBertModel: "none",
  ModernBertForSequenceClassification: sequenceHead((g, config, hidden_BTD, inputs) =>
    classifier(g, config, pool(config.classifier_pooling, hidden_BTD, givenTokens(inputs))),
  ),
  ModernBertForTokenClassification: tokenHead(classifier),
};

function measures(config: ModernBertConfig): Measures {
  const table = "model.embeddings.tok_embeddings.weight";
  return {
    layers: { field: "num_hidden_layers", value: config.num_hidden_layers, prefix: "model.layers." },
    sizes: [
      { field: "vocab_size", parameter: table, axis: 0 },
      { field: "hidden_size", parameter: table, axis: 1 },
      { field: "intermediate_size", parameter: "model.layers.0.mlp.Wo.weight", axis: 1 },
      ...labelMeasure(config, {
        ModernBertForSequenceClassification: "classifier",
        ModernBertForTokenClassification: "classifier",
      }),
    ],
  };
}

/** Bare models are saved without the prefix. */
function parameterNames(stored: Shapes): (storedName: string) => string {
  const isBare = ![...stored.keys()].some((name) => name.startsWith("model."));
  return (name) => (isBare && /^(?:embeddings|layers|final_norm)\./.test(name) ? `model.${name}` : name);
}

export const modernBert: Family<ModernBertConfig> = {
  modelType: "modernbert",
  architecture: "ModernBertForMaskedLM",
  causal: false,
  tied: ({ tie_word_embeddings: isTied }): Record<string, string> =>
    isTied ? { "decoder.weight": "model.embeddings.tok_embeddings.weight" } : {},
  untied: (config) => ({ ...config, tie_word_embeddings: false }),
  sizes: modernBertSizes,
  debug: (config) => ({ ...config, ...caricature, num_hidden_layers: 3, local_attention: 16, layer_types: null }),
  withDropout: (config, dropped) => ({
    ...config,
    attention_dropout: dropped,
    embedding_dropout: dropped,
    mlp_dropout: dropped,
    classifier_dropout: dropped,
  }),
  loraTargets: ["Wqkv"],
  heads,
  parseConfig: parseModernBertConfig,
  measures,
  hidden,
  logits,
  tokenLoss,
  attentionNumbers(config, tokens) {
    const width = config.hidden_size / config.num_attention_heads;
    return {
      rotary: turnsWithin(tokens, rotationOf(config, "full_attention"), width),
      localRotary: turnsWithin(tokens, rotationOf(config, "sliding_attention"), width),
      windows: windowsOf(config),
    };
  },
  foreign: { gguf },
  adapt: (config, stored) => ({ config, parameterOf: parameterNames(stored) }),
};
