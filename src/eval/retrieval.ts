/** Retrieval over a test set in BEIR's layout: nDCG, recall, MRR and MAP, of a first stage or of a reranker behind BM25. */
import { ConfigError } from "../errors.ts";
import type { RetrievalSet } from "../tasks/retrieval-sets.ts";
import { bootstrap, type Interval } from "./metrics/bootstrap.ts";
import { mean } from "./metrics/counts.ts";
import {
  type Judgements,
  ndcg,
  rankByScore,
  rankingAveragePrecision,
  recallAt,
  reciprocalRank,
} from "./metrics/ranking.ts";
import { protocolHash } from "./protocol.ts";
import { openScorer, type Scorer } from "./scorers.ts";

export interface RetrievalReport {
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly queries: number;
  readonly documents: number;
  readonly figures: Readonly<Record<string, { readonly value: number; readonly interval: Interval }>>;
}

interface Row {
  readonly ranking: readonly string[];
  readonly judgements: Judgements;
}

const over =
  (metric: (ranking: readonly string[], judgements: Judgements, k: number) => number, k: number) =>
  (rows: readonly Row[]): number =>
    mean(rows.map(({ ranking, judgements }) => metric(ranking, judgements, k)));

const statistics: Readonly<Record<string, (rows: readonly Row[]) => number>> = {
  "ndcg@10": over(ndcg, 10),
  "recall@10": over(recallAt, 10),
  "recall@100": over(recallAt, 100),
  "mrr@10": over(reciprocalRank, 10),
  "map@100": over(rankingAveragePrecision, 100),
};

export interface RetrievalOptions {
  /** Ranked documents that are kept of each query. */
  readonly depth?: number;
  /** Documents that BM25 gives a reranker. */
  readonly candidates?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** @throws ConfigError where no query of the split has a relevant document. */
export async function evaluateRetrieval(
  scorer: Scorer,
  set: RetrievalSet,
  { depth = 100, candidates = 100, signal, onProgress }: RetrievalOptions = {},
): Promise<RetrievalReport> {
  const queries = [...set.queries].filter(([id]) =>
    [...(set.judgements.get(id)?.values() ?? [])].some((one) => one >= 1),
  );
  if (queries.length === 0) throw new ConfigError("retrieval: expected queries with relevant documents, got none");
  const texts = set.documents.map(({ title, text }) => (title === "" ? text : `${title} ${text}`));
  const first = scorer.all === undefined ? await openScorer("bm25") : scorer;
  const rows: Row[] = [];
  for await (const scores of first.all!(
    queries.map(([, text]) => text),
    texts,
  )) {
    signal?.throwIfAborted();
    const [id, query] = queries[rows.length]!;
    let found = new Map(set.documents.map((document, i) => [document.id, scores[i]!]));
    if (scorer.kind === "bm25" || scorer !== first)
      for (const [key, score] of found) if (score === 0) found.delete(key);
    if (scorer !== first) {
      const numbers = new Map(set.documents.map((document, i) => [document.id, i]));
      const ids = rankByScore(found).slice(0, candidates);
      const again = await scorer.pairs(ids.map((one) => [query, texts[numbers.get(one)!]!] as const));
      found = new Map(ids.map((one, i) => [one, again[i]!]));
    }
    rows.push({ ranking: rankByScore(found).slice(0, depth), judgements: set.judgements.get(id)! });
    onProgress?.(rows.length, queries.length);
  }
  const figures = Object.entries(statistics).map(([name, statistic]) => [
    name,
    { value: statistic(rows), interval: bootstrap(rows, statistic, { seed: 1 }) },
  ]);
  const protocol = {
    task: "retrieval",
    version: 1,
    depth,
    candidates: scorer === first ? null : candidates,
    queries: queries.map(([id]) => id),
    documents: texts.length,
  };
  return {
    protocol: { ...protocol, queries: queries.length },
    hash: protocolHash(protocol),
    queries: queries.length,
    documents: texts.length,
    figures: Object.fromEntries(figures),
  };
}
