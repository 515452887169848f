/**
 * BERT (Devlin et al. 2019, arXiv:1810.04805): a post-norm encoder with learned positions and token types, as
 * transformers' BertModel computes it; BERT-hash, whose token table [V, P] is factorised: rows of width P are projected
 * to the hidden width, and all else is BERT; and Megatron's BERT (Shoeybi et al. 2019, arXiv:1909.08053; GatorTron),
 * which is pre-norm. Left out: cross-attention, relative positions, next-sentence prediction.
 */
// B batch, T tokens, N = B·T, D width, F feed-forward width
import type { Graph, Value } from "../../graph/graph.ts";
import { add, linear, slice } from "../../graph/ops/index.ts";
import { activations } from "../../nn/activations.ts";
import { attentionOf, joinHeads, type Place, splitHeads } from "../../nn/attention.ts";
import { dropout, embedding, embeddingTable, flat, layerNormLayer, linearLayer, unflat } from "../../nn/layers.ts";
import { learnedPositions } from "../../nn/positions.ts";
import {
  type BertConfig,
  bertHashSizes,
  bertSizes,
  isPreNorm,
  isUntypedBert,
  megatronBertSizes,
  parseBertConfig,
} from "./config.ts";
import { gguf } from "./gguf.ts";
import { bertSequenceHead, bertTokenHead, maskedHead, pooler } from "./heads.ts";
import { inBody, projectionWeight, tokenTable } from "./layers.ts";
import { adaptBert, bodyScope, tokenTableName } from "./names.ts";
import { labelMeasure } from "../classification.ts";
import { caricature } from "../config.ts";
import type { Family, Head, Measures, ModelInputs } from "../family.ts";

/** hidden_BTD of the last layer. */
function hidden(g: Graph, config: BertConfig, inputs: ModelInputs): Value {
  const attend = attentionOf(g, inputs, { causal: false, dropout: config.attention_probs_dropout_prob });
  const rows_BT = inputs.ids_BT.shape;
  return inBody(g, config, () => {
    let x_ND = flat(g.scope("embeddings", () => embed(g, config, inputs)));
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const below_ND = x_ND;
      const at = { attend, rows_BT, index: i };
      x_ND = g.scope(`encoder.layer.${i}`, () => g.checkpoint(() => layer(g, config, below_ND, at)));
    }
    if (!isPreNorm(config)) return unflat(x_ND, rows_BT);
    return unflat(
      g.scope("encoder", () => layerNormLayer(g, "ln", x_ND, config.layer_norm_eps)),
      rows_BT,
    );
  });
}

function embed(g: Graph, config: BertConfig, { ids_BT, types_BT, positions_BT }: ModelInputs): Value {
  const { hidden_size: width, initializer_range: normal, hidden_dropout_prob: rate } = config;
  const tokens_BTD = words(g, config, ids_BT);
  const types = embeddingTable(g, "token_type_embeddings", config.type_vocab_size, width, { normal });
  const types_BTD = types_BT === undefined ? slice(types, 0, 0, 1) : embedding(types, types_BT);
  // New models start from sinusoids: neighbours are alike, so attention finds them earlier (docs/log.md, 2026-11-24).
  const start = { sinusoids: normal };
  const table = embeddingTable(g, "position_embeddings", config.max_position_embeddings, width, start);
  // Without the mask: transformers counts padding too.
  const x_BTD = add(add(tokens_BTD, types_BTD), learnedPositions(table, { ids_BT, positions_BT }));
  return dropout(g, isPreNorm(config) ? x_BTD : layerNormLayer(g, "LayerNorm", x_BTD, config.layer_norm_eps), rate);
}

function words(g: Graph, config: BertConfig, ids_BT: Value): Value {
  const rows = embedding(tokenTable(g, config), ids_BT);
  if (config.projections === undefined) return rows;
  const bias = (): Value => g.scope("projection", () => g.param("bias", [config.hidden_size], { constant: 0 }));
  return linear(rows, projectionWeight(g, config), config.projection_bias ? bias() : undefined);
}

function layer(g: Graph, config: BertConfig, x_ND: Value, { attend, rows_BT, index }: Place): Value {
  const { hidden_size: width, num_attention_heads: heads, initializer_range: deviation } = config;
  const project = (name: string, x: Value, out: number): Value => linearLayer(g, name, x, out, { deviation });
  const norm = (name: string, x: Value): Value => layerNormLayer(g, name, x, config.layer_norm_eps);
  const before = (x: Value): Value => (isPreNorm(config) ? norm("ln", x) : x);
  const joined = (y: Value, residual: Value): Value =>
    g.scope("output", () => {
      const sum = add(dropout(g, project("dense", y, width), config.hidden_dropout_prob), residual);
      return isPreNorm(config) ? sum : norm("LayerNorm", sum);
    });
  const middle_ND = g.scope("attention", () => {
    const h_ND = before(x_ND);
    const y_ND = g.scope("self", () => {
      const split = (name: string): Value => splitHeads(project(name, h_ND, width), heads, rows_BT);
      return joinHeads(attend(split("query"), split("key"), split("value"), index));
    });
    return joined(y_ND, x_ND);
  });
  const h_ND = before(middle_ND);
  const inner_NF = g.scope("intermediate", () => project("dense", h_ND, config.intermediate_size));
  return joined(activations[config.hidden_act](inner_NF), middle_ND);
}

function measures(name: string, config: BertConfig): Measures {
  const scope = bodyScope(config);
  const at = (parameter: string): string => (scope === "" ? parameter : `${scope}.${parameter}`);
  const tokens = at("embeddings.word_embeddings.weight");
  const positions = at("embeddings.position_embeddings.weight");
  const width = config.projections === undefined ? "hidden_size" : "projections";
  const classes = labelMeasure(config, {
    [`${name}ForSequenceClassification`]: "classifier",
    [`${name}ForTokenClassification`]: "classifier",
  });
  return {
    layers: { field: "num_hidden_layers", value: config.num_hidden_layers, prefix: at("encoder.layer.") },
    sizes: [
      { field: "vocab_size", parameter: tokens, axis: 0 },
      { field: width, parameter: tokens, axis: 1 },
      { field: "hidden_size", parameter: positions, axis: 1 },
      { field: "max_position_embeddings", parameter: positions, axis: 0 },
      { field: "type_vocab_size", parameter: at("embeddings.token_type_embeddings.weight"), axis: 0 },
      { field: "intermediate_size", parameter: at("encoder.layer.0.intermediate.dense.weight"), axis: 0 },
      ...classes,
    ],
  };
}

/** A family whose classes begin with `name`. */
function bertFamily(modelType: string, name: string, sizes: Readonly<Record<string, BertConfig>>): Family<BertConfig> {
  const heads: Record<string, Head<BertConfig> | "none"> = {
    [`${name}Model`]: "none",
    [`${name}ForPreTraining`]: maskedHead,
    [`${name}ForSequenceClassification`]: bertSequenceHead,
    [`${name}ForTokenClassification`]: bertTokenHead,
  };
  return {
    modelType,
    architecture: `${name}ForMaskedLM`,
    causal: false,
    typed: true,
    // A factorised table that is tied has no decoder to repeat; the two names of the bias are settled by `adapt`.
    tied: (config): Record<string, string> =>
      config.tie_word_embeddings && config.projections === undefined
        ? { "cls.predictions.decoder.weight": tokenTableName(config) }
        : {},
    untied: (config) => ({ ...config, tie_word_embeddings: false }),
    sizes,
    debug: (config) => ({ ...config, ...caricature }),
    withDropout: (config, rate) => ({
      ...config,
      hidden_dropout_prob: rate,
      attention_probs_dropout_prob: rate,
    }),
    loraTargets: ["query", "value"],
    heads,
    parseConfig: parseBertConfig,
    measures: (config) => measures(name, config),
    hidden,
    pooled: (g, config, hidden_BTD) => (config.add_pooling_layer ? pooler(g, config, hidden_BTD) : undefined),
    logits: maskedHead.logits,
    tokenLoss: maskedHead.loss,
    adapt: (config, stored) => adaptBert(config, stored, `${name}Model`),
  };
}

export const bert: Family<BertConfig> = {
  ...bertFamily("bert", "Bert", bertSizes),
  recognises: isUntypedBert,
  foreign: { gguf },
};
export const bertHash: Family<BertConfig> = bertFamily("bert_hash", "BertHash", bertHashSizes);
export const megatronBert: Family<BertConfig> = bertFamily("megatron-bert", "MegatronBert", megatronBertSizes);
