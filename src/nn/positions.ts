/**
 * Positions of tokens, and the rows of a table that is learned for them. They are counted in one place, so that a
 * family with such a table and one that turns its queries and keys by an angle treat padding, packed rows and the cache
 * alike.
 */
// B batch, T tokens, P rows of the table, D width
import type { Value } from "../graph/graph.ts";
import {
  cast,
  cumulativeSum,
  equals,
  lowerTriangle,
  mul,
  reduceSum,
  reshape,
  scale,
  shift,
  slice,
} from "../graph/ops/index.ts";
import { embedding } from "./layers.ts";

/** What positions are counted from; all int64. */
interface Counted {
  readonly ids_BT: Value;
  /** 1 for a token, 0 for padding, which is not counted. */
  readonly mask_BT?: Value | undefined;
  /** Known already: nothing is counted. */
  readonly positions_BT?: Value | undefined;
}

/** 0, 1, 2, … of every row's tokens, -1 for padding: int64 [B, T], or [1, T] where all rows have the same. */
export function positionsOf({ ids_BT, mask_BT, positions_BT }: Counted): Value {
  if (positions_BT !== undefined) return positions_BT;
  if (mask_BT !== undefined) return shift(mul(cumulativeSum(mask_BT, 1), mask_BT), -1);
  const ones_1T = shift(scale(slice(ids_BT, 0, 0, 1), 0), 1);
  return shift(cumulativeSum(ones_1T, 1), -1);
}

/** Whether two tokens of a row share a document: bool [B, T, T]. */
export function sameDocument(documents_BT: Value): Value {
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

/**
 * The rows of a learned table in which position 0 has row `offset`: [B, T, D], or [1, T, D] or [T, D] where all rows of
 * the batch have the same positions. A number of tokens that is known costs no lookup.
 */
export function learnedPositions(table_PD: Value, counted: Counted, offset = 0): Value {
  const tokens = counted.ids_BT.shape[1]!;
  const inOrder = counted.mask_BT === undefined && counted.positions_BT === undefined;
  if (inOrder && typeof tokens === "number") return slice(table_PD, 0, offset, offset + tokens);
  const positions_BT = positionsOf(counted);
  return embedding(table_PD, offset === 0 ? positions_BT : shift(positions_BT, offset));
}
