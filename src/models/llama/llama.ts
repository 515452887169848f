/**
 * LLaMA (Touvron et al. 2023, arXiv:2302.13971 and 2307.09288) and the relatives that differ from it by a setting:
 * Mistral, Qwen2 (biases of queries, keys and values), Qwen3 (norms of queries and keys). Pre-norm decoders with RMSNorm,
 * rotary positions, grouped-query attention and a gated feed-forward, exactly as transformers computes them; parameter
 * names are its state dicts'.
 */
// B batch, T tokens, N = B·T, D width, F feed-forward width, H heads, G key heads, K width of a head, V vocabulary
import type { Graph, Value } from "../../graph/graph.ts";
import { add, mul, rotate } from "../../graph/ops/index.ts";
import { activations } from "../../nn/activations.ts";
import { attentionOf, joinHeads, type Place, splitHeads } from "../../nn/attention.ts";
import { dropout, embedding, flat, linearLayer, rmsNormLayer, unflat, vocabularyTable } from "../../nn/layers.ts";
import { positionsOf } from "../../nn/positions.ts";
import { rotations, turnsByLongest, turnsWithin } from "../../nn/rotary.ts";
import { labelCount, labelMeasure, lastTokenHead, tokenHead } from "../classification.ts";
import { caricature } from "../config.ts";
import type { CacheShape, Family, Measures, Shapes } from "../family.ts";
import { languageHead } from "../language-head.ts";
import {
  headWidth,
  keyHeads,
  longest,
  type LlamaConfig,
  llamaSizes,
  mistralSizes,
  parseLlamaConfig,
  qwen2Sizes,
  qwen3Sizes,
  rotationOf,
  type Sliding,
  windowsOf,
} from "./config.ts";
import { gguf } from "./gguf.ts";
import { meta } from "./meta.ts";

/** What a relative does otherwise. */
interface Traits {
  /** Biases of queries, keys and values; "config": where attention_bias says so, the output's as well. */
  readonly biases: "config" | "inputs" | "none";
  /** RMSNorm of each head's queries and keys. */
  readonly normalised: boolean;
  readonly sliding: Sliding;
  /** llama.cpp's architecture; `read`: false where another family is read from its files. */
  readonly gguf: { readonly prefix: string; readonly read?: boolean };
}

function hiddenOf(traits: Traits): Family<LlamaConfig>["hidden"] {
  return (g, config, inputs) => {
    const windows = windowsOf(config, traits.sliding);
    const attend = attentionOf(g, inputs, { causal: true, windows, dropout: config.attention_dropout });
    const turns = rotations(g, rotationOf(config), headWidth(config), positionsOf(inputs));
    const rows_BT = inputs.ids_BT.shape;
    return g.scope("model", () => {
      let x_ND = flat(embedding(tokenTable(g, config), inputs.ids_BT));
      for (let i = 0; i < config.num_hidden_layers; i++) {
        const below_ND = x_ND;
        const at = { attend, turns, rows_BT, index: i };
        x_ND = g.scope(`layers.${i}`, () => g.checkpoint(() => layer(g, config, traits, below_ND, at)));
      }
      return unflat(rmsNormLayer(g, "norm", x_ND, config.rms_norm_eps), rows_BT);
    });
  };
}

function tokenTable(g: Graph, { vocab_size, hidden_size, initializer_range: normal }: LlamaConfig): Value {
  return vocabularyTable(g, "embed_tokens", vocab_size, hidden_size, { normal });
}

interface TurnedPlace extends Place {
  readonly turns: readonly [Value, Value];
}

function layer(g: Graph, config: LlamaConfig, traits: Traits, x_ND: Value, place: TurnedPlace): Value {
  const { hidden_size: width, intermediate_size: inner, rms_norm_eps: epsilon, initializer_range: deviation } = config;
  const h_ND = rmsNormLayer(g, "input_layernorm", x_ND, epsilon);
  const attended_ND = g.scope("self_attn", () => attentionLayer(g, config, traits, h_ND, place));
  const middle_ND = add(x_ND, attended_ND);
  const f_ND = rmsNormLayer(g, "post_attention_layernorm", middle_ND, epsilon);
  const outer_ND = g.scope("mlp", () => {
    const project = (name: string, x: Value, out: number): Value =>
      linearLayer(g, name, x, out, { deviation, bias: config.mlp_bias });
    const gate_NF = activations[config.hidden_act](project("gate_proj", f_ND, inner));
    return project("down_proj", mul(gate_NF, project("up_proj", f_ND, inner)), width);
  });
  return add(middle_ND, outer_ND);
}

function attentionLayer(
  g: Graph,
  config: LlamaConfig,
  { biases, normalised }: Traits,
  h_ND: Value,
  { attend, turns, rows_BT, index }: TurnedPlace,
): Value {
  const { num_attention_heads: heads, rms_norm_eps: epsilon, initializer_range: deviation } = config;
  const both = biases === "config" && config.attention_bias === true;
  const [K, groups] = [headWidth(config), keyHeads(config)];
  const project = (name: string, count: number): Value =>
    splitHeads(linearLayer(g, name, h_ND, count * K, { deviation, bias: both || biases === "inputs" }), count, rows_BT);
  const norm = (name: string, x: Value): Value => (normalised ? rmsNormLayer(g, name, x, epsilon) : x);
  const q_BHTK = rotate(norm("q_norm", project("q_proj", heads)), turns);
  const k_BGTK = rotate(norm("k_norm", project("k_proj", groups)), turns);
  const y_BHTK = attend(q_BHTK, k_BGTK, project("v_proj", groups), index);
  return linearLayer(g, "o_proj", joinHeads(y_BHTK), config.hidden_size, { deviation, bias: both });
}

/** The language model's matrix_VD: one of its own, or the token table. */
function headWeight(g: Graph, config: LlamaConfig): Value {
  if (config.tie_word_embeddings) return g.scope("model", () => tokenTable(g, config));
  const { vocab_size, hidden_size, initializer_range: normal } = config;
  return g.head(() => vocabularyTable(g, "lm_head", vocab_size, hidden_size, { normal }));
}

/** Bare models are saved without the prefix; old files carry the frequencies of rotary positions, which are known. */
function parameterNames(stored: Shapes): (storedName: string) => string | undefined {
  const prefixed = [...stored.keys()].some((name) => name.startsWith("model."));
  return (name) => {
    if (name.endsWith("rotary_emb.inv_freq")) return undefined;
    return prefixed || /^(?:lm_head|score)\./.test(name) ? name : `model.${name}`;
  };
}

function measures(name: string, config: LlamaConfig): Measures {
  const tokens = "model.embed_tokens.weight";
  const heads = { [`${name}ForSequenceClassification`]: "score", [`${name}ForTokenClassification`]: "score" };
  return {
    layers: { field: "num_hidden_layers", value: config.num_hidden_layers, prefix: "model.layers." },
    sizes: [
      { field: "vocab_size", parameter: tokens, axis: 0 },
      { field: "hidden_size", parameter: tokens, axis: 1 },
      { field: "intermediate_size", parameter: "model.layers.0.mlp.gate_proj.weight", axis: 0 },
      ...labelMeasure(config, heads),
    ],
  };
}

const score = (g: Graph, config: LlamaConfig, x: Value, bias: boolean): Value =>
  g.head(() => linearLayer(g, "score", x, labelCount(config), { deviation: config.initializer_range, bias }));

function family(
  modelType: string,
  name: string,
  sizes: Readonly<Record<string, LlamaConfig>>,
  traits: Traits,
): Family<LlamaConfig> {
  return {
    modelType,
    architecture: `${name}ForCausalLM`,
    causal: true,
    tied: ({ tie_word_embeddings }): Record<string, string> =>
      tie_word_embeddings ? { "lm_head.weight": "model.embed_tokens.weight" } : {},
    untied: (config) => ({ ...config, tie_word_embeddings: false }),
    sizes,
    measures: (config) => measures(name, config),
    debug: (config) => ({ ...config, ...caricature, num_key_value_heads: 1, head_dim: null, layer_types: null }),
    withDropout: (config, attention_dropout) => ({ ...config, attention_dropout }),
    loraTargets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    heads: {
      [`${name}Model`]: "none",
      [`${name}ForSequenceClassification`]: lastTokenHead((g, config, last_BD) => score(g, config, last_BD, false)),
      [`${name}ForTokenClassification`]: tokenHead((g, config, hidden) =>
        score(g, config, dropout(g, hidden, config.classifier_dropout ?? 0.1), true),
      ),
    },
    foreign: {
      gguf: gguf(modelType, traits.gguf.prefix, {
        ...traits.gguf,
        slides: (config) => windowsOf(config, traits.sliding)?.some((window) => window !== null) ?? false,
      }),
      ...(modelType === "llama" ? { meta, "llama2.c": meta } : {}),
    },
    attentionNumbers(config, tokens) {
      const rotary = turnsWithin(tokens, rotationOf(config), headWidth(config));
      const windows = windowsOf(config, traits.sliding);
      return windows?.some((window) => window !== null) === true ? { rotary, windows: [...windows] } : { rotary };
    },
    parseConfig: (json, where) => parseLlamaConfig(json, where, traits.sliding),
    adapt: (config, stored) => ({ config, parameterOf: parameterNames(stored) }),
    hidden: hiddenOf(traits),
    ...languageHead(headWeight),
    cache: (config): CacheShape => ({
      layers: config.num_hidden_layers,
      keyHeads: keyHeads(config),
      headWidth: headWidth(config),
      maxTokens: longest(config),
      acrossRows: turnsByLongest(rotationOf(config)),
    }),
  };
}

export const llama = family("llama", "Llama", llamaSizes, {
  biases: "config",
  normalised: false,
  sliding: "no layer",
  gguf: { prefix: "llama" },
});
export const mistral = family("mistral", "Mistral", mistralSizes, {
  biases: "none",
  normalised: false,
  sliding: "every layer",
  gguf: { prefix: "llama", read: false },
});
export const qwen2 = family("qwen2", "Qwen2", qwen2Sizes, {
  biases: "inputs",
  normalised: false,
  sliding: "some layers",
  gguf: { prefix: "qwen2" },
});
export const qwen3 = family("qwen3", "Qwen3", qwen3Sizes, {
  biases: "config",
  normalised: true,
  sliding: "some layers",
  gguf: { prefix: "qwen3" },
});
