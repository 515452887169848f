/**
 * Multi-head attention over heads that are split already, so that a family may turn or normalise queries and keys
 * between their projection and here. A family calls an `Attend`: training and scoring pass `maskedAttention`, generation
 * passes `cachedAttention`, and the family's code is the same.
 */
// B batch, T query tokens, N = B·T, S key tokens, H heads, G key heads, K width of a head, D = H·K
import type { Graph, Value } from "../graph/graph.ts";
import {
  add,
  attention,
  attentionWithCache,
  band,
  cast,
  equals,
  expand,
  less,
  matMul,
  mul,
  reshape,
  shift,
  softmax,
  sub,
  transpose,
  where,
} from "../graph/ops/index.ts";
import { type Dim, product, type Shape } from "../graph/shape.ts";
import { dropout } from "./layers.ts";
import { positionsOf, sameDocument } from "./positions.ts";

/**
 * q_BHTK, and k and v of the new tokens, to y_BHTK. Fewer key heads than heads make grouped-query attention (Ainslie et
 * al. 2023, arXiv:2305.13245). `layer` counts from 0: it says which part of a cache is meant.
 */
export type Attend = (q_BHTK: Value, k_BGTK: Value, v_BGTK: Value, layer: number) => Value;

/**
 * By layer, how far its tokens look (Beltagy et al. 2020, arXiv:2004.05150), as transformers' `sliding_window` counts:
 * a decoder's token sees `window` tokens, itself the last; an encoder's sees so many on either side of itself as well.
 * null, or an absent list: as far as there are tokens.
 */
export type Windows = readonly (number | null)[];

/** What a layer needs to know of where it stands. */
export interface Place {
  readonly attend: Attend;
  /** [B, T]: what the tokens, which layers have one after another, are rows of. */
  readonly rows_BT: Shape;
  /** Counted from 0. */
  readonly index: number;
}

/** Attention to a cache, for the windows of a family's layers: see `cachedAttention`. */
export type AttendWithin = (windows: Windows | undefined) => Attend;

export interface AttentionOptions {
  /** Tokens see none that comes after them. */
  readonly causal: boolean;
  readonly windows?: Windows | undefined;
  /** Of the probabilities, in training. */
  readonly dropout: number;
}

/** What a row's tokens may look at: see `ModelInputs`. */
interface Visible {
  readonly ids_BT: Value;
  readonly mask_BT?: Value | undefined;
  readonly documents_BT?: Value | undefined;
  readonly positions_BT?: Value | undefined;
  readonly branches_BT?: Value | undefined;
}

/** x_ND, the tokens of rows [B, T] one after another → [B, heads, T, D / heads]. */
export function splitHeads(x_ND: Value, heads: number, [batch, tokens]: Shape): Value {
  const width = x_ND.shape[1] as number;
  return transpose(reshape(x_ND, [batch!, tokens!, heads, width / heads]), [0, 2, 1, 3]);
}

/** y_BHTK → [N, H·K]. */
export function joinHeads(y_BHTK: Value): Value {
  const [batch, heads, tokens, K] = y_BHTK.shape;
  return reshape(transpose(y_BHTK, [0, 2, 1, 3]), [product([batch!, tokens!]), (heads as number) * (K as number)]);
}

/** The caller's attention, such as one with a cache, or else that over all tokens, masked as the options say. */
export function attentionOf(
  g: Graph,
  inputs: Visible & { readonly attend?: AttendWithin | undefined },
  options: AttentionOptions,
): Attend {
  const { causal, windows, dropout: rate } = options;
  if (inputs.attend !== undefined) return inputs.attend(windows);
  const biasOf = byWindow(windows, (window) => attentionBias(g, inputs, { causal, window }));
  return (q_BHTK, k_BGTK, v_BGTK, layer) =>
    maskedAttention(q_BHTK, k_BGTK, v_BGTK, { bias_BHTT: biasOf(layer), sparse: !causal, rate });
}

/** A layer's own, made once for each window: outside the layers, which may be computed a second time. */
function byWindow<T>(windows: Windows | undefined, make: (window: number | null) => T): (layer: number) => T {
  const made = new Map([...new Set(windows ?? [null])].map((window) => [window, make(window)]));
  return (layer) => made.get(windows?.[layer] ?? null)!;
}

/** What a score is set to where attention is not allowed: large, but two of them still add up to a finite number. */
function forbidden(g: Graph): Value {
  return g.scalar(g.float === "float16" ? -3e4 : -1e30);
}

/**
 * 0 where a token may look, very negative where it may not: [1, 1, T, T] by order or distance, [B, 1, 1 or T, T] with a
 * mask, [B, 1, T, T] where several documents share a row.
 */
function attentionBias(
  g: Graph,
  { ids_BT, mask_BT, documents_BT, positions_BT, branches_BT }: Visible,
  { causal, window }: { readonly causal: boolean; readonly window: number | null },
): Value | undefined {
  if (branches_BT !== undefined) return branchBias(g, positions_BT!, branches_BT, window);
  const [batch, tokens] = ids_BT.shape;
  const zero = g.scalar(0);
  const terms: Value[] = [];
  const isShort = typeof tokens === "number" && window !== null && tokens <= window;
  const reach = isShort || window === null ? undefined : window;
  if (causal || reach !== undefined) {
    const bounds = causal
      ? { below: reach === undefined ? reach : reach - 1, above: 0 }
      : { below: reach, above: reach };
    terms.push(where(band(ids_BT, { shape: [1, 1, tokens!, tokens!], ...bounds }), zero, forbidden(g)));
  }
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

/** The same for rows with branches, by the tokens' positions and not their places: [B, 1, T, T]. */
function branchBias(g: Graph, positions_BT: Value, branches_BT: Value, window: number | null): Value {
  const [batch, tokens] = branches_BT.shape;
  const query = (x_BT: Value): Value => reshape(x_BT, [batch!, 1, tokens!, 1]);
  const key = (x_BT: Value): Value => reshape(x_BT, [batch!, 1, 1, tokens!]);
  const [zero, never] = [g.scalar(0), forbidden(g)];
  const later = where(less(query(positions_BT), key(positions_BT)), never, zero);
  // 0 where the key is of branch 0 or of the query's.
  const apart = mul(key(branches_BT), sub(key(branches_BT), query(branches_BT)));
  const seen = add(later, where(equals(apart, g.scalar(0, apart.dtype)), zero, never));
  if (window === null) return seen;
  const nearest = shift(query(positions_BT), 1 - window);
  return add(seen, where(less(key(positions_BT), nearest), never, zero));
}

interface Masking {
  readonly bias_BHTT: Value | undefined;
  readonly sparse: boolean;
  readonly rate: number;
}

/** softmax(q kᵀ / √K + bias) v over all tokens at once. */
function maskedAttention(q_BHTK: Value, k_BGTK: Value, v_BGTK: Value, { bias_BHTT, sparse, rate }: Masking): Value {
  const [, heads, , K] = q_BHTK.shape as [Dim, number, Dim, number];
  const times = heads / (k_BGTK.shape[1] as number);
  const [k_BHTK, v_BHTK] = [repeatHeads(k_BGTK, times), repeatHeads(v_BGTK, times)];
  const scale = 1 / Math.sqrt(K);
  return q_BHTK.graph.training && rate > 0
    ? attentionWithDropout(q_BHTK, k_BHTK, v_BHTK, bias_BHTT, { scale, rate })
    : attention(q_BHTK, k_BHTK, v_BHTK, bias_BHTT, { scale, sparse });
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

interface Cached {
  readonly ids_BT: Value;
  /** int64: each token's place in its row's cache. */
  readonly positions_BT: Value;
  /** int32: 1 for a place of the cache that holds a token. */
  readonly past_BM: Value;
}

/**
 * Attention of new tokens to those in a key-value cache and, in their order, to each other. Inputs
 * `past_key_values.i.key|value` [B, G, M, K], of whose places `past_BM` marks those that hold a token; outputs
 * `present.i.key|value` [B, G, T, K], of the new tokens alone: who keeps the cache puts them there.
 */
export function cachedAttention(g: Graph, inputs: Cached): AttendWithin {
  const [batch, places] = inputs.past_BM.shape;
  return (windows) => {
    const biasesOf = byWindow(windows, (window) => ({
      pastBias: pastBias(g, inputs, window),
      bias: attentionBias(g, inputs, { causal: true, window })!,
    }));
    return (q_BHTK, k, v, layer) => {
      const [, keyHeads, , K] = k.shape;
      const past = (part: string): Value =>
        g.input(`past_key_values.${layer}.${part}`, g.float, [batch!, keyHeads!, places!, K!]);
      const k_BGTK = g.output(`present.${layer}.key`, k);
      const v_BGTK = g.output(`present.${layer}.value`, v);
      return attentionWithCache(
        { q_BHTK, k_BGTK, v_BGTK, key_BGMK: past("key"), value_BGMK: past("value"), ...biasesOf(layer) },
        { scale: 1 / Math.sqrt(K as number) },
      );
    };
  };
}

/** 0 where a token may look into the cache: [B, 1, 1, M], or [B, 1, T, M] where it looks no farther than a window. */
function pastBias(g: Graph, { positions_BT, past_BM }: Cached, window: number | null): Value {
  const [[batch, tokens], places] = [positions_BT.shape, past_BM.shape[1]!];
  const isEmpty_B11M = equals(reshape(past_BM, [batch!, 1, 1, places]), g.scalar(0, past_BM.dtype));
  const unlessEmpty = where(isEmpty_B11M, forbidden(g), g.scalar(0));
  if (window === null) return unlessEmpty;
  const place_111M = reshape(cast(positionsOf({ ids_BT: past_BM }), "int64"), [1, 1, 1, places]);
  const before_B1T1 = reshape(shift(positions_BT, -window), [batch!, 1, tokens!, 1]);
  return add(unlessEmpty, where(less(before_B1T1, place_111M), g.scalar(0), forbidden(g)));
}
