/** Paired tests against statsmodels, scipy and numpy (scripts/goldens/comparison.py), and what they promise. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { holm, mcnemar, pairedBootstrap, type Score, smallestOfDiscordant, smallestOfError } from "./paired.ts";

interface Golden {
  mcnemar: { onlyFirst: number; onlySecond: number; p: number; midP: number }[];
  smallest: { discordant: number; examples: number; smallest: number }[];
  bootstrap: {
    first: Score[];
    second: Score[];
    documents: string[];
    seed: number;
    resamples: number;
    difference: number;
    low: number;
    high: number;
    error: number;
    p: number;
  }[];
  holm: { values: number[]; adjusted: number[] }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/goldens/comparison.json", import.meta.url), "utf8"),
) as Golden;

/** Scores with so many discordant examples of either kind, and as many again on which both agree. */
const withDiscordance = (onlyFirst: number, onlySecond: number): [number[], number[]] => {
  const rows = (count: number, row: number[]): number[][] => Array.from({ length: count }, () => row);
  const kinds = [...rows(onlyFirst, [1, 0]), ...rows(onlySecond, [0, 1]), [1, 1], [0, 0]];
  return [kinds.map(([first]) => first!), kinds.map(([, second]) => second!)];
};

describe("McNemar's test", () => {
  it.each(golden.mcnemar)("$onlyFirst against $onlySecond", ({ p, midP, ...discordant }) => {
    const [first, second] = withDiscordance(discordant.onlyFirst, discordant.onlySecond);
    const exact = mcnemar(first, second);
    expect(exact).toMatchObject(discordant);
    expect(exact.p / p).toBeCloseTo(1, 9);
    expect(mcnemar(first, second, { midP: true }).p / midP).toBeCloseTo(1, 9);
    expect(mcnemar(second, first).p).toBe(exact.p);
  });

  it("is of answers that are right or wrong, one an example", () => {
    expect(() => mcnemar([1, 0.5], [1, 0])).toThrow(ConfigError);
    expect(() => mcnemar([1, 0.5], [1, 0])).toThrow("expected scores of 0 and 1, got 0.5");
    expect(() => mcnemar([1, 0], [1])).toThrow(DataError);
  });

  it.each(golden.smallest)("shows of $examples with $discordant discordant", ({ discordant, examples, smallest }) => {
    expect(smallestOfDiscordant(discordant, examples)).toBeCloseTo(smallest, 9);
  });

  it("shows the smallest difference that it names four times in five", () => {
    const [examples, share] = [600, 0.2];
    const difference = smallestOfDiscordant(share * examples, examples);
    const draw = random(11);
    let shown = 0;
    for (let round = 0; round < 1000; round++) {
      let [onlyFirst, onlySecond] = [0, 0];
      for (let i = 0; i < examples; i++) {
        const at = draw.next();
        if (at < (share + difference) / 2) onlySecond++;
        else if (at < share) onlyFirst++;
      }
      const [first, second] = withDiscordance(onlyFirst, onlySecond);
      if (mcnemar(first, second, { midP: true }).p < 0.05) shown++;
    }
    expect(shown / 1000).toBeGreaterThan(0.76);
    expect(shown / 1000).toBeLessThan(0.84);
  });
});

describe("the paired bootstrap", () => {
  it.each(golden.bootstrap)("draws what numpy draws", ({ first, second, documents, seed, resamples, ...expected }) => {
    const found = pairedBootstrap(first, second, documents, { seed, resamples });
    expect(found.difference).toBeCloseTo(expected.difference, 12);
    expect(found.interval.low).toBeCloseTo(expected.low, 12);
    expect(found.interval.high).toBeCloseTo(expected.high, 12);
    expect(found.error).toBeCloseTo(expected.error, 12);
    expect(found.p).toBeCloseTo(expected.p, 12);
    expect(found.interval).toMatchObject({ level: 0.95, seed, resamples });
  });

  it("has the standard error of a mean's difference, and names 2.8 of them as the smallest to be shown", () => {
    const draw = random(3);
    const first = Array.from({ length: 400 }, () => draw.normal());
    const second = first.map((one) => one + 0.5 * draw.normal());
    const { error } = pairedBootstrap(first, second, first.map(String), { seed: 1, resamples: 4000 });
    expect(error).toBeCloseTo(0.5 / Math.sqrt(400), 2);
    expect(smallestOfError(error) / error).toBeCloseTo(2.8016, 4);
  });

  it("draws a document as a whole: twice the same sentence is no more evidence", () => {
    const [first, second] = [Array<number>(20).fill(0), Array.from({ length: 20 }, (_, i) => i % 2)];
    const names = first.map((_, i) => `${i}`);
    const alone = pairedBootstrap(first, second, names, { seed: 5, resamples: 500 });
    const twice = <T>(items: readonly T[]): T[] => items.flatMap((one) => [one, one]);
    const doubled = pairedBootstrap(twice(first), twice(second), twice(names), { seed: 5, resamples: 500 });
    expect(doubled).toEqual(alone);
  });

  it("refuses what cannot be compared", () => {
    const counts = { tp: 1, fp: 0, fn: 0 };
    expect(() => pairedBootstrap([], [], [], { seed: 1 })).toThrow("expected examples, got none");
    expect(() => pairedBootstrap([1], [counts], ["a"], { seed: 1 })).toThrow("got numbers and counts");
    expect(() => pairedBootstrap([1, 0], [1, 0], ["a"], { seed: 1 })).toThrow(DataError);
  });
});

it.each(golden.holm)("Holm's correction of $values", ({ values, adjusted }) => {
  const found = holm(values);
  for (const [i, one] of adjusted.entries()) expect(found[i]).toBeCloseTo(one, 12);
  expect(holm([])).toEqual([]);
});
