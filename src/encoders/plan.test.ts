import { expect, test } from "vitest";
import type { EncoderConfig } from "./config.ts";
import { planOf } from "./plan.ts";

const sizes = Array.from({ length: 1003 }, (_, i) => 5 + ((i * 37) % 90));
const settings = { batch: 8, epochs: 2, seed: 4 };
const distil: EncoderConfig["objective"] = { kind: "distil", projection: "pca", loss: "cosine" };
const ranking: EncoderConfig["objective"] = { kind: "ranking", scale: 20, rowsAtOnce: 0, matryoshka: [] };
const epochOf = (steps: number, plan: ReturnType<typeof planOf>): (readonly number[])[] =>
  Array.from({ length: steps }, (_, step) => plan.batch(step));
const padded = (batches: readonly (readonly number[])[]): number =>
  batches.reduce((sum, batch) => sum + batch.length * Math.max(...batch.map((i) => sizes[i]!)), 0);

test("every example comes once an epoch, with little padding, in the same order for the same seed", () => {
  const plan = planOf({ ...settings, objective: distil }, sizes);
  expect(plan.steps).toBe(252);
  const first = epochOf(126, plan);
  expect(first.flat().toSorted((a, b) => a - b)).toEqual(sizes.map((_, i) => i));
  expect(padded(first)).toBeLessThan(1.1 * sizes.reduce((a, b) => a + b));
  expect(epochOf(126, planOf({ ...settings, objective: distil }, sizes))).toEqual(first);
  expect(plan.batch(126)).not.toEqual(first[0]);
  // A resumed run asks for an update in the middle first.
  expect(planOf({ ...settings, objective: distil }, sizes).batch(70)).toEqual(first[70]);
  expect(epochOf(126, planOf({ ...settings, seed: 5, objective: distil }, sizes))).not.toEqual(first);
});

test("in-batch negatives are of any length, and batches full", () => {
  const plan = planOf({ ...settings, objective: ranking }, sizes);
  expect(plan.steps).toBe(250);
  const first = epochOf(125, plan);
  expect(first.every((batch) => batch.length === 8)).toBe(true);
  expect(padded(first)).toBeGreaterThan(1.5 * sizes.reduce((a, b) => a + b));
  expect(() => planOf({ ...settings, batch: 2000, objective: ranking }, sizes)).toThrow(/batch: expected at most 1003/);
});
