/**
 * Retrieval metrics as trec_eval defines them (and BEIR reports them): linear gain, log2(rank + 1) discount, relevant
 * means a judgement of 1 or more, ties in score are ordered by descending document id. A judged query without results
 * counts 0 (trec_eval would leave it out).
 */
import { mean, ratio } from "./counts.ts";

/** Document id → graded relevance; what is absent is irrelevant. */
export type Judgements = ReadonlyMap<string, number>;

/** Ids by descending score, ties by descending id. */
export function rankByScore(scores: ReadonlyMap<string, number>): string[] {
  return [...scores].sort(([idA, a], [idB, b]) => b - a || (idA < idB ? 1 : -1)).map(([id]) => id);
}

const gain = (judgements: Judgements, id: string): number => Math.max(0, judgements.get(id) ?? 0);
const discounted = (gains: readonly number[]): number =>
  gains.reduce((sum, value, i) => sum + value / Math.log2(i + 2), 0);
const relevantCount = (judgements: Judgements): number => [...judgements.values()].filter((one) => one >= 1).length;

/** Normalised discounted cumulative gain of the first k. */
export function ndcg(ranking: readonly string[], judgements: Judgements, k: number = ranking.length): number {
  const ideal = [...judgements.values()].map((one) => Math.max(0, one)).sort((a, b) => b - a);
  return ratio(discounted(ranking.slice(0, k).map((id) => gain(judgements, id))), discounted(ideal.slice(0, k)));
}

/** Relevant documents among the first k, over all relevant documents. */
export function recallAt(ranking: readonly string[], judgements: Judgements, k: number): number {
  return ratio(ranking.slice(0, k).filter((id) => gain(judgements, id) >= 1).length, relevantCount(judgements));
}

/** Relevant documents among the first k, over k. */
export function precisionAt(ranking: readonly string[], judgements: Judgements, k: number): number {
  return ranking.slice(0, k).filter((id) => gain(judgements, id) >= 1).length / k;
}

/** 1 / rank of the first relevant document among the first k; 0 where there is none. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements, k: number = ranking.length): number {
  const first = ranking.slice(0, k).findIndex((id) => gain(judgements, id) >= 1);
  return first === -1 ? 0 : 1 / (first + 1);
}

/** Mean, over all relevant documents, of the precision at each one's rank (0 for those not among the first k). */
export function rankingAveragePrecision(
  ranking: readonly string[],
  judgements: Judgements,
  k: number = ranking.length,
): number {
  let [hits, sum] = [0, 0];
  for (const [i, id] of ranking.slice(0, k).entries()) {
    if (gain(judgements, id) < 1) continue;
    hits++;
    sum += hits / (i + 1);
  }
  return ratio(sum, relevantCount(judgements));
}

export interface RetrievalScores {
  readonly queries: number;
  readonly ndcg: number;
  readonly recall: number;
  readonly mrr: number;
  readonly map: number;
}

/** Means at cut-off k over the queries that have a relevant document. */
export function retrievalScores(
  rankings: ReadonlyMap<string, readonly string[]>,
  judgements: ReadonlyMap<string, Judgements>,
  k: number,
): RetrievalScores {
  const judged = [...judgements].filter(([, one]) => relevantCount(one) > 0);
  const over = (metric: (ranking: readonly string[], one: Judgements, k: number) => number): number =>
    mean(judged.map(([query, one]) => metric(rankings.get(query) ?? [], one, k)));
  return {
    queries: judged.length,
    ndcg: over(ndcg),
    recall: over(recallAt),
    mrr: over(reciprocalRank),
    map: over(rankingAveragePrecision),
  };
}
