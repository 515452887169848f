import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { random as seeded } from "../tensor/random.ts";
import { indexDocuments, type IndexDocumentsOptions } from "./index-documents.ts";
import { storeKinds } from "./manifest.ts";
import { openStore, openStoreWriter } from "./open.ts";
import type { StoredDocument } from "./store.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-index-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let next = 0;
const fresh = (): string => join(scratch, String(next++));

function linesFile(lines: readonly object[], name = "input.jsonl"): string {
  const folder = fresh();
  mkdirSync(folder);
  writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return join(folder, name);
}

async function stored(folder: string): Promise<Map<string, StoredDocument>> {
  const { store } = await openStore(folder);
  await using _ = store;
  const found = new Map<string, StoredDocument>();
  for await (const one of store.all()) {
    expect(found.has(one.document.id)).toBe(false);
    found.set(one.document.id, one);
  }
  expect(await store.count()).toBe(found.size);
  return found;
}

const record = (pmid: number, title: string, more = "", version = 1): string =>
  `<PubmedArticle><MedlineCitation><PMID Version="${version}">${pmid}</PMID><Article><ArticleTitle>${title}</ArticleTitle><Abstract><AbstractText>An abstract.</AbstractText></Abstract></Article>${more}</MedlineCitation></PubmedArticle>`;
const corrects = (type: string, pmid: number): string =>
  `<CommentsCorrectionsList><CommentsCorrections RefType="${type}"><RefSource>A</RefSource><PMID Version="1">${pmid}</PMID></CommentsCorrections></CommentsCorrectionsList>`;
function xmlFile(...parts: readonly string[]): string {
  const folder = fresh();
  mkdirSync(folder);
  writeFileSync(join(folder, "a.xml"), `<PubmedArticleSet>${parts.join("")}</PubmedArticleSet>`);
  return join(folder, "a.xml");
}

describe("what an index holds", () => {
  test("a second call adds what is new, changes what has changed, and leaves the rest", async () => {
    const output = fresh();
    const first = linesFile([
      { id: "a", text: "one" },
      { id: "b", text: "two" },
    ]);
    expect(await indexDocuments([first], { output })).toMatchObject({ documents: 2, added: 2, changed: 0 });
    const second = linesFile([
      { id: "b", text: "two, changed" },
      { id: "a", text: "one" },
      { id: "c", text: "three" },
    ]);
    const summary = await indexDocuments([second], { output });
    expect(summary).toMatchObject({ documents: 3, added: 1, changed: 1, unchanged: 1 });
    expect((await stored(output)).get("b")!.document.text).toBe("two, changed");
    expect(await indexDocuments([second], { output })).toMatchObject({ added: 0, changed: 0, unchanged: 3 });
    expect(await indexDocuments([], { output, delete: ["a", "a", "nobody"] })).toMatchObject({
      documents: 2,
      deleted: 1,
    });
    expect([...(await stored(output)).keys()].sort()).toEqual(["b", "c"]);
  });

  test("of a record that comes twice the higher version counts, and withdrawals take out", async () => {
    const output = fresh();
    const input = xmlFile(
      record(1, "Second", "", 2),
      record(1, "First", "", 1),
      record(2, "Gone"),
      `<DeleteCitation><PMID Version="1">2</PMID></DeleteCitation>`,
    );
    expect(await indexDocuments([input], { output })).toMatchObject({ documents: 1, repeated: 0 });
    expect([...(await stored(output)).values()].map(({ document }) => document.title)).toEqual(["Second"]);
    const twice = linesFile([
      { id: "x", text: "one" },
      { id: "x", text: "two" },
    ]);
    expect(await indexDocuments([twice], { output })).toMatchObject({ documents: 2, repeated: 1 });
  });

  test("a notice marks what it retracts, before it and after, in this run and in others", async () => {
    const output = fresh();
    await indexDocuments([xmlFile(record(1, "Earlier run"), record(2, "Sound"))], { output });
    await indexDocuments([xmlFile(record(3, "Before"), record(9, "Notice", corrects("RetractionOf", 3)))], { output });
    await indexDocuments([xmlFile(record(8, "Notice", corrects("RetractionOf", 1)))], { output });
    await indexDocuments([xmlFile(record(7, "Notice", corrects("RetractionOf", 4)))], { output });
    await indexDocuments([xmlFile(record(4, "Afterwards"), record(3, "Before"))], { output });
    const retracted = [...(await stored(output)).values()].filter(({ document }) => document.retracted);
    expect(retracted.map(({ document }) => document.id).sort()).toEqual(["1", "3", "4"]);
  });

  test("failures are told of, and what can be read is indexed", async () => {
    const output = fresh();
    const failures: unknown[] = [];
    const input = linesFile([{ id: "a", text: "one" }, { id: "b" }]);
    const summary = await indexDocuments([input], { output, onFailure: (failure) => failures.push(failure) });
    expect(summary).toMatchObject({ documents: 1, failures: 1 });
    expect(failures).toHaveLength(1);
    await expect(indexDocuments([input], { output })).rejects.toThrow(DataError);
  });

  test("nothing to do is said", async () => {
    await expect(indexDocuments([], { output: fresh() })).rejects.toThrow(ConfigError);
  });
});

describe("one writer, many readers", () => {
  test.each(storeKinds)("a reader sees what is added; a second writer is refused by name: %s", async (kind) => {
    const output = fresh();
    await indexDocuments([linesFile([{ id: "a", text: "aspirin" }])], { output, store: kind });
    const { store } = await openStore(output);
    await using _ = store;
    const wanted = { condition: { kind: "everything" }, limit: 10 } as const;
    expect(await store.byWords(["aspirin"], wanted)).toHaveLength(1);
    {
      await using writer = (await openStoreWriter(output, { model: null, passage: 2000 })).store;
      await expect(openStoreWriter(output, { model: null, passage: 2000 })).rejects.toThrow(/no other run writes/);
      const [one] = await writer.get(["a"]);
      await writer.put([{ ...one!, document: { ...one!.document, id: "b" } }]);
      expect(await store.byWords(["aspirin"], wanted)).toHaveLength(2);
      await writer.optimise();
      await writer.delete(["a"]);
      expect((await store.byWords(["aspirin"], wanted)).map(({ id }) => id)).toEqual(["b"]);
    }
  });

  test("an index is moved to another store with its vectors, and back; what was open says so", async () => {
    const output = fresh();
    const model = { source: "org/model", fingerprint: "0123", width: 2 };
    {
      await using writer = (await openStoreWriter(output, { model, passage: 2000, store: "exact" })).store;
      const document = indexedDocument({ id: "a", title: "Aspirin", abstract: "Aspirin reduces stroke." });
      const vector = Float32Array.of(0.6, 0.8);
      await writer.put([{ document, passages: [{ start: 0, end: document.text.length, vector }] }]);
    }
    const before = await stored(output);
    const { store } = await openStore(output);
    await using _ = store;
    expect(await store.count()).toBe(1);
    for (const kind of ["lance", "exact"] as const) {
      expect(await indexDocuments([], { output, store: kind })).toMatchObject({ store: kind, documents: 1 });
      expect(await stored(output)).toEqual(before);
      if (kind === "lance") await expect(store.count()).rejects.toThrow(/open it again/);
    }
  });

  test("another model is refused by name", async () => {
    const output = fresh();
    await indexDocuments([linesFile([{ id: "a", text: "aspirin" }])], { output });
    const model = { source: "org/model", fingerprint: "0123", width: 4 };
    await expect(openStoreWriter(output, { model, passage: 2000 })).rejects.toThrow(
      /model: expected none, as the index has, got org\/model \(0123\)/,
    );
  });
});

describe("damaged indexes", () => {
  const index = async (): Promise<string> => {
    const output = fresh();
    await indexDocuments([linesFile([{ id: "a", text: "aspirin" }])], { output, store: "exact" });
    return output;
  };
  const segment = (folder: string): string =>
    join(
      folder,
      "exact",
      readdirSync(join(folder, "exact")).find((name) => name.endsWith(".jsonl"))!,
    );

  test.each([
    ["no manifest", (folder: string): void => rmSync(join(folder, "index.json")), /index\.json/],
    [
      "a manifest of another version",
      (folder: string): void => writeFileSync(join(folder, "index.json"), '{"format":"galen-index","schemaVersion":9}'),
      /schemaVersion/,
    ],
    ["no segment", (folder: string): void => rmSync(segment(folder)), /\.jsonl/],
    [
      "a segment cut short",
      (folder: string): void => writeFileSync(segment(folder), readFileSync(segment(folder), "utf8").slice(0, 60)),
      /:1: expected a document of the index/,
    ],
    [
      "a passage beyond its text",
      (folder: string): void =>
        writeFileSync(segment(folder), readFileSync(segment(folder), "utf8").replace("[[0,7]]", "[[0,8]]")),
      /:1: expected a document of the index/,
    ],
    [
      "a segment's name that leads elsewhere",
      (folder: string): void =>
        writeFileSync(join(folder, "exact/segments.json"), '{"generation":1,"ordered":1,"segments":["../../x"]}'),
      /segments/,
    ],
  ] as const)("%s", async (_, damage, message) => {
    const folder = await index();
    damage(folder);
    await expect(stored(folder)).rejects.toThrow(message);
    await expect(stored(folder)).rejects.toThrow(DataError);
  });
});

/** Adds documents 0 to 59 in many small calls, again and again until it is killed. */
const worker = `
import { indexDocuments } from ${JSON.stringify(fileURLToPath(new URL("index-documents.ts", import.meta.url)))};
const [output, store, ...inputs] = process.argv.slice(1);
for (;;) for (const input of inputs) { await indexDocuments([input], { output, store }); process.stdout.write("."); }
`;

describe("kill -9", () => {
  test.each(storeKinds)("at any moment loses and doubles nothing: %s", { timeout: 240_000 }, async (store) => {
    const output = fresh();
    const part = (from: number, word: string): string =>
      linesFile(Array.from({ length: 20 }, (_, i) => ({ id: `d${from + i}`, text: `${word} ${from + i}` })));
    const inputs = [part(0, "first"), part(10, "second"), part(0, "third"), part(20, "fourth")];
    const options: IndexDocumentsOptions = { output, store };
    for (const input of inputs) await indexDocuments([input], options);
    const random = seeded(13);
    for (let round = 0; round < 25; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", worker, output, store, ...inputs], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      // The first dot: it is at work.
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await wait(random.next() * 60);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      const found = await stored(output);
      expect(found.size).toBe(40);
      for (const [id, { document, passages }] of found) {
        expect(document.text).toMatch(new RegExp(`^(first|second|third|fourth) ${id.slice(1)}$`));
        expect(passages).toEqual([{ start: 0, end: document.text.length }]);
      }
    }
    expect(await indexDocuments([inputs[0]!], options)).toMatchObject({ documents: 40 });
  });
});
