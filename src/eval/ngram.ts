/**
 * What a language model has to beat: unigram, and trigram with interpolated Kneser-Ney smoothing (Chen and Goodman
 * 1999, §2.7, one discount an order), over token ids. Counts are sorted arrays, so a hundred million tokens fit.
 */
import { ConfigError } from "../errors.ts";

export interface NgramModel {
  /** Natural logarithm of the probability of `c` after `a b`. */
  trigram(a: number, b: number, c: number): number;
  /** Natural logarithm of the add-one probability of `c`. */
  unigram(c: number): number;
}

/** Distinct keys in ascending order and how often each came. */
interface Counts {
  readonly keys: Float64Array;
  readonly counts: Uint32Array;
}

/** Sorts `keys` in place. */
function countSorted(keys: Float64Array): Counts {
  keys.sort();
  let distinct = 0;
  for (let i = 0; i < keys.length; i++) if (i === 0 || keys[i] !== keys[i - 1]) distinct++;
  const unique = new Float64Array(distinct);
  const counts = new Uint32Array(distinct);
  let at = -1;
  for (let i = 0; i < keys.length; i++) {
    if (i === 0 || keys[i] !== keys[i - 1]) unique[++at] = keys[i]!;
    counts[at]!++;
  }
  return { keys: unique, counts };
}

/** Number of keys below `key`. */
function lowerBound(keys: Float64Array, key: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Kneser-Ney's single discount, n1 / (n1 + 2 n2). */
function discountOf(counts: Uint32Array): number {
  let [once, twice] = [0, 0];
  for (const count of counts) {
    if (count === 1) once++;
    else if (count === 2) twice++;
  }
  return once === 0 ? 0.5 : once / (once + 2 * twice);
}

/** (count - discount) / total and the weight left for the lower order, for `next` after the context of `prefix`. */
function interpolate(
  level: Counts,
  discount: number,
  vocab: number,
  prefix: number,
  next: number,
  lower: () => number,
): number {
  const first = lowerBound(level.keys, prefix * vocab);
  const end = lowerBound(level.keys, (prefix + 1) * vocab);
  if (first === end) return lower();
  let total = 0;
  for (let i = first; i < end; i++) total += level.counts[i]!;
  const at = lowerBound(level.keys, prefix * vocab + next);
  const count = level.keys[at] === prefix * vocab + next ? level.counts[at]! : 0;
  return Math.max(0, count - discount) / total + ((discount * (end - first)) / total) * lower();
}

/**
 * Counts a stream of ids.
 * @throws ConfigError where the vocabulary is too large for exact keys (2^53 trigrams).
 */
export function trainNgrams(ids: ArrayLike<number>, vocab: number): NgramModel {
  if (vocab ** 3 > Number.MAX_SAFE_INTEGER)
    throw new ConfigError(`ngrams: expected a vocabulary below 208,064, got ${vocab}`);
  const length = Math.max(0, ids.length - 2);
  const keys = new Float64Array(length);
  for (let i = 0; i < length; i++) keys[i] = (ids[i]! * vocab + ids[i + 1]!) * vocab + ids[i + 2]!;
  const three = countSorted(keys);
  // Lower orders count in how many contexts a pair or a token was seen, not how often.
  const two = countSorted(three.keys.map((key) => key % (vocab * vocab)));
  const one = new Float64Array(vocab);
  for (const key of two.keys) one[key % vocab]! += 1;
  const frequency = new Float64Array(vocab).fill(1);
  for (let i = 0; i < ids.length; i++) frequency[ids[i]!]! += 1;
  const discounts = { three: discountOf(three.counts), two: discountOf(two.counts) };
  const base = (c: number): number => (one[c]! + 0.5) / (two.keys.length + 0.5 * vocab);
  return {
    unigram: (c) => Math.log(frequency[c]! / (ids.length + vocab)),
    trigram: (a, b, c) =>
      Math.log(
        interpolate(three, discounts.three, vocab, a * vocab + b, c, () =>
          interpolate(two, discounts.two, vocab, b, c, () => base(c)),
        ),
      ),
  };
}

/** Perplexities of both models on `valid`, from its third token on. */
export function ngramPerplexity(model: NgramModel, valid: ArrayLike<number>): { unigram: number; trigram: number } {
  let [one, three] = [0, 0];
  for (let i = 2; i < valid.length; i++) {
    one -= model.unigram(valid[i]!);
    three -= model.trigram(valid[i - 2]!, valid[i - 1]!, valid[i]!);
  }
  const count = valid.length - 2;
  return { unigram: Math.exp(one / count), trigram: Math.exp(three / count) };
}
