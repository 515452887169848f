/** Rows of tokens that a vocabulary gained, and blocks of a second file among those of the first. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openTokens, writeTokens } from "../../corpus/token-files.ts";
import { blockSet } from "./blocks.ts";
import { startRows } from "./new-rows.ts";
import type { Batch } from "./objective.ts";

describe("startRows", () => {
  // Three rows of the model's own; tokens 3 and 4 are of pieces 0 and 1, and 2 and 1; nothing has row 5.
  const vocabulary = { piecesAmong: () => (id: number) => ({ 3: [0, 1], 4: [2, 1] })[id] ?? [] };
  const own = [1, 10, 3, 20, 8, 60];
  const rows = (how: Parameters<typeof startRows>[0], stored = 3): number[] => {
    const table = Float32Array.from([...own, ...Array.from({ length: 6 }, () => 99)]);
    startRows(how, vocabulary, 3)?.(table, { width: 2, stored, seed: 1 });
    expect([...table.subarray(0, 6)]).toEqual(own);
    return [...table.subarray(6)];
  };

  test("are the mean of the pieces that a token takes the place of, or the first of them", () => {
    expect(rows("pieces").slice(0, 4)).toEqual([2, 15, 5.5, 40]);
    expect(rows("first").slice(0, 4)).toEqual([1, 10, 8, 60]);
  });

  test("are the average row for what is no text, and where that is asked for", () => {
    for (const row of [rows("pieces").slice(4), rows("average").slice(0, 2), rows("average").slice(4)]) {
      expect(row[0]).toBeCloseTo(4, 2);
      expect(row[1]).toBeCloseTo(30, 2);
    }
  });

  test("stay as they are drawn where that is asked for", () =>
    expect(rows("random")).toEqual([99, 99, 99, 99, 99, 99]));

  test("take the place of padding that the table had behind the model's own tokens", () => {
    expect(rows("pieces", 6).slice(0, 4)).toEqual([2, 15, 5.5, 40]);
  });

  test("of a head's bias are means too", () => {
    const bias = Float32Array.of(1, 3, 8, 99, 99, 99);
    startRows("pieces", vocabulary, 3)!(bias, { width: 1, stored: 3, seed: 1 });
    expect([...bias.subarray(3, 5)]).toEqual([2, 5.5]);
  });
});

test("a share of the blocks comes from a second file, as even as can be, and both are seen whole", async () => {
  const folder = mkdtempSync(join(tmpdir(), "galen-replay-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = async (name: string, first: number, blocks: number): Promise<ReturnType<typeof openTokens>> => {
    const writer = await writeTokens(join(folder, name), { vocabSize: 1000 });
    await writer.write(Array.from({ length: 4 * blocks + 1 }, (_, i) => first + Math.floor(i / 4)));
    await writer.close();
    return openTokens(join(folder, name));
  };
  using own = await file("own", 0, 30);
  using known = await file("known", 500, 7);
  const collect = (blocks: readonly ArrayLike<number>[]): Batch => blocks.map((block) => block[0]!) as never;
  const set = (seed: number, share: number) =>
    blockSet(own, { tokens: 4, seed, overlap: 1, replay: { file: known, share } }, collect);
  const seen = (share: number, seed = 3): number[] =>
    set(seed, share).batch(Array.from({ length: 40 }, (_, i) => i)) as unknown as number[];
  expect(set(3, 0.25).count).toBe(40);
  const mixed = seen(0.25);
  expect(mixed.filter((id) => id < 500).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect(new Set(mixed.filter((id) => id >= 500))).toEqual(new Set([500, 501, 502, 503, 504, 505, 506]));
  for (let i = 0; i < 40; i += 4) expect(mixed.slice(i, i + 4).filter((id) => id >= 500)).toHaveLength(1);
  // A resumed run asks for a batch in the middle; another seed has another order.
  expect(set(3, 0.25).batch([17, 18, 19]) as unknown).toEqual(mixed.slice(17, 20));
  expect(seen(0.25, 4)).not.toEqual(mixed);
  expect(seen(0)).toEqual(
    blockSet(own, { tokens: 4, seed: 3, overlap: 1 }, collect).batch(Array.from({ length: 40 }, (_, i) => i)),
  );
});
