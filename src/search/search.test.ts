/** Opening an index: its own model by its fingerprint, a reranker, what is refused, and what others add meanwhile. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { ConfigError, DataError } from "../errors.ts";
import { modelFingerprint } from "../io/fingerprint.ts";
import { loadEmbedder } from "../retrieval/embedder.ts";
import { openStoreWriter } from "./open.ts";
import { openIndex } from "./search.ts";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../test/goldens/retrieval/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-open-index-"));
const model = join(folder, "model");
const [dense, words] = [join(folder, "dense"), join(folder, "words")];
const texts = ["Aspirin after stroke.", "Metformin in heart failure.", "Asthma in children."];
const documents = texts.map((abstract, i) => indexedDocument({ id: String(i), title: `Report ${i}`, abstract }));

beforeAll(async () => {
  cpSync(golden("mean"), model, { recursive: true });
  await using embedder = await loadEmbedder(model);
  const vectors = await embedder.embed(
    documents.map(({ text }) => text),
    { role: "document" },
  );
  const description = { source: model, fingerprint: await modelFingerprint(model), width: embedder.width };
  for (const [place, described] of [
    [dense, description],
    [words, null],
  ] as const) {
    await using writer = (await openStoreWriter(place, { model: described, passage: 2000 })).store;
    await writer.put(
      documents.map((document, i) => {
        const norm = Math.hypot(...vectors[i]!);
        const vector = described === null ? undefined : vectors[i]!.map((one) => one / norm);
        return { document, passages: [{ start: 0, end: document.text.length, vector }] };
      }),
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

test("an index with vectors is searched by both, with its own model", async () => {
  await using index = await openIndex(dense);
  expect(index.dense).toBe(true);
  const { hits, mode } = await index.search(documents[1]!.text);
  expect(mode).toBe("hybrid");
  expect(hits[0]!.id).toBe("1");
  expect((await index.search(documents[2]!.text, { mode: "dense" })).hits[0]!.score).toBeCloseTo(1, 4);
  const [vector] = await index.embed("query", ["stroke"]);
  expect(Math.hypot(...vector!)).toBeCloseTo(1, 5);
  expect((await index.similar("0")).hits).toHaveLength(2);
});

test("one without a model is searched by words, and needs none", async () => {
  await using index = await openIndex(words);
  expect(index.dense).toBe(false);
  const { hits, mode } = await index.search("asthma");
  expect([mode, hits[0]!.id]).toEqual(["text", "2"]);
});

test("a reranker orders the hits, and can be asked by itself", async () => {
  await using index = await openIndex(words, { reranker: golden("colbert") });
  const { hits } = await index.search("report", { limit: 3 });
  expect(hits).toHaveLength(3);
  expect(hits.every(({ ranks, score }) => ranks.rerank === score)).toBe(true);
  expect(await index.rerank!("report", ["a", "b"])).toHaveLength(2);
});

test("documents that are added meanwhile are found by the next search", async () => {
  await using index = await openIndex(words);
  expect((await index.search("naloxone")).hits).toEqual([]);
  const { store } = await openStoreWriter(words, { model: null, passage: 2000 });
  const late = indexedDocument({ id: "9", title: "Late", abstract: "Naloxone." });
  await store.put([{ document: late, passages: [{ start: 0, end: late.text.length }] }]);
  await store[Symbol.asyncDispose]();
  expect((await index.search("naloxone")).hits.map(({ id }) => id)).toEqual(["9"]);
});

describe("is refused", () => {
  test("a folder without an index", async () => {
    await expect(openIndex(join(folder, "nothing"))).rejects.toThrow(DataError);
  });

  test("a reranker that is none", async () => {
    await expect(openIndex(words, { reranker: folder })).rejects.toThrow(/config\.json/);
  });

  test("another model than the index's, by name, until the right one is named; words need neither", async () => {
    const moved = join(folder, "moved");
    cpSync(model, moved, { recursive: true });
    const settings = join(model, "config_sentence_transformers.json");
    writeFileSync(settings, '{"similarity_fn_name": "cosine", "prompts": {"query": "other: "}}');
    await using index = await openIndex(dense);
    await expect(index.search("stroke")).rejects.toThrow(ConfigError);
    await expect(index.search("stroke")).rejects.toThrow(/expected the index's own model/);
    expect((await index.search("stroke", { mode: "text" })).hits[0]!.id).toBe("0");
    await using again = await openIndex(dense, { model: moved });
    expect((await again.search("stroke")).mode).toBe("hybrid");
    rmSync(model, { recursive: true });
    await using gone = await openIndex(dense);
    await expect(gone.search("stroke")).rejects.toThrow(/got none/);
  });
});
