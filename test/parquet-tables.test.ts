/** Parquet of other writers is read wherever a table is: whatever codec, encoding and version of pages it has. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { readDocuments } from "../src/corpus/documents.ts";
import { readTexts } from "../src/corpus/texts.ts";
import { DataError } from "../src/errors.ts";
import { streamJsonLines } from "../src/io/json.ts";
import { readParquetRows } from "../src/io/parquet-rows.ts";
import { readLabelled } from "../src/tasks/labelled.ts";
import { stdoutOf } from "./support/command-line.ts";
import { fuzzRuns } from "./support/fuzz.ts";

const goldens = fileURLToPath(new URL("goldens/parquet", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-tables-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(goldens, `${name}.parquet`);

interface Row {
  readonly pmid: number;
  readonly year: number | null;
  readonly title: string | null;
  readonly abstract: string;
  readonly label: string;
  readonly documents: readonly string[];
  readonly scores: readonly number[];
  readonly author: { readonly name: string; readonly marks: readonly number[] | null };
}
const rows = JSON.parse(readFileSync(join(goldens, "rows.json"), "utf8")) as Row[];
const names = readdirSync(goldens).flatMap((name) => (name.endsWith(".parquet") ? [name.replace(".parquet", "")] : []));
const refused = ["pyarrow-lz4", "pyarrow-prefixes"];
const zstd = "zstdDecompressSync" in process.getBuiltinModule("node:zlib");
const read = names.filter((name) => !refused.includes(name) && (zstd || !/zstd|v2$/.test(name)));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("writers are pyarrow, DuckDB and Polars", () => {
  expect(read.length).toBeGreaterThan(10);
  expect(new Set(read.map((name) => name.split("-")[0]))).toEqual(new Set(["pyarrow", "duckdb", "polars"]));
});

describe.each(read)("%s", (name) => {
  test("holds its rows, lists and structures, missing texts as empty ones", async () => {
    const expected = rows.map(({ year, title, author, ...row }) => ({
      ...row,
      ...(year === null ? {} : { year }),
      title: title ?? "",
      author: { name: author.name, marks: author.marks ?? null },
    }));
    const found = await collect(readParquetRows(at(name), { nested: true }));
    expect(JSON.parse(JSON.stringify(found, (_, value: unknown) => value ?? null))).toEqual(expected);
  });

  test("gives documents, texts, labelled texts and lists", async () => {
    const columns = { id: "pmid" };
    const documents = await collect(readDocuments([at(name)], { columns }));
    const expected = rows.map(({ pmid, title, abstract }) => ({ id: `${pmid}`, title: title ?? "", text: abstract }));
    expect(documents.map(({ id, title, text }) => ({ id, title, text }))).toEqual(expected);
    expect(await collect(readTexts(at(name), { columns }))).toEqual(expected);
    const labelled = await readLabelled(at(name), { text: "abstract" });
    expect(labelled.examples).toEqual(rows.map(({ abstract, label }) => ({ text: abstract, labels: [label] })));
    const list = z.object({ documents: z.array(z.string()), scores: z.array(z.number()) });
    const lists = await collect(streamJsonLines(at(name), list));
    expect(lists).toEqual(rows.map(({ documents, scores }) => ({ documents, scores })));
  });
});

test("what a command takes: the column that is named, and the names that there are where it is not there", async () => {
  const model = fileURLToPath(new URL("goldens/retrieval/mean", import.meta.url));
  const args = ["--file", at("pyarrow-snappy"), "--text-column", "title", "--id-column", "pmid"];
  const printed = await stdoutOf("embed", "--model", model, "--json", ...args);
  const ids = printed
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
  expect(ids).toEqual(rows.map(({ pmid }) => String(pmid)));
  await expect(collect(readTexts(at("pyarrow-snappy"), { columns: { text: "body" } }))).rejects.toThrow(
    `${at("pyarrow-snappy")}: expected a column "body", got pmid, year, title, abstract, label`,
  );
});

test.each([
  ["pyarrow-lz4", /expected compression by zstd, snappy, gzip or brotli, got LZ4/],
  ["pyarrow-prefixes", /column abstract: expected pages that are plain.*, got DELTA_BYTE_ARRAY/],
])("%s is refused by name", async (name, message) => {
  await expect(collect(readTexts(at(name)))).rejects.toThrow(message);
  await expect(collect(readTexts(at(name)))).rejects.toThrow(at(name));
});

describe("of a damaged file", () => {
  /** Either rows come, or an error names the file. */
  async function check(damaged: Uint8Array): Promise<void> {
    const path = join(folder, "damaged.parquet");
    writeFileSync(path, damaged);
    try {
      let count = 0;
      for await (const _ of streamJsonLines(path, z.looseObject({}))) count += 1;
      expect(count).toBe(rows.length);
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      expect((error as Error).message).toContain(path);
    }
  }

  test.each(read.filter((name) => !/brotli|gzip/.test(name)))("%s", { timeout: 600_000 }, async (name) => {
    const bytes = readFileSync(at(name));
    const footer = { min: bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), max: bytes.length - 1 };
    const change = fc.tuple(fc.oneof(fc.nat(bytes.length - 1), fc.integer(footer)), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (some) => {
        const damaged = Buffer.from(bytes);
        for (const [place, mask] of some) damaged[place]! ^= mask;
        await check(damaged);
      }),
      fuzzRuns(100),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), (size) => check(bytes.subarray(0, size))),
      fuzzRuns(10),
    );
  });
});
