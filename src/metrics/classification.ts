/**
 * Accuracy and F1 of single- and multi-label classification, as scikit-learn computes them (zero_division=0): macro
 * averages run over the classes given, or over every class seen in gold or prediction.
 */
import { mean, microF1, scores, type Counts } from "./counts.ts";
import { checkAligned } from "./report.ts";

/** 1 where both are equal, else 0. @throws DataError where lengths differ. */
export function hits<T>(gold: readonly T[], predicted: readonly T[]): (0 | 1)[] {
  checkAligned(gold, predicted, "accuracy");
  return gold.map((label, i) => (label === predicted[i] ? 1 : 0));
}

/** Fraction of positions that are equal. @throws DataError where lengths differ. */
export function accuracy<T>(gold: readonly T[], predicted: readonly T[]): number {
  return mean(hits(gold, predicted));
}

/** Fraction of examples whose predicted label set is exactly the true one. */
export function subsetAccuracy(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): number {
  const key = (labels: readonly string[]): string => [...new Set(labels)].sort().join("\n");
  return accuracy(gold.map(key), predicted.map(key));
}

/** Counts of each class; labels outside `classes` (default: all seen) are ignored. */
export function classCounts(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  classes: readonly string[] = [...new Set([...gold.flat(), ...predicted.flat()])].sort(),
): Map<string, Counts> {
  checkAligned(gold, predicted, "F1");
  const counts = new Map(classes.map((name) => [name, { tp: 0, fp: 0, fn: 0 }]));
  for (const [i, labels] of gold.entries()) {
    const truth = new Set(labels);
    const guess = new Set(predicted[i]);
    for (const label of guess) {
      const count = counts.get(label);
      if (count !== undefined) count[truth.has(label) ? "tp" : "fp"]++;
    }
    for (const label of truth) {
      const count = counts.get(label);
      if (count !== undefined && !guess.has(label)) count.fn++;
    }
  }
  return counts;
}

/** F1 of the counts summed over classes. */
export function multiLabelMicroF1(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  classes?: readonly string[],
): number {
  return microF1(classCounts(gold, predicted, classes).values());
}

/** Unweighted mean over classes of each class's F1. */
export function multiLabelMacroF1(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  classes?: readonly string[],
): number {
  return mean([...classCounts(gold, predicted, classes).values()].map((counts) => scores(counts).f1));
}

/** Single-label macro-F1. */
export function macroF1(gold: readonly string[], predicted: readonly string[], classes?: readonly string[]): number {
  const wrap = (labels: readonly string[]): string[][] => labels.map((label) => [label]);
  return multiLabelMacroF1(wrap(gold), wrap(predicted), classes);
}

/** The commonest label; ties go to the one seen first. Undefined of nothing. */
export function majority(labels: Iterable<string>): string | undefined {
  const tally = new Map<string, number>();
  for (const label of labels) tally.set(label, (tally.get(label) ?? 0) + 1);
  let best: [string, number] | undefined;
  for (const entry of tally) if (best === undefined || entry[1] > best[1]) best = entry;
  return best?.[0];
}

/** The place of the largest score, the first of equal ones: the class that scores decide for. */
export function indexOfLargest(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** e^x in parts of their sum: the probabilities of classes that exclude one another. */
export function probabilitiesOf(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores);
  const largest = Math.max(...values);
  const powers = values.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((all, one) => all + one, 0);
  return powers.map((one) => one / sum);
}
