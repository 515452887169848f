/**
 * Krippendorff's α, the agreement of any number of observers beyond chance, with values missing or not (Krippendorff,
 * "Computing Krippendorff's Alpha-Reliability", 2011): 1 − observed over expected disagreement.
 */
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";

const levels = ["nominal", "ordinal", "interval"] as const;
export type Level = (typeof levels)[number];

/**
 * @param units the values that each unit was given, one an observer; units with fewer than two tell nothing.
 * @param level nominal: values are equal or not; ordinal: only their order counts; interval: their distance does.
 * @returns at most 1; 0 where observers agree as often as by chance; NaN where no two values differ, or none can be paired.
 * @throws ConfigError for an unknown level, or a value that is not a finite number.
 */
export function krippendorffAlpha(units: readonly (readonly number[])[], level: Level): number {
  required("krippendorffAlpha: units", units, "list of lists of numbers");
  if (!levels.includes(level)) {
    throw new ConfigError(`krippendorffAlpha: level: expected one of ${levels.join(", ")}, got "${String(level)}"`);
  }
  const pairable = units.filter(({ length }) => length > 1);
  const values = [...new Set(pairable.flat())].sort((a, b) => a - b);
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new ConfigError(`krippendorffAlpha: units: expected finite numbers, got ${wrong}`);
  const place = new Map(values.map((value, i) => [value, i]));
  const size = values.length;
  const totals = new Float64Array(size);
  const coincidences = new Float64Array(size * size);
  for (const unit of pairable) {
    const counts = new Float64Array(size);
    for (const value of unit) counts[place.get(value)!]! += 1;
    const weight = 1 / (unit.length - 1);
    counts.forEach((count, c) => {
      totals[c]! += count;
      if (count === 0) return;
      counts.forEach((other, k) => (coincidences[c * size + k]! += weight * count * (c === k ? other - 1 : other)));
    });
  }
  const distance = distanceOf(level, values, totals);
  const all = totals.reduce((sum, one) => sum + one, 0);
  let [observed, expected] = [0, 0];
  for (let c = 0; c < size; c++) {
    for (let k = 0; k < c; k++) {
      const squared = distance(c, k);
      observed += coincidences[c * size + k]! * squared;
      expected += totals[c]! * totals[k]! * squared;
    }
  }
  return expected === 0 ? Number.NaN : 1 - ((all - 1) * observed) / expected;
}

/** The squared difference of two values, by their places `k < c` among all. */
function distanceOf(level: Level, values: readonly number[], totals: Float64Array): (c: number, k: number) => number {
  if (level === "nominal") return () => 1;
  if (level === "interval") return (c, k) => (values[c]! - values[k]!) ** 2;
  // Ranks: how many values lie between the two, each of them counted as half of its kind.
  return (c, k) => (totals.subarray(k, c + 1).reduce((sum, one) => sum + one, 0) - (totals[c]! + totals[k]!) / 2) ** 2;
}
