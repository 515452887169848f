/** Draws against Python's own. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pythonRandom } from "./python-random.ts";

const goldens = JSON.parse(readFileSync(new URL("../../test/goldens/python-random.json", import.meta.url), "utf8")) as {
  calls: [number, number][];
  cases: { seed: number; drawn: number[][]; shuffled: number[]; chosen: number[] }[];
  long: number[];
};

test.each(goldens.cases)("seed $seed draws what Python draws", ({ seed, drawn, shuffled, chosen }) => {
  const draws = pythonRandom(seed);
  expect(goldens.calls.map(([count, k]) => draws.sample(count, k))).toEqual(drawn);
  expect(draws.shuffle(Array.from({ length: 40 }, (_, i) => i))).toEqual(shuffled);
  expect([1, 7, 10, 500].map((count) => draws.choice(count))).toEqual(chosen);
});

test("thousands of numbers later it still does", () => {
  const draws = pythonRandom(1234);
  const all = Array.from({ length: 400 }, () => draws.sample(10_178, 5));
  expect(all.at(-1)).toEqual(goldens.long);
});

test("more than there are, and seeds that are none, are refused", () => {
  expect(() => pythonRandom(1).sample(3, 4)).toThrow("sample: expected at most 3 of 3, got 4");
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => pythonRandom(seed)).toThrow(/^seed: expected/);
});
