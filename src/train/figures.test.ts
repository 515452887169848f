/** Figures of an update are means over all that was measured, however it was cut into micro-batches and ranks. */
import { expect, test } from "vitest";
import { Sums } from "./figures.ts";

test("a figure is the mean over what was measured in all micro-batches, by their counts", () => {
  const sums = new Sums(["accuracy", "length"]);
  sums.add({ accuracy: { sum: 3, count: 4 } });
  sums.add({ accuracy: { sum: 0, count: 1 }, length: { sum: 30, count: 2 } });
  sums.add();
  expect(sums.means()).toEqual({ figures: { accuracy: 3 / 5, length: 15 } });
});

test("what no micro-batch measured is left out; where nothing is named there are no figures", () => {
  const sums = new Sums(["accuracy", "length"]);
  sums.add({ length: { sum: 7, count: 1 } });
  expect(sums.means()).toEqual({ figures: { length: 7 } });
  expect(new Sums().means()).toEqual({});
});

test("a rank that measured nothing has the figures of all", async () => {
  const [first, second] = [new Sums(["accuracy", "length"]), new Sums(["accuracy", "length"])];
  first.add({ length: { sum: 7, count: 2 } });
  const given: Float64Array[] = [];
  const gather = { sum: async (numbers: Float64Array): Promise<void> => void given.push(numbers) };
  await first.over(gather);
  await second.over(gather);
  const total = given[0]!.map((value, i) => value + given[1]![i]!);
  for (const one of given) one.set(total);
  expect(second.means()).toEqual({ figures: { length: 3.5 } });
  expect(first.means()).toEqual(second.means());
});
