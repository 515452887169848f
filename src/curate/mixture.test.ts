import { expect, test } from "vitest";
import { repeatsOf } from "./mixture.ts";
import { copiesOf } from "./work/result-task.ts";
import type { ShardState } from "./work/shard-state.ts";

const source = { paths: ["x"] };
const states = (words: Readonly<Record<string, number>>): ShardState[] =>
  Object.entries(words).map(([name, count]) => ({
    name,
    source: name,
    kinds: [],
    file: "",
    verdicts: [],
    bytes: 0,
    amount: { documents: 1, words: count, characters: 1 },
  }));
const repeats = (
  mixture: { words?: number; weights: Record<string, number>; mostRepeats?: number } | undefined,
  words: Readonly<Record<string, number>>,
): Record<string, number> => {
  const sources = Object.fromEntries(Object.keys(words).map((name) => [name, source]));
  const whole = mixture === undefined ? undefined : { mostRepeats: 4, ...mixture };
  return Object.fromEntries(repeatsOf({ sources, mixture: whole, file: "f" }, states(words)));
};

test("without a mixture each source comes as often as it says", () => {
  expect(repeats(undefined, { a: 10, b: 20 })).toEqual({ a: 1, b: 1 });
});

test("shares of the words are met by repeating and by leaving out", () => {
  expect(repeats({ weights: { a: 1, b: 1 }, words: 40 }, { a: 10, b: 40 })).toEqual({ a: 2, b: 0.5 });
  // A source without a weight does not come.
  expect(repeats({ weights: { a: 1 } }, { a: 10, b: 30 })).toEqual({ a: 4, b: 0 });
});

test("no source comes more often than is allowed, and the others make up for it", () => {
  const found = repeats({ weights: { a: 9, b: 1 }, words: 100, mostRepeats: 2 }, { a: 10, b: 100 });
  expect(found).toEqual({ a: 2, b: 0.8 });
});

test("a mixture of sources without words is refused", () => {
  expect(() => repeats({ weights: { a: 1 } }, { a: 0, b: 1 })).toThrow(/expected a source with words/);
});

test("copies are a function of id and seed, and as many as the repeats say on the mean", () => {
  const ids = Array.from({ length: 4000 }, (_, i) => `id-${i}`);
  const counts = ids.map((id) => copiesOf(id, 1.25, 7));
  expect(new Set(counts)).toEqual(new Set([1, 2]));
  const mean = counts.reduce((sum, one) => sum + one, 0) / ids.length;
  // Four standard errors of a share of 0.25 of 4,000.
  expect(Math.abs(mean - 1.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 4000));
  expect(ids.map((id) => copiesOf(id, 1.25, 7))).toEqual(counts);
  expect(ids.map((id) => copiesOf(id, 1.25, 8))).not.toEqual(counts);
  expect(copiesOf("x", 3, 1)).toBe(3);
});
