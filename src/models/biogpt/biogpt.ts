/**
 * BioGPT (Luo et al. 2022, arXiv:2210.10341): a pre-norm decoder with learned positions and a head that is tied unless
 * config.json says otherwise, exactly as transformers' BioGptForCausalLM computes it, with its heads for classification.
 * Parameter names are its state dict's.
 * Left out: layer drop.
 */
// B batch, T tokens, N = B·T, D width, F feed-forward width, V vocabulary
import type { Graph, Value } from "../../graph/graph.ts";
import { add, linear, scale } from "../../graph/ops/index.ts";
import { activations } from "../../nn/activations.ts";
import { attentionOf, joinHeads, type Place, splitHeads } from "../../nn/attention.ts";
import {
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
import { type BioGptConfig, bioGptSizes, parseBioGptConfig } from "./config.ts";
import { fairseq } from "./fairseq.ts";

/** LayerNorm's epsilon: torch's default, whatever config.json says (reference: modeling_biogpt.py). */
const epsilon = 1e-5;

/** Position 0 has row 2: fairseq counts on from its padding index, 1, which is the row of padding. */
const positionOffset = 2;

/** hidden_BTD after the final LayerNorm. ids_BT int64. */
function hidden(g: Graph, config: BioGptConfig, inputs: ModelInputs): Value {
  const attend = attentionOf(g, inputs, { causal: true, dropout: config.attention_probs_dropout_prob });
  const rows_BT = inputs.ids_BT.shape;
  return g.scope("biogpt", () => {
    let x_ND = flat(dropout(g, embed(g, config, inputs), config.hidden_dropout_prob));
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const below_ND = x_ND;
      const at = { attend, rows_BT, index: i };
      x_ND = g.scope(`layers.${i}`, () => g.checkpoint(() => layer(g, config, below_ND, at)));
    }
    return unflat(layerNormLayer(g, "layer_norm", x_ND, epsilon), rows_BT);
  });
}

function tokenTable(g: Graph, { vocab_size, hidden_size, initializer_range }: BioGptConfig): Value {
  return vocabularyTable(g, "embed_tokens", vocab_size, hidden_size, { normal: initializer_range });
}

function embed(g: Graph, config: BioGptConfig, inputs: ModelInputs): Value {
  const { hidden_size, max_position_embeddings, initializer_range } = config;
  const rows = max_position_embeddings + positionOffset;
  const table = embeddingTable(g, "embed_positions", rows, hidden_size, { normal: initializer_range });
  const tokens_BTD = embedding(tokenTable(g, config), inputs.ids_BT);
  const scaled_BTD = config.scale_embedding ? scale(tokens_BTD, Math.sqrt(hidden_size)) : tokens_BTD;
  return add(scaled_BTD, learnedPositions(table, inputs, positionOffset));
}

function layer(g: Graph, config: BioGptConfig, x_ND: Value, { attend, rows_BT, index }: Place): Value {
  const { hidden_size: width, intermediate_size, num_attention_heads: heads, initializer_range: deviation } = config;
  const project = (name: string, x: Value, out: number): Value => linearLayer(g, name, x, out, { deviation });
  const h_ND = layerNormLayer(g, "self_attn_layer_norm", x_ND, epsilon);
  const attended_ND = g.scope("self_attn", () => {
    const split = (name: string): Value => splitHeads(project(name, h_ND, width), heads, rows_BT);
    const y_BHTK = attend(split("q_proj"), split("k_proj"), split("v_proj"), index);
    return project("out_proj", joinHeads(y_BHTK), width);
  });
  const middle_ND = add(x_ND, dropout(g, attended_ND, config.hidden_dropout_prob));
  const f_ND = layerNormLayer(g, "final_layer_norm", middle_ND, epsilon);
  const inner_NF = activations[config.hidden_act](project("fc1", f_ND, intermediate_size));
  const outer_ND = project("fc2", dropout(g, inner_NF, config.activation_dropout), width);
  return add(middle_ND, dropout(g, outer_ND, config.hidden_dropout_prob));
}

/** The language model's matrix_VD: the token table, or one of its own. */
function headWeight(g: Graph, config: BioGptConfig): Value {
  if (config.tie_word_embeddings !== false) return g.scope("biogpt", () => tokenTable(g, config));
  const { vocab_size, hidden_size, initializer_range: normal } = config;
  return g.head(() => vocabularyTable(g, headName, vocab_size, hidden_size, { normal }));
}

const rowLogits = (g: Graph, config: BioGptConfig, last_BD: Value): Value => {
  const weight = [labelCount(config), config.hidden_size] as const;
  return linear(
    last_BD,
    g.head(() => g.param("score.weight", weight, { normal: config.initializer_range })),
  );
};

const tokenLogits = (g: Graph, config: BioGptConfig, hidden: Value): Value => {
  const kept = dropout(g, hidden, config.classifier_dropout ?? config.hidden_dropout_prob);
  return g.head(() => linearLayer(g, "classifier", kept, labelCount(config), { deviation: config.initializer_range }));
};

const headName = "output_projection";

function measures(config: BioGptConfig): Measures {
  const tokens = "biogpt.embed_tokens.weight";
  const rows = labelMeasure(config, {
    BioGptForSequenceClassification: "score",
    BioGptForTokenClassification: "classifier",
  });
  return {
    layers: { field: "num_hidden_layers", value: config.num_hidden_layers, prefix: "biogpt.layers." },
    sizes: [
      { field: "vocab_size", parameter: tokens, axis: 0 },
      { field: "hidden_size", parameter: tokens, axis: 1 },
      {
        field: "max_position_embeddings",
        parameter: "biogpt.embed_positions.weight",
        axis: 0,
        uncounted: positionOffset,
      },
      { field: "intermediate_size", parameter: "biogpt.layers.0.fc1.weight", axis: 0 },
      ...rows,
    ],
  };
}

/** The bare BioGptModel is saved without the prefix that every other class has. */
function parameterNames(stored: Shapes): (storedName: string) => string {
  const prefixed = [...stored.keys()].some((name) => name.startsWith("biogpt."));
  return (name) => (prefixed ? name : `biogpt.${name}`);
}

export const bioGpt: Family<BioGptConfig> = {
  modelType: "biogpt",
  architecture: "BioGptForCausalLM",
  causal: true,
  foreign: { fairseq },
  tied: ({ tie_word_embeddings }): Record<string, string> =>
    tie_word_embeddings !== false ? { [`${headName}.weight`]: "biogpt.embed_tokens.weight" } : {},
  untied: (config) => ({ ...config, tie_word_embeddings: false }),
  sizes: bioGptSizes,
  debug: (config) => ({ ...config, ...caricature }),
  withDropout: (config, rate) => ({
    ...config,
    hidden_dropout_prob: rate,
    attention_probs_dropout_prob: rate,
  }),
  loraTargets: ["q_proj", "v_proj", "fc1", "fc2"],
  heads: {
    BioGptModel: "none",
    BioGptForSequenceClassification: lastTokenHead(rowLogits),
    BioGptForTokenClassification: tokenHead(tokenLogits),
  },
  parseConfig: parseBioGptConfig,
  measures,
  adapt: (config, stored) => ({ config, parameterOf: parameterNames(stored) }),
  hidden,
  ...languageHead(headWeight),
  cache: (config): CacheShape => ({
    layers: config.num_hidden_layers,
    keyHeads: config.num_attention_heads,
    headWidth: config.hidden_size / config.num_attention_heads,
    maxTokens: config.max_position_embeddings,
  }),
};
