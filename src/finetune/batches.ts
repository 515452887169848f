/**
 * Batches of at most so many tokens, as fairseq makes them (fairseq 0.12.2, data/language_pair_dataset.py,
 * data/data_utils_fast.pyx, data/iterators.py): examples are shuffled, stably sorted by length, cut into batches whose
 * padded size stays below the limit, and the batches shuffled. All is a pure function of (seed, epoch). Left out:
 * batch sizes rounded to multiples of eight.
 */
import { random } from "../tensor/random.ts";

export interface BatchOptions {
  /** Most tokens of a batch, padding included; a longer example is a batch by itself. */
  readonly tokens: number;
  /** Batches of one update. */
  readonly accumulate: number;
  readonly seed: number;
}

/** The updates of an epoch: each a list of batches, each a list of example numbers. */
export type EpochPlan = readonly (readonly (readonly number[])[])[];

/** Which examples go into which batch: by length, examples of equal length in an order of their own every epoch. */
function makeBatches(sizes: readonly number[], tokens: number, shuffled: readonly number[]): number[][] {
  const order = [...shuffled].sort((a, b) => sizes[a]! - sizes[b]!); // stable
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const index of order) {
    // Sorted, so the newest is the longest.
    if (batch.length > 0 && (batch.length + 1) * sizes[index]! > tokens) {
      batches.push(batch);
      batch = [];
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** The plan of epoch `epoch` (from 0); the last update may have fewer batches than `accumulate`. */
export function planEpoch(sizes: readonly number[], epoch: number, options: BatchOptions): EpochPlan {
  const draw = random(options.seed, epoch);
  const shuffled = draw.shuffle(Array.from(sizes, (_, i) => i));
  const batches = draw.shuffle(makeBatches(sizes, options.tokens, shuffled));
  const updates: number[][][] = [];
  for (let i = 0; i < batches.length; i += options.accumulate) updates.push(batches.slice(i, i + options.accumulate));
  return updates;
}

/** Updates of an epoch: the same for every epoch, since batches depend on lengths alone. */
export function updatesPerEpoch(sizes: readonly number[], { tokens, accumulate }: BatchOptions): number {
  const inOrder = Array.from(sizes, (_, i) => i);
  return Math.ceil(makeBatches(sizes, tokens, inOrder).length / accumulate);
}

/** Batches in order of length, for evaluation and generation. */
export function planInOrder(sizes: readonly number[], tokens: number): number[][] {
  return makeBatches(
    sizes,
    tokens,
    Array.from(sizes, (_, i) => i),
  );
}
