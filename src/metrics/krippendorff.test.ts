import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { krippendorffAlpha, type Level } from "./krippendorff.ts";
import { proportion } from "./proportion.ts";

interface Goldens {
  readonly tables: readonly ({ readonly ratings: readonly (readonly (number | null)[])[] } & Record<Level, number>)[];
  readonly intervals: readonly { count: number; of: number; low: number; high: number }[];
}
const path = new URL("../../test/goldens/agreement.json", import.meta.url);
const goldens = JSON.parse(readFileSync(path, "utf8")) as Goldens;

/** Values of each unit, of rows that are one observer's. */
const unitsOf = (rows: readonly (readonly (number | null)[])[]): number[][] =>
  rows[0]!.map((_, unit) => rows.map((row) => row[unit]!).filter((value) => value !== null));
/** "1 2 * 3": values of one observer; an asterisk where there is none. */
const row = (text: string): (number | null)[] => text.split(" ").map((value) => (value === "*" ? null : Number(value)));

describe("Krippendorff's α", () => {
  test("is that of the examples of Krippendorff (2011)", () => {
    const two = unitsOf([row("0 1 0 0 0 0 0 0 1 0"), row("1 1 1 0 0 1 0 0 0 0")]);
    expect(krippendorffAlpha(two, "nominal")).toBeCloseTo(0.095, 3);
    const nominal = unitsOf([row("1 1 2 2 4 3 3 3 5 4 4 1"), row("2 1 2 2 2 3 3 3 5 4 4 4")]);
    expect(krippendorffAlpha(nominal, "nominal")).toBeCloseTo(0.692, 3);
    const four = unitsOf([
      row("1 2 3 3 2 1 4 1 2 * * *"),
      row("1 2 3 3 2 2 4 1 2 5 * 3"),
      row("* 3 3 3 2 3 4 2 2 5 1 *"),
      row("1 2 3 3 2 4 4 1 2 5 1 *"),
    ]);
    expect(krippendorffAlpha(four, "nominal")).toBeCloseTo(0.743, 3);
    expect(krippendorffAlpha(four, "ordinal")).toBeCloseTo(0.815, 3);
    expect(krippendorffAlpha(four, "interval")).toBeCloseTo(0.849, 3);
  });

  test.each(["nominal", "ordinal", "interval"] as const)("is the Python package's, %s", (level) => {
    for (const { ratings, [level]: expected } of goldens.tables)
      expect(krippendorffAlpha(unitsOf(ratings), level)).toBeCloseTo(expected, 12);
  });

  test("is 1 where all agree, below 0 where all disagree, and not a number where nothing can be said", () => {
    expect(krippendorffAlpha([[1, 1], [2, 2], [3]], "ordinal")).toBe(1);
    expect(
      krippendorffAlpha(
        [
          [1, 2],
          [2, 1],
        ],
        "nominal",
      ),
    ).toBeCloseTo(-0.5, 12);
    expect(
      krippendorffAlpha(
        [
          [1, 1],
          [1, 1],
        ],
        "nominal",
      ),
    ).toBeNaN();
    expect(krippendorffAlpha([[1], [2]], "nominal")).toBeNaN();
    expect(krippendorffAlpha([], "nominal")).toBeNaN();
  });

  test("refuses what it cannot read", () => {
    expect(() => krippendorffAlpha([[1, Number.NaN]], "nominal")).toThrow("expected finite numbers, got NaN");
    expect(() => krippendorffAlpha([[1, 2]], "ratio" as never)).toThrow("level: expected one of nominal, ordinal");
    expect(() => krippendorffAlpha([1, 2] as never, "nominal")).toThrow("put it in a list");
  });
});

test("a share's interval is scipy's by Wilson", () => {
  for (const { count, of, low, high } of goldens.intervals) {
    const found = proportion(count, of);
    expect(found.low).toBeCloseTo(low, 12);
    expect(found.high).toBeCloseTo(high, 12);
    expect(found.share).toBe(count / of);
  }
  expect(proportion(0, 0)).toEqual({ count: 0, of: 0, share: null, low: 0, high: 1 });
  expect(() => proportion(3, 2)).toThrow("expected a count of 0 to 2, got 3");
});
