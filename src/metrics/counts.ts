/** True positives, false positives, false negatives, and what follows from them; 0 where a ratio is 0/0 (sklearn). */

export interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

export interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Counts of a predicted set against the true one; duplicates count once. */
export function countSets<T>(predicted: Iterable<T>, gold: Iterable<T>): Counts {
  const predictedSet = new Set(predicted);
  const goldSet = new Set(gold);
  let tp = 0;
  for (const item of predictedSet) if (goldSet.has(item)) tp++;
  return { tp, fp: predictedSet.size - tp, fn: goldSet.size - tp };
}

/** Sum of counts, over documents or classes. */
export function sumCounts(counts: Iterable<Counts>): Counts {
  let [tp, fp, fn] = [0, 0, 0];
  for (const one of counts) {
    tp += one.tp;
    fp += one.fp;
    fn += one.fn;
  }
  return { tp, fp, fn };
}

/** a / b, or 0 where b is 0. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

/** Harmonic mean of precision and recall. */
export function harmonic(precision: number, recall: number): number {
  return ratio(2 * precision * recall, precision + recall);
}

/** Precision, recall and F1 of counts. */
export function scores({ tp, fp, fn }: Counts): Scores {
  return { precision: ratio(tp, tp + fp), recall: ratio(tp, tp + fn), f1: ratio(2 * tp, 2 * tp + fp + fn) };
}

/** F1 of the summed counts: true micro-F1 where each item is a document's counts. */
export function microF1(counts: Iterable<Counts>): number {
  return scores(sumCounts(counts)).f1;
}

/** Mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );
}
