/** An index as a page reads it: the files that `galen index` wrote, words that were cut before among them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { indexDocuments } from "../search/index-documents.ts";
import { openSearch } from "./search.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-browser-search-"));
afterAll(() => rmSync(scratch, { recursive: true }));

test("words are taken as they were cut, and cut where there are none", async () => {
  const input = join(scratch, "texts.jsonl");
  const rows = ["Aspirin after stroke", "Statins and stroke", "Insulin"].map((text, i) => ({ id: `d${i}`, text }));
  writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const output = join(scratch, "index");
  await indexDocuments([input], { output, store: "exact" });
  await indexDocuments([], { output, delete: ["d1"] });
  const names = readdirSync(output, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
  const files = Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(join(output, name)))]));
  const found = async (given: typeof files): Promise<string[]> => {
    await using index = await openSearch(given);
    return (await index.search("strokes")).hits.map(({ id }) => id);
  };
  expect(await found(files)).toEqual(["d0"]);
  const words = names.filter((name) => name.endsWith(".words"));
  expect(words).not.toEqual([]);
  const without = Object.fromEntries(Object.entries(files).filter(([name]) => !words.includes(name)));
  expect(await found(without)).toEqual(["d0"]);
  const cut = { ...files, [words[0]!]: files[words[0]!]!.subarray(0, -1) };
  await expect(found(cut)).rejects.toThrow(DataError);
  await expect(found(cut)).rejects.toThrow(/\.words: expected the words of \d documents/);
});
