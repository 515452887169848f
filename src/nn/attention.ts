/**
 * Multi-head attention over heads that are split already, so that a family may turn or normalise queries and keys
 * between their projection and here. A family calls an `Attend`: training and scoring pass `maskedAttention`, generation
 * passes `cachedAttention`, and the family's code is the same.
 */
// B batch, T query tokens, S key tokens, H heads, G key heads, K width of a head, D = H·K
import type { Graph, Value } from "../graph/graph.ts";
import {
  add,
  attention,
  attentionWithCache,
  equals,
  expand,
  lowerTriangle,
  matMul,
  reshape,
  softmax,
  transpose,
  where,
} from "../graph/ops/index.ts";
import type { Dim } from "../graph/shape.ts";
import { dropout } from "./layers.ts";

/**
 * q_BHTK, and k and v of the new tokens, to y_BHTK. Fewer key heads than heads make grouped-query attention (Ainslie et
 * al. 2023, arXiv:2305.13245). `layer` counts from 0: it says which part of a cache is meant.
 */
export type Attend = (q_BHTK: Value, k_BGTK: Value, v_BGTK: Value, layer: number) => Value;

/** What a row's tokens may look at: see `ModelInputs`. */
interface Visible {
  readonly ids_BT: Value;
  readonly mask_BT?: Value | undefined;
  readonly documents_BT?: Value | undefined;
}

/** x_BTD → [B, heads, T, D / heads]. */
export function splitHeads(x_BTD: Value, heads: number): Value {
  const [batch, tokens, width] = x_BTD.shape;
  return transpose(reshape(x_BTD, [batch!, tokens!, heads, (width as number) / heads]), [0, 2, 1, 3]);
}

/** y_BHTK → [B, T, H·K]. */
export function joinHeads(y_BHTK: Value): Value {
  const [batch, heads, tokens, K] = y_BHTK.shape;
  return reshape(transpose(y_BHTK, [0, 2, 1, 3]), [batch!, tokens!, (heads as number) * (K as number)]);
}

/** The caller's attention, such as one with a cache, or else that over all tokens, masked as `causal` says. */
export function attentionOf(
  g: Graph,
  inputs: Visible & { readonly attend?: Attend | undefined },
  { causal, dropout: rate }: { readonly causal: boolean; readonly dropout: number },
): Attend {
  return inputs.attend ?? maskedAttention(attentionBias(g, inputs, causal), rate);
}

/** What a score is set to where attention is not allowed: large, but two of them still add up to a finite number. */
function forbidden(g: Graph): Value {
  return g.scalar(g.float === "float16" ? -3e4 : -1e30);
}

/**
 * 0 where a token may look, very negative where it may not: [1, 1, T, T] by order, [B, 1, 1 or T, T] with a mask,
 * [B, 1, T, T] where several documents share a row.
 */
function attentionBias(g: Graph, { ids_BT, mask_BT, documents_BT }: Visible, causal: boolean): Value | undefined {
  const [batch, tokens] = ids_BT.shape;
  const zero = g.scalar(0);
  const terms: Value[] = [];
  if (causal) terms.push(where(lowerTriangle(ids_BT, [1, 1, tokens!, tokens!]), zero, forbidden(g)));
  if (mask_BT !== undefined) {
    const mask_B11T = reshape(mask_BT, [batch!, 1, 1, tokens!]);
    terms.push(where(equals(mask_B11T, g.scalar(0, mask_BT.dtype)), forbidden(g), zero));
  }
  if (documents_BT !== undefined) {
    terms.push(reshape(where(sameDocument(documents_BT), zero, forbidden(g)), [batch!, 1, tokens!, tokens!]));
  }
  const [first, ...rest] = terms;
  return first === undefined ? undefined : rest.reduce((sum, term) => add(sum, term), first);
}

/** Whether two tokens of a row share a document: bool [B, T, T]. */
export function sameDocument(documents_BT: Value): Value {
  const [batch, tokens] = documents_BT.shape;
  return equals(reshape(documents_BT, [batch!, tokens!, 1]), reshape(documents_BT, [batch!, 1, tokens!]));
}

/** softmax(q kᵀ / √K + bias) v over all tokens at once. */
function maskedAttention(bias_BHTT: Value | undefined, dropoutRate: number): Attend {
  return (q_BHTK, k_BGTK, v_BGTK) => {
    const [, heads, , K] = q_BHTK.shape as [Dim, number, Dim, number];
    const times = heads / (k_BGTK.shape[1] as number);
    const [k_BHTK, v_BHTK] = [repeatHeads(k_BGTK, times), repeatHeads(v_BGTK, times)];
    const options = { scale: 1 / Math.sqrt(K) };
    return q_BHTK.graph.training && dropoutRate > 0
      ? attentionWithDropout(q_BHTK, k_BHTK, v_BHTK, bias_BHTT, { ...options, rate: dropoutRate })
      : attention(q_BHTK, k_BHTK, v_BHTK, bias_BHTT, options);
  };
}

/** The same from single steps, with dropout on the probabilities. */
function attentionWithDropout(
  q_BHTK: Value,
  k_BHTK: Value,
  v_BHTK: Value,
  bias_BHTT: Value | undefined,
  options: { scale: number; rate: number },
): Value {
  const scores_BHTT = matMul(q_BHTK, k_BHTK, { transB: true, alpha: options.scale });
  const p_BHTT = softmax(bias_BHTT === undefined ? scores_BHTT : add(scores_BHTT, bias_BHTT));
  return matMul(dropout(q_BHTK.graph, p_BHTT, options.rate), v_BHTK);
}

/** Each of G key heads serves `times` query heads: [B, G, S, K] → [B, G·times, S, K]. */
function repeatHeads(x_BGSK: Value, times: number): Value {
  if (times === 1) return x_BGSK;
  const [batch, groups, tokens, K] = x_BGSK.shape;
  const repeated = expand(reshape(x_BGSK, [batch!, groups!, 1, tokens!, K!]), [batch!, groups!, times, tokens!, K!]);
  return reshape(repeated, [batch!, (groups as number) * times, tokens!, K!]);
}

/**
 * Attention of new tokens to those in a key-value cache and, in their order, to each other. Inputs
 * `past_key_values.i.key|value` [B, G, M, K], of whose places `past_BM` (int32) marks those that hold a token; outputs
 * `present.i.key|value` [B, G, T, K], of the new tokens alone: who keeps the cache puts them there.
 */
export function cachedAttention(g: Graph, { ids_BT, past_BM }: { ids_BT: Value; past_BM: Value }): Attend {
  const [batch, places] = past_BM.shape;
  const isEmpty_B11M = equals(reshape(past_BM, [batch!, 1, 1, places!]), g.scalar(0, past_BM.dtype));
  const pastBias = where(isEmpty_B11M, forbidden(g), g.scalar(0));
  const bias = attentionBias(g, { ids_BT }, true)!;
  return (q_BHTK, k, v, layer) => {
    const [, keyHeads, , K] = k.shape;
    const past = (part: string): Value =>
      g.input(`past_key_values.${layer}.${part}`, g.float, [batch!, keyHeads!, places!, K!]);
    const k_BGTK = g.output(`present.${layer}.key`, k);
    const v_BGTK = g.output(`present.${layer}.value`, v);
    return attentionWithCache(
      { q_BHTK, k_BGTK, v_BGTK, key_BGMK: past("key"), value_BGMK: past("value"), pastBias, bias },
      { scale: 1 / Math.sqrt(K as number) },
    );
  };
}
