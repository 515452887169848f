/** Two parts of one set: against formulas of the normal distribution, and what cannot be told. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { mean, microF1 } from "./counts.ts";
import { partsDifference } from "./parts.ts";

const seed = 1;
const each = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

test("of accuracies is what the normal approximation of two independent shares gives", () => {
  // 600 examples of which 60 % are right, 200 of which 75 % are.
  const scores = Array.from({ length: 800 }, (_, i) => ((i < 600 ? i % 5 < 3 : i % 4 < 3) ? 1 : 0));
  const isSecond = scores.map((_, i) => i >= 600);
  const { difference, interval } = partsDifference(scores, isSecond, each(800), { seed, resamples: 4000 });
  expect(difference).toBeCloseTo(0.15, 12);
  const error = Math.sqrt((0.6 * 0.4) / 600 + (0.75 * 0.25) / 200);
  expect(interval!.low).toBeCloseTo(0.15 - 1.96 * error, 2);
  expect(interval!.high).toBeCloseTo(0.15 + 1.96 * error, 2);
});

const part = fc.record({ tp: fc.nat(5), fp: fc.nat(5), fn: fc.nat(5) });
const example = fc.record({ score: part, isSecond: fc.boolean(), document: fc.nat(9).map(String) });

test("of counts is the difference of micro-F1, of numbers that of means, whatever the documents", () => {
  fc.assert(
    fc.property(fc.array(example, { minLength: 2, maxLength: 40 }), (examples) => {
      const isSecond = examples.map((one) => one.isSecond);
      fc.pre(isSecond.includes(true) && isSecond.includes(false));
      const documents = examples.map(({ document }) => document);
      const options = { seed, resamples: 20 };
      const scores = examples.map(({ score }) => score);
      const numbers = scores.map(({ tp, fp }) => tp / (1 + fp));
      const of = <T>(all: readonly T[], wanted: boolean): T[] => all.filter((_, i) => isSecond[i] === wanted);
      const f1 = partsDifference(scores, isSecond, documents, options);
      expect(f1.difference).toBeCloseTo(microF1(of(scores, true)) - microF1(of(scores, false)), 12);
      const means = partsDifference(numbers, isSecond, documents, options);
      expect(means.difference).toBeCloseTo(mean(of(numbers, true)) - mean(of(numbers, false)), 12);
      const fewest = Math.min(new Set(of(documents, true)).size, new Set(of(documents, false)).size);
      expect(f1.interval === undefined).toBe(fewest < 2);
    }),
  );
});

test("documents are drawn together: copies of an example within them do not narrow the interval", () => {
  const scores = Array.from({ length: 80 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const isSecond = scores.map((_, i) => i >= 40);
  const once = partsDifference(scores, isSecond, each(80), { seed });
  const thrice = <T>(all: readonly T[]): T[] => all.flatMap((one) => [one, one, one]);
  expect(partsDifference(thrice(scores), thrice(isSecond), thrice(each(80)), { seed })).toEqual(once);
});

test("parts without examples, scores of two kinds and lists of two lengths are refused", () => {
  const refused = (...args: readonly [readonly unknown[], readonly boolean[]]): (() => unknown) => {
    return () => partsDifference(args[0] as number[], args[1], each(args[0].length), { seed });
  };
  expect(refused([1, 0], [true, true])).toThrow(ConfigError);
  expect(refused([1, { tp: 1, fp: 0, fn: 0 }], [true, false])).toThrow(/of one kind/);
  expect(refused([1, 0], [true])).toThrow(DataError);
});
