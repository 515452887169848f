/** Batches by length: every row once, within the limits. */
import { describe, expect, it } from "vitest";
import { random } from "../tensor/random.ts";
import { byLength, byTokens } from "../runtime/batching.ts";

const draw = random(3);
const rows = Array.from({ length: 300 }, () => ({ length: 1 + draw.integer(400) }));
const lengths = (batch: readonly number[]): number[] => batch.map((place) => rows[place]!.length);

describe("batches by length", () => {
  it.each([
    ["byLength", byLength],
    ["byTokens", byTokens],
  ] as const)("%s holds every row once, longest first, at most so many at once", (_, batchesOf) => {
    const batches = batchesOf(rows, 32);
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual([...rows.keys()]);
    expect(lengths(batches.flat())).toEqual(rows.map(({ length }) => length).toSorted((a, b) => b - a));
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(32);
    expect(batchesOf([], 32)).toEqual([]);
  });

  it("a batch by tokens has at most 512 of them, or is one row, and little padding", () => {
    for (const batch of byTokens(rows, 1000)) {
      const [longest] = lengths(batch);
      if (batch.length > 1) expect(batch.length * longest!).toBeLessThanOrEqual(512);
    }
    const padded = byTokens(rows, 1000).reduce((sum, batch) => sum + batch.length * lengths(batch)[0]!, 0);
    expect(padded).toBeLessThan(1.1 * rows.reduce((sum, { length }) => sum + length, 0));
    expect(byTokens([{ length: 5000 }, { length: 4000 }], 32)).toEqual([[0], [1]]);
  });
});
