/** Ranks on paper: arithmetic that can be done by hand, what must grow with what, and that each constant says how it is known. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recipes } from "../recipes/index.ts";
import { fleetOf, type Plan, planTraining } from "./index.ts";

const seventy = (count: number, storage?: number): Plan =>
  planTraining(recipes["biollm-70b"](), { fleet: fleetOf(`${count}xh100`), storage });

test("of 256 ranks the bytes are those of the weights, the rows and the updates", () => {
  const { ranks, parameters, updates, tokensPerUpdate, tokens } = seventy(256, 20e9);
  expect(ranks).toMatchObject({ ranks: 256, hosts: 32 });
  expect(ranks.startUp.weightsBytes).toBe(4 * parameters);
  expect(ranks.startUp.readBytes).toEqual({ low: 4 * parameters, high: 4 * 32 * parameters });
  expect(ranks.checkpoint.bytesOfRank).toBe((12 * parameters) / 256);
  // 828 GB at 20 GB/s, which 256 ranks that each write 0.33 GB/s could fill.
  expect(ranks.checkpoint.seconds.low).toBeCloseTo(41.4, 1);
  expect(ranks.checkpoint.seconds.high).toBeCloseTo(41.4, 1);
  expect(ranks.data.orderBytes).toBe(4 * updates * (tokensPerUpdate / 4096));
  expect(ranks.data.tokenBytes).toBe(2 * tokens);
  const { low, high } = ranks.data.tokensPerSecond;
  expect(low * ranks.update.seconds.high).toBeCloseTo(tokensPerUpdate, 0);
  expect(high * ranks.update.seconds.low).toBeCloseTo(tokensPerUpdate, 0);
});

test("a rank that writes slower than its share of the storage bounds a checkpoint", () => {
  const { checkpoint } = seventy(8, 1e15).ranks;
  expect(checkpoint.seconds.high).toBeCloseTo(checkpoint.bytesOfRank / 0.33e9, 6);
});

test("a vocabulary beyond 65,536 rows has tokens of four bytes", () => {
  const plan = planTraining(recipes["biollm-70b"](), { fleet: fleetOf("64xh100"), vocabulary: 128_000 });
  expect(plan.ranks.data.tokenBytes).toBe(4 * plan.tokens);
});

test("every constant says how it is known, and storage that was given is no assumption", () => {
  const { constants } = seventy(256).ranks;
  expect(new Set(constants.map(({ basis }) => basis))).toEqual(new Set(["measured", "assumed", "published"]));
  for (const { low, high, source } of constants) {
    expect(low).toBeGreaterThan(0);
    expect(high).toBeGreaterThanOrEqual(low);
    expect(source).not.toBe("");
  }
  expect(seventy(256, 20e9).ranks.constants.at(-1)).toMatchObject({ basis: "given", low: 20e9, high: 20e9 });
});

describe("for any number of ranks", () => {
  const counts = fc.integer({ min: 1, max: 64 }).map((n) => 8 * n);

  test("lower ends are not above upper ones, and shares of time are none below zero", () => {
    fc.assert(
      fc.property(counts, fc.option(fc.double({ min: 1e8, max: 1e12, noNaN: true })), (count, storage) => {
        const { ranks } = seventy(count, storage ?? undefined);
        const { startUp, checkpoint, data, update, interruptions } = ranks;
        const all = [startUp, checkpoint, data, update, interruptions].flatMap((part) =>
          Object.values(part).filter((one) => typeof one === "object"),
        );
        for (const { low, high } of all) {
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeGreaterThanOrEqual(low);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("more of them share a checkpoint, and are interrupted as often for the same work", () => {
    const [few, more] = [seventy(64).ranks, seventy(256).ranks];
    expect(more.checkpoint.bytesOfRank * 4).toBe(few.checkpoint.bytesOfRank);
    expect(more.interruptions.expected.low).toBeCloseTo(few.interruptions.expected.low, 6);
    expect(more.checkpoint.seconds.high).toBeLessThanOrEqual(few.checkpoint.seconds.high);
  });
});

test("what is felt is warned of: slow storage, all weights on every host", () => {
  const slow = seventy(256, 0.2e9).warnings.join("\n");
  expect(slow).toMatch(/checkpoints may take \d+ % of the time/);
  expect(slow).toMatch(/starting takes up to [\d,]+ minutes/);
  expect(seventy(256, 100e9).warnings.join("\n")).not.toMatch(/checkpoints may take|starting takes/);
});
