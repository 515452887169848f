/** Batches of rows of like length: little padding, and the longest first, so that memory is at its largest at once. */

type Sized = { readonly length: number };

/** Tokens of a batch, padding included, that keep what a layer makes of them in a processor's cache. */
const mostTokens = 512;
/** Matrix products of fewer rows than this are slow: a smaller batch takes shorter rows as well. */
const enoughTokens = 256;
/** Shortest row of a batch with enough tokens, in parts of the longest. */
const likeLength = 0.875;

function longestFirst(rows: readonly Sized[]): number[] {
  return Array.from(rows.keys()).sort((a, b) => rows[b]!.length - rows[a]!.length || a - b);
}

/** Places of rows, longest first, in groups of `batchSize`. */
export function byLength(rows: readonly Sized[], batchSize: number): number[][] {
  const order = longestFirst(rows);
  const batches: number[][] = [];
  for (let start = 0; start < order.length; start += batchSize) batches.push(order.slice(start, start + batchSize));
  return batches;
}

/**
 * Places of rows, longest first, in groups of at most `batchSize` that a network runs through fastest: abstracts are
 * embedded 1.4 times as fast in groups of 512 tokens as in groups of 32.
 */
export function byTokens(rows: readonly Sized[], batchSize: number): number[][] {
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const place of longestFirst(rows)) {
    const { length } = rows[place]!;
    const longest = rows[batch[0] ?? place]!.length;
    const isUnlike = batch.length * longest >= enoughTokens && length < likeLength * longest;
    const isFull = batch.length === batchSize || (batch.length + 1) * longest > mostTokens;
    if (batch.length === 0 || isFull || isUnlike) {
      batch = [];
      batches.push(batch);
    }
    batch.push(place);
  }
  return batches;
}

export function sliceRows<T>(rows: readonly T[], places: readonly number[]): T[] {
  return places.map((place) => rows[place]!);
}
