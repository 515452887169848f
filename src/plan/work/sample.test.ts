/** Samples of inputs: as large as asked for, from all over, by the files' sizes, and other ones for another part. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../errors.ts";
import { listingOf, takeSample, worthOf } from "./sample.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-sample-"));
afterAll(() => rmSync(folder, { recursive: true }));
let next = 0;

function filesOf(sizes: Readonly<Record<string, number>>): string {
  const inside = join(folder, String(next++));
  mkdirSync(inside);
  for (const [name, size] of Object.entries(sizes)) writeFileSync(join(inside, name), Buffer.alloc(size, name));
  return inside;
}

const many = filesOf(
  Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${String(i).padStart(2, "0")}.txt`, 50_000])),
);

describe("a sample", () => {
  test("of many files is of files from all over, others for another part", async () => {
    const listing = await listingOf([many]);
    const names = async (part: number): Promise<string[]> =>
      (await takeSample(listing, 300_000, part, join(folder, `many-${part}`))).paths.map((path) => basename(path));
    const [first, second] = [await names(0), await names(0.5)];
    expect(first.length).toBeGreaterThanOrEqual(6);
    expect(Number(first.at(-1)!.slice(1, 3)) - Number(first[0]!.slice(1, 3))).toBeGreaterThan(20);
    expect(second).not.toEqual(first);
    expect(first).toEqual(first.toSorted());
  });

  test("of a large file is its beginning, a copy, which only its owner reads", async () => {
    const inside = filesOf({ "large.jsonl": 3_000_000 });
    const sample = await takeSample(await listingOf([inside]), 500_000, 0.3, join(folder, "cut"));
    expect(sample.cut).toBe(1);
    expect(sample.bytes).toBeGreaterThanOrEqual(500_000);
    expect(sample.bytes).toBeLessThan(510_000);
    const [path] = sample.paths;
    expect(basename(path!)).toBe("large.jsonl");
    expect(readFileSync(path!).equals(readFileSync(join(inside, "large.jsonl")).subarray(0, sample.bytes))).toBe(true);
  });

  test("takes files whole that are known by their ends, and counts a compressed byte for five", async () => {
    const inside = filesOf({ "all.parquet": 2_000_000, "one.gz": 2_000_000 });
    const { files } = await listingOf([inside]);
    expect(files.map(worthOf)).toEqual([2_000_000, 10_000_000]);
    const parquet = files.filter(({ name }) => name.endsWith("parquet"));
    expect(await takeSample({ files: parquet }, 300_000, 0, join(folder, "whole"))).toMatchObject({
      cut: 0,
      bytes: 2_000_000,
    });
    const gzip = files.filter(({ name }) => name.endsWith("gz"));
    expect((await takeSample({ files: gzip }, 1_000_000, 0, join(folder, "gzip"))).bytes).toBe(200_000);
  });

  test("gives a file the share that it has of all", async () => {
    const inside = filesOf({ "a.txt": 9_000_000, "b.txt": 1_000_000 });
    let small = 0;
    const listing = await listingOf([inside]);
    for (let i = 0; i < 20; i++) {
      const { paths } = await takeSample(listing, 4_000_000, i / 20, join(folder, `share-${i}`));
      for (const path of paths) if (path.endsWith("b.txt")) small += readFileSync(path).length;
    }
    expect(small / 20 / 4_000_000).toBeGreaterThan(0.05);
    expect(small / 20 / 4_000_000).toBeLessThan(0.16);
  });

  test("of any files is never more than they hold, and about as much as was asked for", async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.double({ min: 0, max: 0.999, noNaN: true }), async (sizes, part) => {
        const listing = await listingOf([filesOf(Object.fromEntries(sizes.map((size, i) => [`${i}.txt`, size])))]);
        const { bytes } = await takeSample(listing, 300_000, part, join(folder, `any-${next}`));
        expect(bytes).toBeLessThanOrEqual(listing.bytes);
        if (listing.bytes > 0) expect(bytes).toBeGreaterThan(0);
        expect(bytes).toBeLessThanOrEqual(1.5 * 450_000 + 16);
      }),
      { numRuns: 25 },
    );
  });
});

test("standard input cannot be sampled", async () => {
  await expect(listingOf(["-"])).rejects.toThrow(ConfigError);
});
