/** Ragged lists of ids as the rectangular int64 tensors that graphs take. */
import { ConfigError } from "../errors.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

export interface Batch {
  readonly rows: number;
  readonly tokens: number;
  readonly ids: Tensor<"int64">;
  readonly mask: Tensor<"int64">;
}

/** int64 [rows, columns] from lists of equal length. */
export function int64(rows: readonly (readonly number[])[], columns: number): Tensor<"int64"> {
  const data = new BigInt64Array(rows.length * columns);
  rows.forEach((row, i) => row.forEach((value, j) => (data[i * columns + j] = BigInt(value))));
  return tensor("int64", [rows.length, columns], data);
}

/**
 * Pads on the right; without a mask every given id counts.
 * @throws ConfigError on an empty batch or row, ids outside the vocabulary, or a mask of another shape.
 */
export function makeBatch(
  ids: readonly (readonly number[])[],
  mask: readonly (readonly number[])[] | undefined,
  { vocabSize, padId }: { vocabSize: number; padId: number },
): Batch {
  const tokens = Math.max(0, ...ids.map((row) => row.length));
  if (tokens === 0) throw new ConfigError("ids: expected at least one row with one id, got none");
  ids.forEach((row, i) => {
    const bad = row.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (bad >= 0) throw new ConfigError(`ids[${i}][${bad}]: expected an id in [0, ${vocabSize}), got ${row[bad]}`);
  });
  if (mask !== undefined && (mask.length !== ids.length || mask.some((row, i) => row.length !== ids[i]!.length))) {
    throw new ConfigError("mask: expected the same shape as ids", { hint: "1 for a token, 0 for padding" });
  }
  const fill = (row: readonly number[], value: number): number[] => [
    ...row,
    ...Array<number>(tokens - row.length).fill(value),
  ];
  return {
    rows: ids.length,
    tokens,
    ids: int64(
      ids.map((row) => fill(row, padId)),
      tokens,
    ),
    mask: int64(
      (mask ?? ids.map((row) => row.map(() => 1))).map((row) => fill(row, 0)),
      tokens,
    ),
  };
}
