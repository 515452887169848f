/**
 * Quality of an index's modes on a test set in BEIR's layout, or on BioASQ's golden files: nDCG@10, recall@100 and the
 * hits of searches as `galen search` makes them, over the exact store; and what other fusions would give. Not a timing.
 *
 *     npx node bench/search.ts FOLDER[:split, default dev] MODEL [RERANKER…] [--queries N]
 *
 * Of BioASQ the collection is the documents that snippets of its questions come from, each with the text of its snippets
 * alone (the golden files hold no more), and the questions whose gold documents are among them: far smaller than PubMed,
 * and every document answers something, so that figures are comparable with one another and with nothing else.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bootstrap } from "../src/metrics/bootstrap.ts";
import { mean } from "../src/metrics/counts.ts";
import { type Judgements, ndcg, retrievalScores } from "../src/metrics/ranking.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import type { TokenVectors } from "../src/retrieval/max-sim.ts";
import { type Encoder, openScorer, type Scorer } from "../src/retrieval/scorers.ts";
import { createExactStore } from "../src/search/exact.ts";
import { fuse } from "../src/search/fusion.ts";
import { searchStore } from "../src/search/over-store.ts";
import { rerankerOf } from "../src/search/reranker.ts";
import type { Found } from "../src/search/store.ts";
import type { IndexedDocument } from "../src/search/types.ts";
import { readRetrievalSet } from "../src/tasks/retrieval-sets.ts";
import { indexedDocument } from "../test/support/memory-index.ts";
import { readBioasq } from "./support/bioasq.ts";
import { machine } from "./support/peer.ts";

interface TestSet {
  readonly documents: readonly IndexedDocument[];
  readonly queries: ReadonlyMap<string, string>;
  readonly judgements: ReadonlyMap<string, Judgements>;
}

async function beir(folder: string, split: string): Promise<TestSet> {
  const { documents, queries, judgements } = await readRetrievalSet(folder, split);
  const read: IndexedDocument[] = [];
  for await (const { id, title, text } of documents) read.push(indexedDocument({ id, title, abstract: text }));
  return { documents: read, queries, judgements };
}

async function bioasq(folder: string): Promise<TestSet> {
  const { questions, documents } = await readBioasq(folder);
  const known = new Set(documents.map(({ id }) => id));
  const judged = questions.map(({ id, documents: gold }): [string, Judgements] => [
    id,
    new Map([...gold].filter((one) => known.has(one)).map((one) => [one, 1])),
  ]);
  return {
    documents,
    queries: new Map(questions.map(({ id, text }) => [id, text])),
    judgements: new Map(judged.filter(([, one]) => one.size > 0)),
  };
}

/** Scores of each list from 0 to 1, summed: what the store's reciprocal ranks are compared with. */
function weighted(lists: readonly (readonly Found[])[], weights: readonly number[]): string[] {
  const sums = new Map<string, number>();
  lists.forEach((list, which) => {
    const [most, least] = [list[0]?.score ?? 1, list.at(-1)?.score ?? 0];
    for (const { id, score } of list) {
      const own = most === least ? 1 : (score - least) / (most - least);
      sums.set(id, (sums.get(id) ?? 0) + weights[which]! * own);
    }
  });
  return [...sums].sort(([, a], [, b]) => b - a).map(([id]) => id);
}

function reciprocal(lists: readonly (readonly Found[])[], k: number): string[] {
  const sums = new Map<string, number>();
  for (const list of lists) list.forEach(({ id }, i) => sums.set(id, (sums.get(id) ?? 0) + 1 / (k + i + 1)));
  return [...sums].sort(([, a], [, b]) => b - a).map(([id]) => id);
}

/** Documents are encoded once, whichever queries find them. */
function remembering(scorer: Scorer): Scorer {
  const { encoder } = scorer;
  if (encoder === undefined) return scorer;
  const known = new Map<string, TokenVectors>();
  const encode: Encoder["encode"] = async (role, texts) => {
    if (role === "query") return encoder.encode(role, texts);
    const fresh = [...new Set(texts)].filter((text) => !known.has(text));
    (await encoder.encode(role, fresh)).forEach((vectors, i) => known.set(fresh[i]!, vectors));
    return texts.map((text) => known.get(text)!);
  };
  return { ...scorer, encoder: { ...encoder, encode } };
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { queries: { type: "string" } } });
const [place, model, ...rerankers] = positionals;
if (place === undefined || model === undefined)
  throw new Error("node bench/search.ts FOLDER[:split] MODEL [RERANKER…]");
const [folder, split = "dev"] = place.split(":") as [string, string?];
const set = existsSync(join(folder, "corpus.jsonl")) ? await beir(folder, split) : await bioasq(folder);
const ids = [...set.judgements.keys()].filter((id) => set.queries.has(id)).slice(0, Number(values.queries ?? Infinity));

await using embedder = await loadEmbedder(model);
const embed = async (role: "query" | "document", texts: readonly string[]): Promise<Float32Array[]> =>
  (await embedder.embed(texts, { role })).map((vector) => {
    const norm = Math.hypot(...vector);
    return norm === 0 ? vector : vector.map((one) => one / norm);
  });
const store = createExactStore();
for (let at = 0; at < set.documents.length; at += 256) {
  const some = set.documents.slice(at, at + 256);
  const vectors = await embed(
    "document",
    some.map(({ text }) => text),
  );
  await store.put(
    some.map((document, i) => ({ document, passages: [{ start: 0, end: document.text.length, vector: vectors[i] }] })),
  );
  process.stderr.write(`\r${at + some.length} of ${set.documents.length} documents`);
}
process.stderr.write("\n");

const rankings = new Map<string, Map<string, string[]>>();
const keep = (name: string, query: string, ranking: string[]): void => {
  const own = rankings.get(name) ?? new Map<string, string[]>();
  rankings.set(name, own.set(query, ranking));
};
/** Questions are words, whatever signs they hold: a bracket or a quotation mark is no operator here. */
const wordsOf = (id: string): string => set.queries.get(id)!.replaceAll(/["“”„()[\]*]|\b(?:AND|OR|NOT)\b/g, " ");
const idsOf = (found: readonly { readonly id: string }[]): string[] => found.map((one) => one.id);
const plain = searchStore({ folder, store, embed });
for (const id of ids) {
  const lists: Found[][] = [];
  for (const mode of ["text", "dense"] as const) {
    const { hits } = await plain.search(wordsOf(id), { mode, limit: 100 });
    keep(mode, id, idsOf(hits));
    lists.push(hits.map(({ id, score }) => ({ id, score })));
  }
  keep("hybrid", id, idsOf(fuse(lists)));
  for (const k of [20, 60]) keep(`reciprocal ranks, k ${k}`, id, reciprocal(lists, k));
  for (const part of [0.3, 0.5, 0.7]) keep(`scores, words × ${part}`, id, weighted(lists, [part, 1 - part]));
}
for (const source of rerankers) {
  await using scorer = await openScorer(source);
  const index = searchStore({ folder, store, embed, rerank: rerankerOf(remembering(scorer)) });
  for (const id of ids) {
    const { hits } = await index.search(wordsOf(id), { limit: 100 });
    keep(
      `hybrid, first 100 by ${source}`,
      id,
      hits.map((hit) => hit.id),
    );
  }
}

const judged = new Map(ids.map((id) => [id, set.judgements.get(id)!]));
console.log(`${machine()}; ${place}: ${set.documents.length} documents, ${ids.length} queries; ${model}\n`);
console.log("| | nDCG@10 | above hybrid (95 %) | recall@10 | recall@100 |\n| --- | ---: | ---: | ---: | ---: |");
for (const [name, ranking] of rankings) {
  const [ten, hundred] = [retrievalScores(ranking, judged, 10), retrievalScores(ranking, judged, 100)];
  const hybrid = rankings.get("hybrid")!;
  const gains = [...judged].map(([id, one]) => ndcg(ranking.get(id)!, one, 10) - ndcg(hybrid.get(id)!, one, 10));
  const { low, high } = bootstrap(gains, mean, { seed: 1 });
  const figures = [
    ten.ndcg.toFixed(4),
    `${low.toFixed(4)} to ${high.toFixed(4)}`,
    ten.recall.toFixed(4),
    hundred.recall.toFixed(4),
  ];
  console.log(`| ${name} | ${figures.join(" | ")} |`);
}
