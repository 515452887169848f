/** Arithmetic over one row of scores: the best, and draws from the distribution. */
import type { Random } from "../tensor/random.ts";

/** log Σ exp(score); -Infinity where nothing is possible. */
export function logSumExp(scores: Float32Array): number {
  let largest = -Infinity;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > largest) largest = scores[i]!;
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const below = scores[i]! - largest;
    if (below > -40) sum += Math.exp(below); // of a sum of at least 1, the rest is beyond double precision
  }
  return largest + Math.log(sum);
}

/** Index of the largest score; the first of equals. */
export function best(scores: Float32Array): number {
  let at = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[at]!) at = i;
  return at;
}

/** Less than this share of the best score apart, or of 1, the order of two scores may be rounding's. */
const closeness = 2 ** -10;

/** Whether another score comes so close to the largest, that of `id`, that rounding may have decided. */
export function isClose(scores: Float32Array, id: number): boolean {
  const most = scores[id]!;
  if (!Number.isFinite(most)) return true;
  const least = most - closeness * Math.max(1, Math.abs(most));
  return scores.some((score, i) => score >= least && i !== id);
}

/** One index, with probability softmax(scores). */
export function draw(scores: Float32Array, random: Random): number {
  const normaliser = logSumExp(scores);
  if (!Number.isFinite(normaliser)) return best(scores); // infinite scores, which some penalties make
  let left = random.next();
  let last = 0;
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) continue;
    last = i;
    left -= Math.exp(scores[i]! - normaliser);
    if (left < 0) return i;
  }
  return last; // rounding: the probabilities fell short of one
}

export interface Candidate {
  /** Index of the row among those given. */
  readonly row: number;
  readonly id: number;
  readonly score: number;
}

/**
 * The `count` best continuations of several rows, by `offsets[row] + scores[row][id]`, best first. With `random`, that
 * many draws without replacement instead, in the order drawn (Gumbel top-k, Kool et al. 2019, arXiv:1903.06059).
 */
export function bestContinuations(
  rows: readonly Float32Array[],
  offsets: readonly number[],
  count: number,
  random?: Random,
): Candidate[] {
  const found: (Candidate & { key: number })[] = [];
  let threshold = -Infinity;
  rows.forEach((scores, row) => {
    const offset = offsets[row]!;
    for (let id = 0; id < scores.length; id++) {
      const score = offset + scores[id]!;
      if (score === -Infinity) continue;
      const key = random === undefined ? score : score - Math.log(-Math.log(1 - random.next()));
      if (key <= threshold) continue;
      let at = found.length;
      while (at > 0 && found[at - 1]!.key < key) at--;
      found.splice(at, 0, { row, id, score, key });
      if (found.length > count) found.pop();
      if (found.length === count) threshold = found.at(-1)!.key;
    }
  });
  return found;
}
