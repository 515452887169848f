import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRange, readRecords, Records, writeRecords } from "./records.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-records-"));
});
afterAll(() => rm(folder, { recursive: true }));

const rows = (records: Records): number[][] =>
  Array.from({ length: records.length }, (_, i) =>
    Array.from({ length: records.width }, (_, word) => records.word(i, word)),
  );
const filled = (given: readonly (readonly number[])[], width: number): Records => {
  const records = new Records(width, 1);
  for (const row of given) records.push(...row);
  return records;
};
const word = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

test("more records than there was room for are kept, and sorted word by word without doubles", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word, word), { maxLength: 60 }), (given) => {
      const records = filled(given, 3);
      expect(rows(records)).toEqual(given);
      const sorted = given.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      expect(rows(records.sorted())).toEqual(
        sorted.filter((row, i) => i === 0 || row.join() !== sorted[i - 1]!.join()),
      );
    }),
    { numRuns: 300, seed: 2 },
  );
});

test("ranges of a file are the records whose first word is within, and together all", async () => {
  const path = join(folder, "ranges");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(word, word), { maxLength: 40 }), word, word, async (given, a, b) => {
      const sorted = filled(given, 2).sorted();
      await writeRecords(path, sorted);
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const expected = rows(sorted).filter(([first]) => first! >= from && first! < to);
      expect(rows(await readRange(path, 2, from, to))).toEqual(expected);
      expect(rows(await readRange(path, 2, 0, 2 ** 32))).toEqual(rows(sorted));
      expect(rows(await readRecords(path, 2))).toEqual(rows(sorted));
    }),
    { numRuns: 80, seed: 3 },
  );
});

test("a file that was cut is an error", async () => {
  await writeFile(join(folder, "cut"), Buffer.alloc(13));
  await expect(readRecords(join(folder, "cut"), 3)).rejects.toThrow(/expected whole records of 12 bytes, got 13 bytes/);
});
