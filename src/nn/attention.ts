/**
 * Multi-head attention between projections: how heads are split, masked and joined. A model calls an `Attend`; training
 * and scoring pass `maskedAttention`, generation passes `cachedAttention`, and the model's code is the same.
 */
// B batch, T query tokens, S key tokens, H heads, G key heads, K width of a head, D = H·K
import type { Graph, Value } from "../graph/graph.ts";
import {
  add,
  attention,
  attentionWithCache,
  cast,
  equals,
  expand,
  lowerTriangle,
  matMul,
  mul,
  reduceSum,
  reshape,
  shift,
  softmax,
  transpose,
  where,
} from "../graph/ops/index.ts";
import { dropout } from "./layers.ts";

/** q_BTD, and k and v of the new tokens, to y_BTD. `layer` counts from 0. */
export type Attend = (q_BTD: Value, k_BTD: Value, v_BTD: Value, heads: Heads, layer: number) => Value;

export interface Heads {
  readonly heads: number;
  /** Fewer than `heads` for grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245). */
  readonly keyHeads?: number;
}

/** What a score is set to where attention is not allowed: large, but two of them still add up to a finite number. */
function forbidden(g: Graph): Value {
  return g.scalar(g.float === "float16" ? -3e4 : -1e30);
}

/**
 * 0 where a token may look, very negative where it may not: [1, 1, T, T] by order, [B, 1, 1 or T, T] with a mask,
 * [B, 1, T, T] where several documents share a row.
 */
export function attentionBias(
  g: Graph,
  {
    ids_BT,
    mask_BT,
    documents_BT,
    causal,
  }: { ids_BT: Value; mask_BT?: Value | undefined; documents_BT?: Value | undefined; causal: boolean },
): Value | undefined {
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
function sameDocument(documents_BT: Value): Value {
  const [batch, tokens] = documents_BT.shape;
  return equals(reshape(documents_BT, [batch!, tokens!, 1]), reshape(documents_BT, [batch!, 1, tokens!]));
}

/** Positions that begin with 0 in each document of a row, whose tokens stand together: int64 [B, T]. */
export function positionsInDocument(documents_BT: Value): Value {
  const tokens = documents_BT.shape[1]!;
  const upToHere_1TT = cast(lowerTriangle(documents_BT, [1, tokens, tokens]), "float32");
  const own_BTT = mul(cast(sameDocument(documents_BT), "float32"), upToHere_1TT);
  return cast(shift(reduceSum(own_BTT, [2], { keepDims: false }), -1), "int64");
}

/** softmax(q kᵀ / √K + bias) v over all tokens at once. */
export function maskedAttention(bias_BHTT: Value | undefined, dropoutRate = 0): Attend {
  return (q_BTD, k_BTD, v_BTD, { heads, keyHeads = heads }) => {
    const [batch, tokens, width] = q_BTD.shape;
    const K = (width as number) / heads;
    const split = (x: Value, count: number): Value =>
      transpose(reshape(x, [x.shape[0]!, x.shape[1]!, count, K]), [0, 2, 1, 3]);
    const k_BHTK = repeatHeads(split(k_BTD, keyHeads), heads / keyHeads);
    const v_BHTK = repeatHeads(split(v_BTD, keyHeads), heads / keyHeads);
    const options = { scale: 1 / Math.sqrt(K) };
    const q_BHTK = split(q_BTD, heads);
    const y_BHTK =
      q_BTD.graph.training && dropoutRate > 0
        ? attentionWithDropout(q_BHTK, k_BHTK, v_BHTK, bias_BHTT, { ...options, rate: dropoutRate })
        : attention(q_BHTK, k_BHTK, v_BHTK, bias_BHTT, options);
    return reshape(transpose(y_BHTK, [0, 2, 1, 3]), [batch!, tokens!, width!]);
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
  const bias = attentionBias(g, { ids_BT, causal: true })!;
  return (q_BTD, k_BTD, v_BTD, { heads, keyHeads = heads }, layer) => {
    const [, tokens, width] = q_BTD.shape;
    const K = (width as number) / heads;
    const split = (x: Value, count: number): Value => transpose(reshape(x, [batch!, tokens!, count, K]), [0, 2, 1, 3]);
    const past = (part: string): Value =>
      g.input(`past_key_values.${layer}.${part}`, g.float, [batch!, keyHeads, places!, K]);
    const k_BGTK = g.output(`present.${layer}.key`, split(k_BTD, keyHeads));
    const v_BGTK = g.output(`present.${layer}.value`, split(v_BTD, keyHeads));
    const y_BHTK = attentionWithCache(
      { q_BHTK: split(q_BTD, heads), k_BGTK, v_BGTK, key_BGMK: past("key"), value_BGMK: past("value"), pastBias, bias },
      { scale: 1 / Math.sqrt(K) },
    );
    return reshape(transpose(y_BHTK, [0, 2, 1, 3]), [batch!, tokens!, width!]);
  };
}
