/** Pooling of token vectors to one vector a row, by the names and formulas of Sentence Transformers (its Pooling module). */
// B batch, T tokens, D width
import type { Value } from "../graph/graph.ts";
import {
  cast,
  cumulativeSum,
  div,
  equals,
  maximum,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  scale,
  shift,
  slice,
  sqrt,
  where,
} from "../graph/ops/index.ts";

/** In the order in which several are concatenated when they are switched on one by one. */
export const poolings = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"] as const;
export type Pooling = (typeof poolings)[number];

/** hidden_BTD and mask_BT (int64, 1: counts) → [B, D]. Rows are padded on the right. */
export function pool(mode: Pooling, hidden_BTD: Value, mask_BT: Value): Value {
  const [batch, tokens, width] = hidden_BTD.shape;
  const weights = (w_BT: Value): Value => reshape(cast(w_BT, hidden_BTD.dtype), [batch!, tokens!, 1]);
  const sum = (w_BT1: Value): Value => reduceSum(mul(hidden_BTD, w_BT1), [1], { keepDims: false });
  const total = (w_BT1: Value): Value =>
    maximum(reduceSum(w_BT1, [1], { keepDims: false }), hidden_BTD.graph.scalar(1e-9, hidden_BTD.dtype));
  switch (mode) {
    case "cls":
      return reshape(slice(hidden_BTD, 1, 0, 1), [batch!, width!]);
    case "max": {
      const { graph, dtype } = hidden_BTD;
      const kept_BTD = where(equals(weights(mask_BT), graph.scalar(0, dtype)), graph.scalar(-1e9, dtype), hidden_BTD);
      return reduceMax(kept_BTD, [1], { keepDims: false });
    }
    case "mean":
      return div(sum(weights(mask_BT)), total(weights(mask_BT)));
    case "mean_sqrt_len_tokens":
      return div(sum(weights(mask_BT)), sqrt(total(weights(mask_BT))));
    case "weightedmean": {
      const rising_BT1 = weights(mul(places(mask_BT), mask_BT));
      return div(sum(rising_BT1), total(rising_BT1));
    }
    case "lasttoken": {
      const place_BT = mul(places(mask_BT), mask_BT);
      const last_BT = equals(places(mask_BT), reduceMax(place_BT, [1]));
      return sum(weights(last_BT));
    }
  }
}

/** 1, 2, 3, ... in every row, int64. */
function places(mask_BT: Value): Value {
  return cumulativeSum(shift(scale(mask_BT, 0), 1), 1);
}
