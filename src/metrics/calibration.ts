/**
 * Whether a model's probabilities mean what they say: expected calibration error over ten bins of equal width (Naeini et
 * al. 2015; Guo et al. 2017), as torchmetrics and netcal compute it, and the Brier score (1950) of all choices. A
 * probability on a bin's edge belongs to the bin above it, 1 to the last.
 */
import { DataError } from "../errors.ts";
import { indexOfLargest } from "./classification.ts";
import { mean } from "./counts.ts";
import { checkAligned, detail, type EvaluateOptions, type Figure, figure } from "./report.ts";

export interface CalibrationOptions extends EvaluateOptions {
  /** Default 10. */
  readonly bins?: number;
}

type Rows = readonly (readonly number[])[];

/** How far a row may be from a sum of 1. */
const tolerance = 1e-4;

function checkRows(probabilities: Rows, gold: readonly number[]): void {
  checkAligned(gold, probabilities, "calibration");
  for (const [i, row] of probabilities.entries()) {
    const isShare = row.every((one) => one >= 0 && one <= 1 + tolerance);
    const sum = row.reduce((all, one) => all + one, 0);
    if (!isShare || !(Math.abs(sum - 1) <= tolerance)) {
      throw new DataError(`calibration: row ${i}: expected probabilities that add up to 1, got ${row.join(", ")}`);
    }
    if (row[gold[i]!] === undefined) {
      throw new DataError(`calibration: row ${i}: expected a right choice below ${row.length}, got ${gold[i]}`);
    }
  }
}

/** Mean distance of confidence and accuracy, bin by bin, each bin by how many rows it has. 0 of no rows. */
export function calibrationError(probabilities: Rows, gold: readonly number[], bins: number = 10): number {
  checkRows(probabilities, gold);
  // Of each bin the confidence less the accuracy, summed: their means differ by this over the bin's rows.
  const gaps = new Float64Array(bins);
  for (const [i, row] of probabilities.entries()) {
    const choice = indexOfLargest(row);
    const bin = Math.min(bins - 1, Math.floor(row[choice]! * bins));
    gaps[bin]! += row[choice]! - (choice === gold[i] ? 1 : 0);
  }
  return probabilities.length === 0 ? 0 : gaps.reduce((all, one) => all + Math.abs(one), 0) / probabilities.length;
}

/** Squared distance of a row and the one that is 1 at the right choice: 0 at best, 2 at worst. */
const squaredDistance = (row: readonly number[], right: number): number =>
  row.reduce((sum, one, i) => sum + (one - (i === right ? 1 : 0)) ** 2, 0);

/** Mean over rows of the squared distance to what is right, summed over choices: between 0 and 2. */
export function brierScore(probabilities: Rows, gold: readonly number[]): number {
  checkRows(probabilities, gold);
  return mean(probabilities.map((row, i) => squaredDistance(row, gold[i]!)));
}

/**
 * Calibration error, Brier score and mean confidence as details of a report. The calibration error has no interval:
 * resampling makes it larger, whatever the model.
 * @param probabilities of each example's choices.
 * @param gold the place of the right one.
 * @throws DataError for rows that are no probabilities, or a right choice that is none.
 */
export function calibrationFigures(
  probabilities: Rows,
  gold: readonly number[],
  options: CalibrationOptions = {},
): Figure[] {
  const { bins = 10 } = options;
  const error = calibrationError(probabilities, gold, bins);
  const distances = probabilities.map((row, i) => squaredDistance(row, gold[i]!));
  const brier = "Brier score of all choices (0 at best, 2 at worst)";
  return [
    detail("calibration_error", `expected calibration error, ${bins} bins of equal width`, error),
    figure({ name: "brier_score", label: brier, kind: "detail", unit: "number" }, distances, mean, options),
    detail("confidence", "mean probability of the answers", mean(probabilities.map((row) => Math.max(...row)))),
  ];
}
