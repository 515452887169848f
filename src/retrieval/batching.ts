/** Batches of rows of like length: little padding, and the longest first, so that memory is at its largest at once. */

/** Places of rows, longest first, in groups of `batchSize`. */
export function byLength(rows: readonly { readonly length: number }[], batchSize: number): number[][] {
  const order = Array.from(rows.keys()).sort((a, b) => rows[b]!.length - rows[a]!.length || a - b);
  const batches: number[][] = [];
  for (let start = 0; start < order.length; start += batchSize) batches.push(order.slice(start, start + batchSize));
  return batches;
}

export function sliceRows<T>(rows: readonly T[], places: readonly number[]): T[] {
  return places.map((place) => rows[place]!);
}
