/** Calibration against torchmetrics, netcal and scikit-learn (scripts/goldens/comparison.py). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { brierScore, calibrationError, calibrationFigures } from "./calibration.ts";

interface Golden {
  calibration: {
    probabilities: number[][];
    gold: number[];
    torchmetrics: number;
    netcal?: number;
    brier: number;
    confidence: number;
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/goldens/comparison.json", import.meta.url), "utf8"),
) as Golden;

it.each(golden.calibration)("is that of the libraries", ({ probabilities, gold, ...expected }) => {
  const error = calibrationError(probabilities, gold);
  expect(error).toBeCloseTo(expected.torchmetrics, 6);
  if (expected.netcal !== undefined) expect(error).toBeCloseTo(expected.netcal, 9);
  expect(brierScore(probabilities, gold)).toBeCloseTo(expected.brier, 9);
  const figures = calibrationFigures(probabilities, gold, { bootstrap: { seed: 1, resamples: 50 } });
  expect(figures.map(({ name, value }) => [name, value])).toEqual([
    ["calibration_error", error],
    ["brier_score", brierScore(probabilities, gold)],
    ["confidence", expect.closeTo(expected.confidence, 9)],
  ]);
  expect(figures[1]!.interval!.low).toBeLessThan(figures[1]!.value);
});

it("puts certainty into the last bin, and takes rows of different lengths", () => {
  const rows = [
    [1, 0],
    [0.95, 0.05],
    [0.1, 0.2, 0.7],
  ];
  // Bin 9: one of two right, mean confidence 0.975; bin 7: one of one, 0.7.
  expect(calibrationError(rows, [0, 1, 2])).toBeCloseTo((2 * (0.975 - 0.5) + (1 - 0.7)) / 3, 12);
  expect(brierScore(rows, [0, 1, 2])).toBeCloseTo((0 + 2 * 0.95 ** 2 + 0.01 + 0.04 + 0.09) / 3, 12);
  expect(calibrationError([], [])).toBe(0);
});

it("refuses what are no probabilities", () => {
  expect(() => calibrationFigures([[0.5, 0.6]], [0])).toThrow(
    "row 0: expected probabilities that add up to 1, got 0.5",
  );
  expect(() => calibrationFigures([[-1, -2]], [0])).toThrow(/add up to 1/);
  expect(() => calibrationFigures([[Number.NaN, 1]], [0])).toThrow(/add up to 1/);
  expect(() => calibrationFigures([[0.5, 0.5]], [2])).toThrow("expected a right choice below 2, got 2");
  expect(() => calibrationFigures([[1]], [])).toThrow(/expected 0 predictions/);
});
