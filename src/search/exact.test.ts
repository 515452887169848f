/** The exact store: what it finds in documents of which the answer is known, and what its file survives. */
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { documentOf, everything, phrase, stored } from "../../test/support/indexed.ts";
import { createExactStore } from "./exact.ts";
import { type IndexEmbedder, openStore, openStoreWriter } from "./open.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-exact-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const three = [
  stored(
    "1",
    "Aspirin and stroke",
    "Aspirin reduces stroke. Heart failure was rare.",
    { date: "2019-03", mesh: ["Aspirin"] },
    [1, 0],
  ),
  stored("2", "Heart failure", "Failing hearts were studied in mice.", { date: "2021", authors: ["Smith JA"] }, [0, 1]),
  stored("3", "Mice", "Nothing else.", { authors: ["Smithson B"], retracted: true }, [Math.SQRT1_2, Math.SQRT1_2]),
];

describe("searching", () => {
  test("words are ranked by BM25, those of other documents left out", async () => {
    const store = createExactStore();
    await store.put(three);
    const found = await store.byWords(["heart", "failur"], { condition: everything, limit: 10 });
    expect(found.map(({ id }) => id)).toEqual(["2", "1"]);
    // Document 2 has 8 words, "heart" twice and "failur" once; the mean is 7; two of three documents have each.
    const rare = Math.log(1 + 1.5 / 2.5);
    const part = (count: number): number => (rare * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * 8) / 7));
    expect(found[0]!.score).toBeCloseTo(part(2) + part(1), 9);
  });

  test.each([
    ["a phrase in the title", phrase("title", "heart failure"), ["2"]],
    ["a phrase outside the title", phrase("abstract", "heart failure"), ["1"]],
    ["a phrase anywhere", phrase("text", "heart failure"), ["2", "1"]],
    ["no phrase across the title's end", phrase("text", "stroke aspirin"), []],
    ["a beginning", { kind: "words", field: "text", words: ["aspirin", "red"], prefix: true }, ["1"]],
    ["an author's last name", { kind: "value", field: "author", value: "Smith", prefix: false }, ["2"]],
    ["an author's first initial", { kind: "value", field: "author", value: "smith j", prefix: false }, ["2"]],
    ["an author's beginning", { kind: "value", field: "author", value: "smith", prefix: true }, ["2", "3"]],
    ["a year", { kind: "dates", first: "2019", last: "2019" }, ["1"]],
    ["a month of a year that is all we know", { kind: "dates", first: "2021-05", last: "2021-05" }, ["2"]],
    ["what is not so", { kind: "not", of: { kind: "dates", first: null, last: null } }, ["3"]],
    ["nothing of no word", { kind: "words", field: "text", words: [], prefix: false }, []],
  ] as const)("finds %s, newest first", async (_, condition, ids) => {
    const store = createExactStore();
    await store.put(three);
    expect(await store.matching({ condition, limit: 10 })).toEqual({ total: ids.length, ids });
  });

  test("filters hold without case, and vectors are compared exactly", async () => {
    const store = createExactStore();
    await store.put(three);
    const filters = { mesh: ["ASPIRIN"], years: [2019, null], retracted: false } as const;
    expect((await store.matching({ condition: everything, filters, limit: 9 })).ids).toEqual(["1"]);
    const found = await store.byVector(Float32Array.of(0, 1), { condition: everything, limit: 2 });
    expect(found.map(({ id, score }) => [id, score])).toEqual([
      ["2", 1],
      ["3", Math.fround(Math.SQRT1_2)],
    ]);
  });

  test("a document that is put again or deleted leaves no word behind", async () => {
    const store = createExactStore();
    await store.put(three);
    await store.put([stored("2", "Kidneys", "Renal.", {}, [1, 0])]);
    expect(await store.delete(["1", "1", "none"])).toBe(1);
    expect(await store.count()).toBe(2);
    expect(await store.byWords(["heart", "stroke"], { condition: everything, limit: 10 })).toEqual([]);
    expect((await store.byWords(["renal"], { condition: everything, limit: 10 })).map(({ id }) => id)).toEqual(["2"]);
    expect(await store.get(["2", "1"])).toEqual([stored("2", "Kidneys", "Renal.", {}, [1, 0]), undefined]);
  });

  test("of a long document the passage with the words is given", async () => {
    const store = createExactStore();
    const document = documentOf("1", "", "Nothing here. Nothing there. Aspirin is here.");
    const passages = [
      { start: 0, end: 13 },
      { start: 14, end: 28 },
      { start: 29, end: 45 },
    ];
    await store.put([{ document, passages }]);
    expect(await store.byWords(["aspirin"], { condition: everything, limit: 1 })).toMatchObject([
      { start: 29, end: 45 },
    ]);
  });
});

const embedder: IndexEmbedder = {
  model: "mini",
  fingerprint: "0123",
  width: 2,
  weights: "float32",
  passageTokens: 256,
};
const file = (): string => join(folder, "documents-1.jsonl");
const idsOf = async (): Promise<string[]> => {
  await using store = await openStore(folder);
  const ids: string[] = [];
  for await (const { document } of store.all()) ids.push(document.id);
  return ids;
};
async function make(): Promise<void> {
  await using writer = await openStoreWriter(folder, { store: "exact", embedder });
  await writer.put(three);
}

describe("its folder", () => {
  test("gives back what was put, vectors and all, and readers see what is added later", async () => {
    await make();
    await using reader = await openStore(folder);
    expect(reader.manifest).toMatchObject({ store: "exact", embedder });
    expect(await reader.get(["1", "2", "3"])).toEqual(three);
    await using writer = await openStoreWriter(folder);
    await writer.put([stored("4", "New", "Text.", {}, [1, 0])]);
    await writer.delete(["1"]);
    expect(await reader.count()).toBe(3);
    await writer.optimise();
    expect((await reader.matching({ condition: everything, limit: 9 })).ids).toEqual(["2", "3", "4"]);
    expect((await readFile(join(folder, "documents-2.jsonl"), "utf8")).split("\n")).toHaveLength(5);
    await expect(readFile(file())).rejects.toThrow("ENOENT");
  });

  test("what was being written when a process ended is nobody's", async () => {
    await make();
    await appendFile(file(), '{"document":{"id":"half');
    expect(await idsOf()).toEqual(["1", "2", "3"]);
    await using writer = await openStoreWriter(folder);
    await writer.put([stored("4", "New", "Text.", {}, [1, 0])]);
    expect(await idsOf()).toEqual(["1", "2", "3", "4"]);
  });

  test("damage is named with its file, as is a file that is not there", async () => {
    await make();
    const text = await readFile(file(), "utf8");
    await writeFile(file(), text.replace("Heart failure was", "Heart failure is "));
    await expect(idsOf()).rejects.toThrow(/documents-1\.jsonl: byte \d+: expected a commit of the lines before it/);
    await rm(file());
    await expect(idsOf()).rejects.toThrow(DataError);
  });

  test("a second writer is refused by name, another model too", async () => {
    await make();
    await using _ = await openStoreWriter(folder, { embedder });
    await expect(openStoreWriter(folder)).rejects.toThrow(`got one of process ${process.pid}`);
  });

  test.each([
    [{ embedder: { ...embedder, model: "other", fingerprint: "4567" } }, /expected mini .*0123.*, got other .*4567/],
    [{ embedder: null }, /got no model/],
    [{ store: "lance" }, /store: expected exact, as the index has, got lance/],
  ] as const)("%o is refused where the index has another", async (options, message) => {
    await make();
    await expect(openStoreWriter(folder, options)).rejects.toThrow(message);
    await using _ = await openStoreWriter(folder);
  });

  test("other manifests, and folders of others, are refused", async () => {
    await expect(openStore(folder)).rejects.toThrow(/expected an index, got no index\.json/);
    await writeFile(join(folder, "thesis.txt"), "mine");
    await expect(openStoreWriter(folder)).rejects.toThrow(/got one with thesis\.txt/);
    await writeFile(join(folder, "index.json"), '{"format":"galen-index","schemaVersion":99}');
    await expect(openStore(folder)).rejects.toThrow(/schemaVersion: expected 1, got 99/);
    await writeFile(join(folder, "index.json"), "{}");
    await expect(openStore(folder)).rejects.toThrow(ConfigError);
    await writeFile(join(folder, "index.json"), "{");
    await expect(openStore(folder)).rejects.toThrow(/index\.json: expected JSON/);
    await truncate(join(folder, "index.json"));
    await expect(openStore(folder)).rejects.toThrow(ConfigError);
  });
});
