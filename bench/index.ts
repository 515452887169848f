/**
 * An index on disk: documents a second, bytes a document, p50 and p95 of a query by each mode, and how many of the ten
 * nearest the approximate search by vectors gives. Documents are texts of a corpus, and beyond their number the
 * sentences of two of them mixed. Vectors are synthetic, 384 numbers of unit length: one of 1,000 centres and noise as
 * large as it, both normal in all dimensions; queries are documents' with as much noise again. Clusters suit an index
 * of partitions, so that recall here is a best case: that of a model's own vectors has to be measured with them. No
 * model runs in this part. Then a test set in BEIR's layout by a real model, indexed and searched one query at a time,
 * beside txtai in the same run: hybrid, the same model, threads and documents.
 *
 *     PEERS_PYTHON=/path/to/python PYTHONPATH=/folder/with/txtai npx node bench/index.ts TEXTS.jsonl… \
 *         [--documents 200000] [--queries 200] [--store lance] [--set FOLDER --model MODEL_DIR] [--limit N] [--threads 2]
 */
import { mkdtempDisposableSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readDocuments } from "../src/corpus/documents.ts";
import { splitSentences } from "../src/corpus/sentences.ts";
import { inWindows, take } from "../src/io/streams.ts";
import { retrievalScores } from "../src/metrics/ranking.ts";
import { bestFirst } from "../src/search/exact.ts";
import { fuse } from "../src/search/fusion.ts";
import { indexDocuments } from "../src/search/index-documents.ts";
import type { StoreKind } from "../src/search/manifest.ts";
import { openStoreWriter } from "../src/search/open.ts";
import { openIndex } from "../src/search/search.ts";
import type { Found, StoredDocument, Wanted } from "../src/search/store.ts";
import { wordsOf } from "../src/search/words.ts";
import { readRetrievalSet } from "../src/tasks/retrieval-sets.ts";
import { random } from "../src/tensor/random.ts";
import { indexedDocument } from "../test/support/memory-index.ts";
import { machine, startPeer } from "./support/peer.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    documents: { type: "string", default: "200000" },
    queries: { type: "string", default: "200" },
    store: { type: "string", default: "lance" },
    set: { type: "string" },
    model: { type: "string" },
    limit: { type: "string", default: "Infinity" },
    threads: { type: "string", default: "2" },
  },
});

const [count, queries, threads] = [Number(values.documents), Number(values.queries), Number(values.threads)];
const kind = values.store as StoreKind;
const width = 384;
const seed = 13;
using scratch = mkdtempDisposableSync(join(tmpdir(), "galen-index-bench-"));
console.log(`${machine()}; ${kind}, ${count} documents, ${queries} queries a mode`);

const generator = random(seed);
function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((one) => one / length);
}
const direction = (): Float32Array => unit(Float32Array.from({ length: width }, () => generator.normal()));
const near = (vector: Float32Array): Float32Array => {
  const noise = direction();
  return unit(vector.map((one, i) => one + noise[i]!));
};
const centres = Array.from({ length: 1000 }, direction);

interface Text {
  readonly title: string;
  readonly text: string;
}

/** So many texts of an abstract's length: those of the corpus, then mixtures of their sentences. */
async function* texts(): AsyncGenerator<Text> {
  const real: Text[] = [];
  for await (const { title, text } of take(readDocuments(positionals), count)) {
    const one = { title, text: text.slice(0, 2000) };
    real.push(one);
    yield one;
  }
  for (let i = real.length; i < count; i++) {
    const [one, other] = [real[generator.integer(real.length)]!, real[generator.integer(real.length)]!];
    const sentences = [one, other].flatMap(({ text }) =>
      splitSentences(text)
        .filter(() => generator.next() < 0.5)
        .map(([start, end]) => text.slice(start, end)),
    );
    yield { title: other.title, text: sentences.join(" ") };
  }
}

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

/** The ten nearest of all vectors. */
function nearest(all: readonly Float32Array[], query: Float32Array): string[] {
  const scored = all.map((vector, i) => {
    let score = 0;
    for (let k = 0; k < width; k++) score += vector[k]! * query[k]!;
    return { id: String(i), score };
  });
  return bestFirst(scored, 10).map(({ id }) => id);
}

async function large(): Promise<void> {
  const folder = join(scratch.path, "large");
  const model = { source: "synthetic", fingerprint: "synthetic", width };
  await using store = (await openStoreWriter(folder, { model, passage: 2000, store: kind })).store;
  const vectors: Float32Array[] = [];
  const titles: string[] = [];
  let [putting, text] = [0, 0];
  for await (const some of inWindows(texts(), 2048)) {
    const documents = some.map(({ title, text: abstract }, i): StoredDocument => {
      const vector = near(centres[generator.integer(centres.length)]!);
      const date = String(1990 + generator.integer(35));
      const more = { date, year: Number(date) };
      const document = indexedDocument({ id: String(vectors.length), title, abstract, more });
      vectors.push(vector);
      if (i % 16 === 0) titles.push(title);
      text += document.text.length;
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
  const each = (bytesOf(folder) / count).toFixed(0);
  console.log(`disk                     ${each} bytes a document; its text ${(text / count).toFixed(0)} characters`);

  const words = Array.from({ length: queries }, () => {
    const all = wordsOf(titles[generator.integer(titles.length)]!).filter((word) => word.length > 3);
    return all.slice(0, 2 + generator.integer(3));
  });
  const wanted: Wanted = { condition: { kind: "everything" }, limit: 10 };
  const recent: Wanted = { ...wanted, filters: { years: [2015, null] } };
  const points = Array.from({ length: queries }, () => near(vectors[generator.integer(vectors.length)]!));
  await timed("text", queries, (i) => store.byWords(words[i]!, wanted));
  await timed("text, by year", queries, (i) => store.byWords(words[i]!, recent));
  await timed("text, a phrase", queries, (i) => {
    const condition = { kind: "words", field: "text", words: words[i]!.slice(0, 2), prefix: false } as const;
    return store.byWords(words[i]!, { ...wanted, condition });
  });
  const found = await timed("dense", queries, (i) => store.byVector(points[i]!, wanted));
  await timed("dense, by year", queries, (i) => store.byVector(points[i]!, recent));
  await timed("hybrid (100 of each)", queries, async (i): Promise<readonly Found[]> => {
    const deep = { ...wanted, limit: 100 };
    return fuse(await Promise.all([store.byWords(words[i]!, deep), store.byVector(points[i]!, deep)])).slice(0, 10);
  });
  const checked = Math.min(queries, 50);
  const recall = points.slice(0, checked).reduce((sum, point, i) => {
    const exact = new Set(nearest(vectors, point));
    return sum + found[i]!.filter(({ id }) => exact.has(id)).length / Math.min(10, count);
  }, 0);
  console.log(`recall@10, dense         ${(recall / checked).toFixed(3)} of ${checked} queries, against all vectors`);
}

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
  // Its queries are sentences, not PubMed's language: marks in them mean nothing.
  const plain = (text: string): string => text.replaceAll(/[^\p{L}\p{N}\s-]/gu, " ");
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

if (count > 0) await large();
if (values.set !== undefined && values.model !== undefined) await beside(values.set, values.model);
