import { describe, expect, test } from "vitest";
import { RuntimeError } from "../errors.ts";
import { createMaxSim, maxSim, type TokenVectors } from "./max-sim.ts";

const vectors = (...rows: readonly (readonly number[])[]): TokenVectors => ({
  width: 2,
  count: rows.length,
  data: Float32Array.from(rows.flat()),
});
const good = vectors([1, 0], [0, 1]);

describe.each([NaN, Infinity, -Infinity])("a vector with %s", (value) => {
  const bad = vectors([1, 0], [0.5, value]);
  const message = (whose: string): string => `maxSim: expected finite vectors, got ${value} at [1, 1] of the ${whose}`;

  test("is named by maxSim, whichever side it is of", () => {
    expect(() => maxSim(bad, good)).toThrow(message("query"));
    expect(() => maxSim(good, bad)).toThrow(message("document"));
  });

  test("is named by scores over many documents", async () => {
    await expect(createMaxSim([good, bad], { threads: 1 })).rejects.toThrow(message("document 1"));
    await using scorer = await createMaxSim([good, good], { threads: 1 });
    await expect(scorer.score(bad)).rejects.toThrow(message("query"));
    expect([...(await scorer.score(good))]).toEqual([2, 2]);
  });
});

test("products that grow too large are no scores", async () => {
  const large = vectors([3e38, 3e38]);
  await using scorer = await createMaxSim([large], { threads: 1 });
  await expect(scorer.score(large)).rejects.toThrow(RuntimeError);
  await expect(scorer.score(large)).rejects.toThrow(/maxSim: expected finite results, got a result "best"\[0, 0\]/);
});
