import { describe, expect, test } from "vitest";
import { heldOutBatches, type Plan, planOf } from "./plan.ts";

const sizes = Array.from({ length: 1003 }, (_, i) => 5 + ((i * 37) % 90));
const settings = { batch: 8, tokensPerBatch: null, accumulate: 1, steps: null, epochs: 2, seed: 4 };
const train = { count: sizes.length, sizes };
const epochOf = (plan: Plan): (readonly number[])[] =>
  Array.from({ length: plan.perEpoch }, (_, step) => plan.update(step)).flat();
const padded = (batches: readonly (readonly number[])[]): number =>
  batches.reduce((sum, batch) => sum + batch.length * Math.max(...batch.map((i) => sizes[i]!)), 0);

test("every example comes once an epoch, with little padding, in the same order for the same seed", () => {
  const byLength = { order: "length", train } as const;
  const plan = planOf(settings, byLength);
  expect([plan.steps, plan.perEpoch]).toEqual([252, 126]);
  const first = epochOf(plan);
  expect(first.flat().toSorted((a, b) => a - b)).toEqual(sizes.map((_, i) => i));
  expect(padded(first)).toBeLessThan(1.1 * sizes.reduce((a, b) => a + b));
  expect(epochOf(planOf(settings, byLength))).toEqual(first);
  expect(plan.update(126)).not.toEqual([first[0]]);
  // A resumed run asks for an update in the middle first.
  expect(planOf(settings, byLength).update(70)).toEqual([first[70]]);
  expect(epochOf(planOf({ ...settings, seed: 5 }, byLength))).not.toEqual(first);
});

test("in-batch negatives are of any length, and batches full", () => {
  const full = { order: "full", train } as const;
  const plan = planOf(settings, full);
  expect(plan.steps).toBe(250);
  const first = epochOf(plan);
  expect(first.every((batch) => batch.length === 8)).toBe(true);
  expect(padded(first)).toBeGreaterThan(1.5 * sizes.reduce((a, b) => a + b));
  expect(() => planOf({ ...settings, batch: 2000 }, full)).toThrow(/batch: expected at most 1003/);
});

test("an update of several micro-batches has the examples that single updates would", () => {
  const random = { order: "random", train } as const;
  const [single, four] = [planOf(settings, random), planOf({ ...settings, accumulate: 4 }, random)];
  expect(four.perEpoch).toBe(32);
  expect(four.update(3)).toEqual([12, 13, 14, 15].map((step) => single.update(step)[0]));
  // 126 batches: the last update of an epoch has two.
  expect(four.update(31)).toHaveLength(2);
  expect(four.update(32)).toEqual([126, 127, 128, 129].map((step) => single.update(step)[0]));
});

test("a stream goes on over the end of an epoch", () => {
  const plan = planOf({ ...settings, accumulate: 2 }, { order: "stream", train: { count: 20 } });
  expect([plan.perEpoch, plan.steps]).toEqual([2, 3]);
  expect(plan.update(1)).toEqual([
    [16, 17, 18, 19, 20, 21, 22, 23],
    [24, 25, 26, 27, 28, 29, 30, 31],
  ]);
});

describe("batches of at most so many tokens", () => {
  const some = sizes.slice(0, 100);
  const budget = { ...settings, batch: null, tokensPerBatch: 128, accumulate: 4, seed: 3 };
  const inTokens = { order: "length", sizesAreTokens: true, train: { count: 100, sizes: some } } as const;

  test("hold every example once, within the limit, padding included", () => {
    const plan = planOf(budget, inTokens);
    const batches = epochOf(plan);
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(some.map((_, i) => i));
    for (const batch of batches) {
      expect(batch.length * Math.max(...batch.map((i) => some[i]!))).toBeLessThanOrEqual(128);
    }
    for (let step = 0; step < plan.perEpoch - 1; step++) expect(plan.update(step)).toHaveLength(4);
  });

  test("are a function of seed and epoch, and differ between epochs", () => {
    const [plan, again] = [planOf(budget, inTokens), planOf(budget, inTokens)];
    expect(again.update(plan.perEpoch)).toEqual(plan.update(plan.perEpoch));
    expect(plan.update(plan.perEpoch)).not.toEqual(plan.update(0));
    expect(planOf({ ...budget, seed: 4 }, inTokens).update(0)).not.toEqual(plan.update(0));
  });

  test("a longer example is a batch by itself; nothing gives no batch", () => {
    const held = (lengths: readonly number[]): number[][] =>
      heldOutBatches(
        { batch: null, tokensPerBatch: 10, evaluate: { every: 0, examples: null } },
        { count: lengths.length, sizes: lengths },
      );
    expect(held([3, 500, 4])).toEqual([[0, 2], [1]]);
    expect(held([])).toEqual([]);
  });

  test("need lengths in tokens", () => {
    expect(() => planOf(budget, { order: "length", train })).toThrow(/tokensPerBatch: expected null.*got 128/);
  });
});

test("held-out examples come in order, the first so many of them", () => {
  const config = { batch: 4, tokensPerBatch: null, evaluate: { every: 0, examples: 6 } };
  expect(heldOutBatches(config, { count: 9 })).toEqual([
    [0, 1, 2, 3],
    [4, 5],
  ]);
  expect(heldOutBatches({ ...config, evaluate: { every: 0, examples: null } }, { count: 3 })).toEqual([[0, 1, 2]]);
});

test("examples that several updates share come as often, and epochs are as much longer", () => {
  const config = { batch: 2, tokensPerBatch: null, accumulate: 1, steps: null, epochs: 2, seed: 3 };
  const examples = { order: "random", train: { count: 5 } } as const;
  const [once, twice] = [planOf(config, examples), planOf(config, { ...examples, repeats: 2 })];
  expect([once.steps, twice.steps, twice.perEpoch]).toEqual([6, 12, 6]);
  for (let done = 0; done < 12; done++) expect(twice.update(done)).toEqual(once.update(Math.floor(done / 2)));
});
