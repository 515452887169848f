/**
 * Two models on the same examples: is the difference more than chance, and how large would one have to be for the set to
 * show it? McNemar's exact test (McNemar 1947; mid-p: Fagerland, Lydersen and Laake 2013) for answers that are right or
 * wrong, a paired bootstrap over documents (Efron and Tibshirani 1993, ch. 13 and 15) for everything else, and Holm's
 * correction (1979) where several sets are tested at once. Differences are the second model's less the first's.
 */
import { ConfigError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { type BootstrapOptions, type Interval, quantile } from "./bootstrap.ts";
import type { Counts } from "./counts.ts";
import { checkAligned } from "./report.ts";

/** What an example adds to a figure: a number, of which the figure is the mean, or counts, of which it is the micro-F1. */
export type Score = number | Counts;

export interface McNemar {
  /** Examples that only the first model has right, and those that only the second has. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Two-sided; 1 where no example tells the models apart. */
  readonly p: number;
}

/**
 * The exact test of 0/1 scores, example by example.
 * @param midP counts half of the probability of what was seen: closer to the level where the exact test is too careful.
 * @throws DataError where lengths differ, ConfigError for other scores.
 */
export function mcnemar(
  first: readonly number[],
  second: readonly number[],
  { midP = false }: { readonly midP?: boolean } = {},
): McNemar {
  checkAligned(first, second, "mcnemar");
  const other = [...first, ...second].find((one) => one !== 0 && one !== 1);
  if (other !== undefined) throw new ConfigError(`mcnemar: expected scores of 0 and 1, got ${other}`);
  const onlyFirst = first.filter((one, i) => one > second[i]!).length;
  const onlySecond = first.filter((one, i) => one < second[i]!).length;
  const { below, at } = binomialHalf(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond);
  // Where both are equal, the middle is counted from both sides.
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * below + (midP ? at : 2 * at)) };
}

/** Probabilities of fewer than `k` and of exactly `k` heads in `n` throws of a fair coin. */
function binomialHalf(k: number, n: number): { below: number; at: number } {
  let log = -n * Math.LN2;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  const at = Math.exp(log);
  let [below, term] = [0, at];
  for (let i = k; i > 0; i--) {
    term *= i / (n - i + 1);
    below += term;
  }
  return { below, at };
}

export interface PairedBootstrap {
  readonly difference: number;
  readonly interval: Interval;
  /** Two-sided: twice the share of draws on the wrong side of 0, with one draw added, and at most 1. */
  readonly p: number;
  /** Standard deviation of the drawn differences. */
  readonly error: number;
  /** The drawn differences, in the order in which they were drawn. */
  readonly draws: Float64Array;
}

/**
 * Draws documents with replacement, the same for both models, and takes the difference of the two figures each time.
 * @param documents the document of each example; those of one are drawn together.
 * @throws DataError where lengths differ, ConfigError for no examples, or numbers beside counts.
 */
export function pairedBootstrap(
  first: readonly Score[],
  second: readonly Score[],
  documents: readonly string[],
  { seed, resamples = 10_000, level = 0.95 }: BootstrapOptions,
): PairedBootstrap {
  checkAligned(first, second, "paired bootstrap");
  checkAligned(first, documents, "paired bootstrap: documents");
  if (first.length === 0) throw new ConfigError("paired bootstrap: expected examples, got none");
  const isCounts = typeof first[0] !== "number";
  if ([...first, ...second].some((one) => (typeof one !== "number") !== isCounts)) {
    throw new ConfigError("paired bootstrap: expected scores of one kind, got numbers and counts");
  }
  const { sums, width, units } = unitSums(first, second, documents);
  const difference = isCounts ? f1Difference : meanDifference;
  const whole = new Float64Array(width);
  for (let i = 0; i < sums.length; i++) whole[i % width]! += sums[i]!;
  const draw = random(seed);
  const draws = new Float64Array(resamples);
  const total = new Float64Array(width);
  for (let round = 0; round < resamples; round++) {
    total.fill(0);
    for (let i = 0; i < units; i++) {
      const from = draw.integer(units) * width;
      for (let j = 0; j < width; j++) total[j]! += sums[from + j]!;
    }
    draws[round] = difference(total);
  }
  return { difference: difference(whole), ...spreadOf(draws, level, seed), draws };
}

/** Interval, p and standard error of drawn differences. */
export function spreadOf(
  draws: Float64Array,
  level: number,
  seed: number,
): Pick<PairedBootstrap, "interval" | "p" | "error"> {
  const sorted = Float64Array.from(draws).sort();
  const { length: resamples } = draws;
  const tail = (1 - level) / 2;
  const interval = { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), level, resamples, seed };
  let [low, high, sum] = [1, 1, 0];
  for (const one of draws) {
    if (one <= 0) low++;
    if (one >= 0) high++;
    sum += one;
  }
  const centre = sum / resamples;
  const squares = draws.reduce((all, one) => all + (one - centre) ** 2, 0);
  const error = Math.sqrt(squares / Math.max(1, resamples - 1));
  return { interval, p: Math.min(1, (2 * Math.min(low, high)) / (resamples + 1)), error };
}

/** Sums of each document, side by side: tp, 2 tp + fp + fn of either model; or their numbers and how many there are. */
function unitSums(
  first: readonly Score[],
  second: readonly Score[],
  documents: readonly string[],
): { readonly sums: Float64Array; readonly width: number; readonly units: number } {
  const places = new Map<string, number>();
  for (const one of documents) if (!places.has(one)) places.set(one, places.size);
  const width = typeof first[0] === "number" ? 3 : 4;
  const sums = new Float64Array(places.size * width);
  for (const [i, document] of documents.entries()) {
    const at = places.get(document)! * width;
    const parts = [...partsOf(first[i]!), ...partsOf(second[i]!), ...(width === 3 ? [1] : [])];
    for (const [j, part] of parts.entries()) sums[at + j]! += part;
  }
  return { sums, width, units: places.size };
}

const partsOf = (score: Score): number[] =>
  typeof score === "number" ? [score] : [score.tp, 2 * score.tp + score.fp + score.fn];

const meanDifference = ([first, second, count]: Float64Array): number => (second! - first!) / count!;
const f1Difference = ([right, all, otherRight, otherAll]: Float64Array): number =>
  f1Of(otherRight!, otherAll!) - f1Of(right!, all!);
const f1Of = (right: number, all: number): number => (all === 0 ? 0 : (2 * right) / all);

/** Quantiles of the normal distribution: 0.975, for a two-sided level of 5 %, and 0.8, for a power of 80 %. */
const forLevel = 1.959963984540054;
const forPower = 0.8416212335729143;

/**
 * The smallest true difference of two accuracies that McNemar's test shows with a power of 80 % at a level of 5 %, where
 * `discordant` of `examples` tell the models apart: d √n = z₁ √ψ + z₂ √(ψ - d²), ψ the share of these (Connor 1987). A
 * difference needs as many discordant examples as it is large, so ψ is at least d.
 */
export function smallestOfDiscordant(discordant: number, examples: number): number {
  const [n, a, b] = [examples, forLevel ** 2, forPower ** 2];
  if (n <= a) return 1;
  const share = discordant / n;
  const any = (Math.sqrt(share) * (forLevel * Math.sqrt(n) + forPower * Math.sqrt(n + b - a))) / (n + b);
  // With ψ = d: the same equation in √(1 - d).
  const rest = (Math.sqrt(n * n + n * (b - a)) - forLevel * forPower) / (n + b);
  return Math.min(1, Math.max(any, 1 - Math.max(0, rest) ** 2));
}

/** The same of a difference that is about normal, with this standard error. */
export const smallestOfError = (error: number): number => (forLevel + forPower) * error;

/** Holm's adjusted p-values of tests that are made at once, in the same order. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const adjusted = values.slice();
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, (values.length - rank) * values[i]!));
    adjusted[i] = least;
  }
  return adjusted;
}
