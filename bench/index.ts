/**
 * An index on disk: documents a second, bytes a document, p50 and p95 of a search by each mode, totals and documents
 * included, the query's own vector not, and what the approximate search by vectors finds of the exact one's first ten and
 * hundred. Documents and vectors are real ones, made beforehand by index-passages.ts; questions are those of a test set in
 * BEIR's layout, by the same model; dates are drawn. Each number of documents is an index of its own, so that what grows
 * how is seen. Then the set itself, indexed and searched one query at a time, beside txtai in the same run: hybrid, the
 * same model, threads and documents.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/index.ts --set FOLDER --model MODEL_DIR [--limit N] [--threads 2] \
 *         [--passages FOLDER] [--documents 50000,100000,200000] [--queries 200]
 */
import { mkdtempDisposableSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readLines } from "../src/io/lines.ts";
import { inWindows, take } from "../src/io/streams.ts";
import { retrievalScores } from "../src/metrics/ranking.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { dot, unit } from "../src/retrieval/vector-similarity.ts";
import { createBest } from "../src/search/exact.ts";
import { indexDocuments } from "../src/search/index-documents.ts";
import { openStoreWriter } from "../src/search/open.ts";
import { searchStore } from "../src/search/over-store.ts";
import { openIndex } from "../src/search/search.ts";
import type { StoredDocument, StoreWriter, Wanted } from "../src/search/store.ts";
import type { SearchOptions } from "../src/search/types.ts";
import { wordsOf } from "../src/search/words.ts";
import { readRetrievalSet } from "../src/tasks/retrieval-sets.ts";
import { random } from "../src/tensor/random.ts";
import { indexedDocument } from "../test/support/memory-index.ts";
import { machine, startPeer } from "./support/peer.ts";

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "50000,100000,200000" },
    passages: { type: "string" },
    queries: { type: "string", default: "200" },
    set: { type: "string" },
    model: { type: "string" },
    limit: { type: "string", default: "Infinity" },
    threads: { type: "string", default: "2" },
  },
});

const [queries, threads] = [Number(values.queries), Number(values.threads)];
const width = 384;
using scratch = mkdtempDisposableSync(join(tmpdir(), "galen-index-bench-"));
console.log(machine());

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
}

async function timed<T>(label: string, runs: number, run: (i: number) => Promise<T>): Promise<T[]> {
  const times: number[] = [];
  const results: T[] = [];
  await run(0);
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    results.push(await run(i));
    times.push(performance.now() - start);
  }
  console.log(`${label.padEnd(24)} p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms`);
  return results;
}

/** Rows of the nearest of so many vectors, of those that are wanted. */
function nearest(all: Float32Array, query: Float32Array, most: number, isWanted: (row: number) => boolean): string[] {
  const { offer, best } = createBest(String, most);
  for (let row = 0; row < all.length / width; row++) {
    if (isWanted(row)) offer(row, dot(query, all.subarray(row * width, (row + 1) * width)));
  }
  return best().map(({ number }) => String(number));
}

interface Question {
  readonly text: string;
  readonly vector: Float32Array;
}

async function questionsOf(set: string, model: string): Promise<Question[]> {
  const { queries: asked } = await readRetrievalSet(set, "dev");
  const texts = [...asked.values()].map(plain).slice(0, queries);
  await using embedder = await loadEmbedder(model, { threads });
  const vectors = await embedder.embed(texts, { role: "query" });
  return texts.map((text, i) => ({ text, vector: unit(vectors[i]!) }));
}

/** Reads the first so many passages and puts them into an index. @returns the year of each. */
async function fill(passages: string, store: StoreWriter, count: number, vectors: Float32Array): Promise<number[]> {
  const generator = random(13);
  const years: number[] = [];
  let [putting, characters] = [0, 0];
  for await (const some of inWindows(take(readLines(join(passages, "texts.jsonl")), count), 2048)) {
    const documents = some.map(({ text: line }): StoredDocument => {
      const { title, text } = JSON.parse(line) as { title: string; text: string };
      const row = years.length;
      const date = String(1990 + generator.integer(35));
      years.push(Number(date));
      const document = indexedDocument({ id: String(row), title, abstract: text, more: { date, year: Number(date) } });
      characters += document.text.length;
      const vector = vectors.slice(row * width, (row + 1) * width);
      return { document, passages: [{ start: 0, end: document.text.length, vector }] };
    });
    const start = performance.now();
    await store.put(documents);
    putting += performance.now() - start;
  }
  const start = performance.now();
  await store.optimise();
  const building = performance.now() - start;
  const rate = (count / ((putting + building) / 1000)).toFixed(0);
  const seconds = `${(putting / 1000).toFixed(1)} s of adding, ${(building / 1000).toFixed(1)} s of indexes`;
  console.log(`indexing                 ${rate} documents/s (${seconds})`);
  console.log(`text                     ${(characters / count).toFixed(0)} characters a document`);
  return years;
}

async function large(passages: string, count: number, asked: readonly Question[]): Promise<void> {
  const folder = join(scratch.path, `large-${count}`);
  const file = await readFile(join(passages, "vectors.f32"));
  const vectors = new Float32Array(file.buffer, file.byteOffset, count * width);
  const model = { source: "given", fingerprint: "given", width };
  console.log(`\n${count} documents, ${asked.length} questions a mode`);
  await using store = (await openStoreWriter(folder, { model, passage: 2000, store: "lance" })).store;
  const years = await fill(passages, store, count, vectors);
  for (const part of readdirSync(join(folder, "lance/passages.lance"))) {
    const each = (bytesOf(join(folder, "lance/passages.lance", part)) / count).toFixed(0);
    if (each !== "0") console.log(`disk, ${part.padEnd(18)} ${each} bytes a document`);
  }
  let vector = asked[0]!.vector;
  await using index = searchStore({ folder, store, embed: async () => [vector] });
  const filters = { years: [2015, null] } as const;
  const phrase = (text: string): string => `"${wordsOf(text).slice(0, 2).join(" ")}"`;
  const searching =
    (options: SearchOptions, query = (text: string) => text) =>
    (i: number) => {
      vector = asked[i]!.vector;
      return index.search(query(asked[i]!.text), options);
    };
  await timed("text", asked.length, searching({ mode: "text" }));
  await timed("text, by year", asked.length, searching({ mode: "text", filters }));
  await timed("text, a phrase", asked.length, searching({ mode: "text" }, phrase));
  await timed("dense", asked.length, searching({ mode: "dense" }));
  await timed("dense, by year", asked.length, searching({ mode: "dense", filters }));
  await timed("hybrid", asked.length, searching({ mode: "hybrid" }));
  await timed("hybrid, by year", asked.length, searching({ mode: "hybrid", filters }));
  const checked = asked.slice(0, 100);
  for (const [name, limit, first] of [
    ["recall@10, dense", 10, -Infinity],
    ["recall@100, dense", 100, -Infinity],
    ["recall@10, by year", 10, 2015],
  ] as const) {
    let sum = 0;
    for (const { vector: point } of checked) {
      const exact = new Set(nearest(vectors, point, limit, (row) => years[row]! >= first));
      const wanted: Wanted = { condition: { kind: "everything" }, limit, ...(first > 0 ? { filters } : {}) };
      const found = await store.byVector(point, wanted);
      sum += found.filter(({ id }) => exact.has(id)).length / limit;
    }
    console.log(`${name.padEnd(24)} ${(sum / checked.length).toFixed(3)} of ${checked.length} questions`);
  }
}

/** Questions are sentences, not PubMed's language: marks in them mean nothing. */
const plain = (text: string): string => text.replaceAll(/[^\p{L}\p{N}\s-]/gu, " ");

async function beside(set: string, model: string): Promise<void> {
  const { documents, queries: asked, judgements } = await readRetrievalSet(set, "dev");
  const rows: { id: string; title: string; text: string }[] = [];
  for await (const { id, title = "", text } of take(documents, Number(values.limit))) rows.push({ id, title, text });
  const known = new Set(rows.map(({ id }) => id));
  const judged = new Map(
    [...judgements].map(([id, one]) => [id, new Map([...one].filter(([document]) => known.has(document)))]),
  );
  const input = join(scratch.path, "set.jsonl");
  writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const ids = [...asked.keys()];
  const say = (name: string, seconds: number, times: readonly number[], rankings: readonly string[][]): void => {
    const { ndcg } = retrievalScores(new Map(ids.map((id, i) => [id, rankings[i]!])), judged, 10);
    const rate = `${(rows.length / seconds).toFixed(1)} documents/s`;
    const query = `query p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms`;
    console.log(`${name.padEnd(24)} ${rate}; ${query}; nDCG@10 ${ndcg.toFixed(4)}`);
  };
  console.log(`${set}: ${rows.length} documents, ${ids.length} queries, hybrid by ${model}, ${threads} threads`);

  const output = join(scratch.path, "set");
  const start = performance.now();
  await indexDocuments([input], { output, model, threads, store: "exact" });
  const seconds = (performance.now() - start) / 1000;
  for (const store of ["exact", "lance"] as const) {
    await indexDocuments([], { output, store });
    const { times, rankings } = await hybrid(output, asked);
    say(`galen, ${store}`, seconds, times, rankings);
  }

  using peer = startPeer(new URL("index.py", import.meta.url), model, String(threads));
  if (peer === undefined) return console.log("txtai                    none: PEERS_PYTHON names no Python");
  const name = await peer.ask<string>();
  const texts = rows.map(({ id, title, text }) => [id, title === "" ? text : `${title} ${text}`]);
  const { seconds: theirs } = await peer.ask<{ seconds: number }>({ index: texts });
  const answer = await peer.ask<{ times: number[]; rankings: string[][] }>({ search: ids.map((id) => asked.get(id)!) });
  say(name, theirs, answer.times, answer.rankings);
}

async function hybrid(
  folder: string,
  asked: ReadonlyMap<string, string>,
): Promise<{ times: number[]; rankings: string[][] }> {
  await using index = await openIndex(folder, { threads });
  const questions = [...asked.values()].map(plain);
  for (const text of questions.slice(0, 10)) await index.search(text, { mode: "hybrid" });
  const times: number[] = [];
  const rankings: string[][] = [];
  for (const text of questions) {
    const began = performance.now();
    const { hits } = await index.search(text, { mode: "hybrid", limit: 10 });
    times.push(performance.now() - began);
    rankings.push(hits.map((hit) => hit.id));
  }
  return { times, rankings };
}

if (values.set === undefined || values.model === undefined) throw new Error("--set and --model are needed");
const asked = values.passages === undefined ? [] : await questionsOf(values.set, values.model);
for (const count of values.passages === undefined ? [] : values.documents.split(",")) {
  await large(values.passages!, Number(count), asked);
}
await beside(values.set, values.model);
