/**
 * Percentile bootstrap (Efron & Tibshirani 1993, ch. 13): whole documents are drawn with replacement, the statistic is
 * computed again on each draw, and the interval runs between two percentiles of what came out.
 */
import { random } from "../tensor/random.ts";

export interface BootstrapOptions {
  readonly seed: number;
  /** Default 1000. */
  readonly resamples?: number;
  /** Coverage, default 0.95. */
  readonly level?: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
}

/** Percentile `q` in [0, 1] of sorted numbers, linear between neighbours (numpy's default). */
export function quantile(sorted: readonly number[] | Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

/** Interval of `statistic` over resampled `units` (documents); the same seed gives the same interval. */
export function bootstrap<T>(
  units: readonly T[],
  statistic: (sample: readonly T[]) => number,
  options: BootstrapOptions,
): Interval {
  const { seed, resamples = 1000, level = 0.95 } = options;
  const draw = random(seed);
  const values = new Float64Array(resamples);
  const sample = units.slice();
  for (let round = 0; round < resamples; round++) {
    for (let i = 0; i < units.length; i++) sample[i] = units[draw.integer(units.length)] as T;
    values[round] = statistic(sample);
  }
  values.sort();
  const tail = (1 - level) / 2;
  return { low: quantile(values, tail), high: quantile(values, 1 - tail), level, resamples, seed };
}
