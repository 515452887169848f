/**
 * One model on two parts of a set, such as examples that its training texts hold and those that they do not: the second
 * part's figure less the first's, with a bootstrap interval (Efron and Tibshirani 1993, §8.3, two samples). Documents are
 * drawn with replacement within three layers, those with examples of the first part, of the second and of both, so that
 * no draw lacks a part.
 */
import { ConfigError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { type BootstrapOptions, type Interval, quantile } from "./bootstrap.ts";
import type { Score } from "./paired.ts";
import { checkAligned } from "./report.ts";

export interface PartsDifference {
  readonly difference: number;
  /** Absent where a part has fewer than two documents: a single one tells nothing of others. */
  readonly interval?: Interval;
}

/** Of the first part and of the second: what makes the figure, above and below the line. */
type Sums = [right: number, all: number, otherRight: number, otherAll: number];

/**
 * @param isSecond of each example whether it is of the second part. @param documents of each; those of one are drawn together.
 * @throws DataError where lengths differ, ConfigError where a part is empty or scores are of two kinds.
 */
export function partsDifference(
  scores: readonly Score[],
  isSecond: readonly boolean[],
  documents: readonly string[],
  { seed, resamples = 1000, level = 0.95 }: BootstrapOptions,
): PartsDifference {
  checkAligned(scores, isSecond, "parts");
  checkAligned(scores, documents, "parts: documents");
  if (!isSecond.includes(true) || !isSecond.includes(false)) {
    throw new ConfigError("parts: expected examples of both parts, got those of one");
  }
  if (scores.some((one) => typeof one !== typeof scores[0])) {
    throw new ConfigError("parts: expected scores of one kind, got numbers and counts");
  }
  const layers = layersOf(scores, isSecond, documents);
  const difference = differenceOf(sumOf(layers.flat()));
  const [first, second, both] = layers.map(({ length }) => length) as [number, number, number];
  if (first + both < 2 || second + both < 2) return { difference };
  const draw = random(seed);
  const values = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    const total: Sums = [0, 0, 0, 0];
    for (const layer of layers) {
      for (let i = 0; i < layer.length; i++) {
        const one = layer[draw.integer(layer.length)]!;
        for (let j = 0; j < total.length; j++) total[j]! += one[j]!;
      }
    }
    values[round] = differenceOf(total);
  }
  values.sort();
  const tail = (1 - level) / 2;
  const interval = { low: quantile(values, tail), high: quantile(values, 1 - tail), level, resamples, seed };
  return { difference, interval };
}

/** Sums of the documents with examples of the first part, of the second, of both. */
function layersOf(
  scores: readonly Score[],
  isSecond: readonly boolean[],
  documents: readonly string[],
): readonly [Sums[], Sums[], Sums[]] {
  const found = new Map<string, { readonly sums: Sums; parts: number }>();
  for (const [i, score] of scores.entries()) {
    const one = found.get(documents[i]!) ?? { sums: [0, 0, 0, 0], parts: 0 };
    found.set(documents[i]!, one);
    const [right, all] = typeof score === "number" ? [score, 1] : [2 * score.tp, 2 * score.tp + score.fp + score.fn];
    const at = isSecond[i]! ? 2 : 0;
    one.sums[at] += right;
    one.sums[at + 1]! += all;
    one.parts |= isSecond[i]! ? 2 : 1;
  }
  const layer = (parts: number): Sums[] =>
    [...found.values()].flatMap((one) => (one.parts === parts ? [one.sums] : []));
  return [layer(1), layer(2), layer(3)];
}

function sumOf(documents: readonly Sums[]): Sums {
  const total: Sums = [0, 0, 0, 0];
  for (const one of documents) for (let j = 0; j < total.length; j++) total[j]! += one[j]!;
  return total;
}

const differenceOf = ([right, all, otherRight, otherAll]: Sums): number =>
  (otherAll === 0 ? 0 : otherRight / otherAll) - (all === 0 ? 0 : right / all);
