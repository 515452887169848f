/** Retrieval over a test set in BEIR's layout: nDCG, recall, MRR and MAP, of a first stage or of a reranker behind BM25. */
import { titleAndText } from "../corpus/text.ts";
import { ConfigError, DataError } from "../errors.ts";
import { mean } from "../metrics/counts.ts";
import {
  type Judgements,
  ndcg,
  rankByScore,
  rankingAveragePrecision,
  recallAt,
  reciprocalRank,
} from "../metrics/ranking.ts";
import { detail, figure, type Report } from "../metrics/report.ts";
import { type Bm25, createBm25 } from "../retrieval/bm25.ts";
import type { TokenVectors } from "../retrieval/max-sim.ts";
import type { Encoder, Scorer } from "../retrieval/scorers.ts";
import type { RetrievalSet } from "../tasks/retrieval-sets.ts";
import { textsHasher } from "./protocol.ts";
import type { ExampleRecord } from "./records.ts";
import { runEvaluation } from "./run.ts";
import { packVectors, unpackVectors, type WindowOptions, type Windows } from "./windows.ts";

interface Row {
  readonly ranking: readonly string[];
  readonly judgements: Judgements;
}

const over =
  (metric: (ranking: readonly string[], judgements: Judgements, k: number) => number, k: number) =>
  (rows: readonly Row[]): number =>
    mean(rows.map(({ ranking, judgements }) => metric(ranking, judgements, k)));

const measures = [
  ["ndcg@10", "nDCG@10 (trec_eval's)", over(ndcg, 10)],
  ["recall@10", "relevant documents among the first 10", over(recallAt, 10)],
  ["recall@100", "relevant documents among the first 100", over(recallAt, 100)],
  ["mrr@10", "mean of 1 / rank of the first relevant, of 10", over(reciprocalRank, 10)],
  ["map@100", "mean average precision of the first 100", over(rankingAveragePrecision, 100)],
] as const;

export interface RetrievalOptions extends WindowOptions {
  /** Ranked documents that are kept of each query. */
  readonly depth?: number;
  /** Documents that BM25 gives a reranker. */
  readonly candidates?: number;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
}

type Query = readonly [id: string, text: string];
type Hit = readonly [id: string, score: number];

/** As trec_eval: ties by descending id. */
const better = ([idA, a]: Hit, [idB, b]: Hit): number => b - a || (idA < idB ? 1 : -1);

/**
 * A document that has the query's own id (where queries are documents, as in ArguAna and Quora) is left out of its
 * ranking, as BEIR does. Documents are read twice, once for the protocol's fingerprint, and held window by window: of each query its best
 * `depth` are kept, for BM25 the counts of words.
 * @throws ConfigError where no query of the split has a relevant document; DataError where an id stands twice.
 */
export async function evaluateRetrieval(
  scorer: Scorer,
  set: RetrievalSet,
  options: RetrievalOptions = {},
): Promise<Report> {
  return (await evaluateRankings(scorer, set, options)).report;
}

/** The same with a record a query: its first documents, those that are relevant, and its nDCG@10. */
export async function evaluateRankings(
  scorer: Scorer,
  set: RetrievalSet,
  options: RetrievalOptions = {},
): Promise<{ readonly report: Report; readonly records: readonly ExampleRecord[] }> {
  const { depth = 100, candidates = 100, seed = 1 } = options;
  const queries = [...set.queries].filter(([id]) =>
    [...(set.judgements.get(id)?.values() ?? [])].some((one) => one >= 1),
  );
  if (queries.length === 0) throw new ConfigError("retrieval: expected queries with relevant documents, got none");
  const { encoder } = scorer;
  const bm25 = encoder === undefined ? createBm25() : undefined;
  const { ids, data } = await readOnce(set, queries, bm25);
  const known = new Set(ids);
  const own = queries.filter(([id]) => known.has(id)).length;
  const protocol = {
    task: "retrieval",
    version: 2,
    depth,
    candidates: scorer.kind === "reranker" ? candidates : null,
    queries: queries.length,
    documents: ids.length,
    data,
    // Said where there are any: other hashes stay what they are.
    ...(own === 0 ? {} : { ownDocumentsLeftOut: own }),
  };
  let records: ExampleRecord[] = [];
  const report = await runEvaluation(protocol, scorer, ["queries", "documents"], options, async (windows) => {
    const first = bm25 === undefined ? undefined : queries.map((query) => rankBy(bm25, query, ids));
    const rankings =
      encoder !== undefined
        ? await rankWindows(encoder, set, queries, { depth, total: ids.length, windows })
        : scorer.kind === "reranker"
          ? await rerank(scorer, set, queries, { candidates: first!.map((hits) => hits.slice(0, candidates)), windows })
          : first!;
    const rows = queries.map(([id], i) => ({
      ranking: rankings[i]!.slice(0, depth).map(([document]) => document),
      judgements: set.judgements.get(id)!,
    }));
    const figures = measures.map(([name, label, statistic]) =>
      figure({ name, label, kind: "published" }, rows, statistic, { bootstrap: { seed } }),
    );
    const documents = detail("documents", "documents of the corpus", ids.length, "count");
    records = queries.map((query, i) => recordOf(query, rows[i]!));
    return { examples: queries.length, primary: "ndcg@10", figures: [...figures, documents] };
  });
  return { report, records };
}

function recordOf([id, text]: Query, { ranking, judgements }: Row): ExampleRecord {
  const relevant = rankByScore(judgements).filter((document) => judgements.get(document)! >= 1);
  return {
    id,
    text,
    target: relevant.slice(0, 10).join(" "),
    gold: relevant.length,
    answer: ranking.slice(0, 10),
    score: ndcg(ranking, judgements, 10),
  };
}

/** Ids and fingerprint of a set, and BM25's counts of its documents. */
async function readOnce(
  set: RetrievalSet,
  queries: readonly Query[],
  bm25: Bm25 | undefined,
): Promise<{ ids: string[]; data: string }> {
  const { add, digest } = textsHasher();
  for (const [id, text] of queries) {
    add(id, text);
    for (const [document, grade] of set.judgements.get(id)!) add(document, String(grade));
  }
  const ids = new Set<string>();
  for await (const document of set.documents) {
    if (ids.has(document.id)) throw new DataError(`corpus: expected every id once, got "${document.id}" twice`);
    ids.add(document.id);
    add(document.id, titleAndText(document));
    bm25?.add(titleAndText(document));
  }
  return { ids: [...ids], data: digest() };
}

/** Documents that share a word with the query. */
function rankBy(bm25: Bm25, [query, text]: Query, ids: readonly string[]): Hit[] {
  const hits = [...bm25.score(text)].map(([number, score]): Hit => [ids[number]!, score]);
  return hits.filter(([id]) => id !== query).sort(better);
}

/** Each query's best documents; what a window adds to them is kept. */
async function rankWindows(
  encoder: Encoder,
  set: RetrievalSet,
  queries: readonly Query[],
  { depth, total, windows }: { depth: number; total: number; windows: Windows },
): Promise<Hit[][]> {
  const encoded: TokenVectors[] = [];
  const parts = windows.run({
    name: "queries",
    inputs: queries,
    total: queries.length,
    compute: async (some) =>
      (
        await encoder.encode(
          "query",
          some.map(([, text]) => text),
        )
      ).map(packVectors),
  });
  for await (const part of parts) for (const one of part) encoded.push(unpackVectors(one));
  let best = queries.map((): Hit[] => []);
  const found = windows.run({
    name: "documents",
    inputs: set.documents,
    total,
    compute: async (documents) => {
      await using comparer = await encoder.compare(await encoder.encode("document", documents.map(titleAndText)));
      const gains: Hit[][] = [];
      for (const [i, query] of encoded.entries()) {
        const scores = await comparer.score(query);
        const least = best[i]!.length < depth ? -Infinity : best[i]!.at(-1)![1];
        const own = queries[i]![0];
        const isHit = (id: string, d: number): boolean => scores[d]! >= least && id !== own;
        const hits = documents.flatMap(({ id }, d): Hit[] => (isHit(id, d) ? [[id, scores[d]!]] : []));
        gains.push(hits.sort(better).slice(0, depth));
      }
      return gains;
    },
  });
  for await (const gains of found) {
    best = best.map((hits, i) => [...hits, ...gains[i]!].sort(better).slice(0, depth));
  }
  return best;
}

/** The candidates of each query in the order of the scorer; of the documents only theirs are held. */
async function rerank(
  scorer: Scorer,
  set: RetrievalSet,
  queries: readonly Query[],
  { candidates, windows }: { candidates: readonly (readonly Hit[])[]; windows: Windows },
): Promise<Hit[][]> {
  const wanted = new Set(candidates.flatMap((hits) => hits.map(([id]) => id)));
  const texts = new Map<string, string>();
  for await (const document of set.documents)
    if (wanted.has(document.id)) texts.set(document.id, titleAndText(document));
  const rankings: Hit[][] = [];
  const found = windows.run({
    name: "queries",
    inputs: queries.entries(),
    total: queries.length,
    size: 4,
    compute: async (some) => {
      const pairs = some.flatMap(([i, [, query]]) => candidates[i]!.map(([id]) => [query, texts.get(id)!] as const));
      const scores = await scorer.pairs(pairs);
      let at = 0;
      return some.map(([i]) => candidates[i]!.map(([id]): Hit => [id, scores[at++]!]).sort(better));
    },
  });
  for await (const part of found) rankings.push(...part);
  return rankings;
}
