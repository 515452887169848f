import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fuzzRuns } from "../../test/support/fuzz.ts";
import { DataError } from "../errors.ts";
import { readDataset } from "./dataset.ts";
import { fileBuffer, readFooter } from "../io/parquet-file.ts";
import { importPubMed } from "./pubmed/import.ts";
import type { PubMedRecord } from "./pubmed/record.ts";

let folder = "";
let good = "";
let shard = "";
let bytes: Buffer;
let records: PubMedRecord[];

function article(i: number): string {
  const keywords = Array.from({ length: i % 5 }, (_, k) => `<Keyword>word ${k}</Keyword>`).join("");
  const authors = `<AuthorList><Author><LastName>A${i % 7}</LastName></Author><Author><LastName>B</LastName></Author></AuthorList>`;
  const mesh = `<MeshHeadingList><MeshHeading><DescriptorName UI="D${i % 3}" MajorTopicYN="Y">M</DescriptorName>
    <QualifierName UI="Q1" MajorTopicYN="N">q</QualifierName></MeshHeading></MeshHeadingList>`;
  return `<PubmedArticle><MedlineCitation><PMID>${i + 1}</PMID><Article><ArticleTitle>T${i}</ArticleTitle>
    <Abstract><AbstractText>Text ${i}.</AbstractText></Abstract>${authors}</Article>${mesh}
    <KeywordList>${keywords}</KeywordList></MedlineCitation></PubmedArticle>`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "galen-parquet-"));
  const articles = Array.from({ length: 40 }, (_, i) => article(i));
  writeFileSync(join(folder, "a.xml"), `<PubmedArticleSet>${articles.join("")}</PubmedArticleSet>`);
  good = join(folder, "good");
  await importPubMed({ inputs: [join(folder, "a.xml")], output: good, groupBytes: 8000 });
  shard = join(folder, "bad", "data", "train-00000-of-00001.parquet");
  cpSync(good, join(folder, "bad"), { recursive: true });
  bytes = readFileSync(shard);
  records = await read(good);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(from: string): Promise<PubMedRecord[]> {
  const found: PubMedRecord[] = [];
  for await (const record of readDataset(from)) found.push(record);
  return found;
}

/** Either all records come, or the error names the shard. */
async function check(damaged: Uint8Array): Promise<void> {
  writeFileSync(shard, damaged);
  try {
    expect(await read(join(folder, "bad"))).toHaveLength(records.length);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toContain(shard);
  }
}

describe("readDataset of a damaged file", () => {
  test("refuses a page whose header is off by one bit, where the library alone would never end", async () => {
    const handle = await open(join(good, "data", "train-00000-of-00001.parquet"));
    const { metadata } = await readFooter(fileBuffer(handle, bytes.length));
    await handle.close();
    const { columns } = metadata.row_groups[0]!;
    const { meta_data: book } = columns.find((column) => column.meta_data?.path_in_schema[0] === "book")!;
    const damaged = Buffer.from(bytes);
    // The number of rows, which now swallows the encoding behind it.
    damaged[Number(book!.data_page_offset) + 12]! ^= 128;
    writeFileSync(shard, damaged);
    await expect(read(join(folder, "bad"))).rejects.toThrow(`${shard}: column book: expected`);
  });

  test("refuses a whole file that has other rows than the manifest says", async () => {
    const other = join(folder, "other");
    writeFileSync(join(folder, "b.xml"), `<PubmedArticleSet>${article(1)}</PubmedArticleSet>`);
    await importPubMed({ inputs: [join(folder, "b.xml")], output: other });
    const swapped = readFileSync(join(other, "data", "train-00000-of-00001.parquet"));
    writeFileSync(shard, swapped);
    const manifest = JSON.parse(readFileSync(join(good, "manifest.json"), "utf8")) as { shards: { bytes: number }[] };
    manifest.shards[0]!.bytes = swapped.length;
    writeFileSync(join(folder, "bad", "manifest.json"), JSON.stringify(manifest));
    await expect(read(join(folder, "bad"))).rejects.toThrow("expected 40 records, as the manifest says, got 1");
    cpSync(join(good, "manifest.json"), join(folder, "bad", "manifest.json"));
  });

  test("ends with all records or an error that names it, whichever byte is changed", { timeout: 600_000 }, async () => {
    const anywhere = fc.nat(bytes.length - 1);
    const inFooter = fc.integer({
      min: bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8),
      max: bytes.length - 1,
    });
    const change = fc.tuple(fc.oneof(anywhere, inFooter), fc.integer({ min: 1, max: 255 }));
    const changes = fc.array(change, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(changes, async (some) => {
        const damaged = Buffer.from(bytes);
        for (const [at, mask] of some) damaged[at]! ^= mask;
        await check(damaged);
      }),
      fuzzRuns(1000),
    );
  });

  test("of a file cut short or grown too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (size) => check(bytes.subarray(0, size))),
      fuzzRuns(50),
    );
    await check(Buffer.concat([bytes, Buffer.alloc(1)]));
  });
});
