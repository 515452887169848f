/**
 * Similarity of pairs, such as questions and their answers: do right pairs score above wrong ones? Wrong pairs are made
 * here, by a stated kind, number and seed, because every figure but the ranks depends on them.
 */
import { DataError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { createBm25 } from "./bm25.ts";
import { auc } from "./metrics/auc.ts";
import { bootstrap, type Interval } from "./metrics/bootstrap.ts";
import { pearson, spearman } from "./metrics/correlation.ts";
import { mean } from "./metrics/counts.ts";
import { protocolHash, textsHash } from "./protocol.ts";
import type { Scorer } from "./scorers.ts";

export interface Negatives {
  /** random: another question's answer; bm25: the answers that share most words with the question. */
  readonly kind: "random" | "bm25";
  readonly perPositive: number;
  readonly seed: number;
}

export interface SimilarityReport {
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly pairs: number;
  /** Name → value and 95 % interval, by resampling questions. Ranks are among all answers. */
  readonly figures: Readonly<Record<string, { readonly value: number; readonly interval: Interval }>>;
}

/** Places of each question's wrong answers. */
export function negativePlaces(
  pairs: readonly (readonly [string, string])[],
  { kind, perPositive, seed }: Negatives,
): number[][] {
  const { length } = pairs;
  if (length <= perPositive) {
    throw new DataError(`similarity: expected more than ${perPositive} pairs, got ${length}`, {
      hint: "lower the number of negatives",
    });
  }
  if (kind === "random") {
    const draw = random(seed);
    return pairs.map((_, i) => {
      // A cyclic shift of a random amount for every question: never its own answer, and none twice.
      const shifts = new Set<number>();
      while (shifts.size < perPositive) shifts.add(1 + draw.integer(length - 1));
      return [...shifts].map((shift) => (i + shift) % length);
    });
  }
  const index = createBm25(pairs.map(([, answer]) => answer));
  return pairs.map(([question], i) =>
    [...index.score(question)]
      .filter(([place]) => place !== i)
      .sort(([p, a], [q, b]) => b - a || p - q)
      .slice(0, perPositive)
      .map(([place]) => place),
  );
}

/** One question's scores. */
interface Row {
  readonly right: number;
  readonly wrong: readonly number[];
  /** Rank of the right answer among all answers, from 1; ties count against it. NaN where all were not scored. */
  readonly rank: number;
}

const correlation =
  (measure: (x: readonly number[], y: readonly number[]) => number) =>
  (rows: readonly Row[]): number => {
    const scores = rows.flatMap(({ right, wrong }) => [right, ...wrong]);
    return measure(
      scores,
      rows.flatMap(({ wrong }) => [1, ...wrong.map(() => 0)]),
    );
  };
const overRanks =
  (value: (rank: number) => number) =>
  (rows: readonly Row[]): number =>
    mean(rows.map(({ rank }) => value(rank)));

const statistics: Readonly<Record<string, (rows: readonly Row[]) => number>> = {
  pearson: correlation(pearson),
  spearman: correlation(spearman),
  auc: correlation((scores, labels) =>
    auc(
      labels.map((label) => label === 1),
      scores,
    ),
  ),
};
const rankStatistics: typeof statistics = {
  "ndcg@10": overRanks((rank) => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0)),
  "recall@1": overRanks((rank) => Number(rank <= 1)),
  "recall@10": overRanks((rank) => Number(rank <= 10)),
  mrr: overRanks((rank) => 1 / rank),
};

/**
 * Figures of a scorer on right pairs and wrong ones made of them. Ranks among all answers are left out for a reranker,
 * which would have to read every pair.
 */
export async function evaluateSimilarity(
  scorer: Scorer,
  pairs: readonly (readonly [string, string])[],
  negatives: Negatives,
  { resamples = 1000 }: { resamples?: number } = {},
): Promise<SimilarityReport> {
  const places = negativePlaces(pairs, negatives);
  const rows = scorer.all === undefined ? await apart(scorer, pairs, places) : await together(scorer, pairs, places);
  const wanted = scorer.all === undefined ? statistics : { ...statistics, ...rankStatistics };
  const figures = Object.entries(wanted).map(([name, statistic]) => {
    const few = name === "spearman" ? Math.min(200, resamples) : resamples;
    const interval = bootstrap(rows, statistic, { seed: 1, resamples: few });
    return [name, { value: statistic(rows), interval }] as const;
  });
  const protocol = { task: "similarity", version: 1, negatives, data: textsHash(pairs.flat()), pairs: pairs.length };
  return { protocol, hash: protocolHash(protocol), pairs: pairs.length, figures: Object.fromEntries(figures) };
}

async function apart(
  scorer: Scorer,
  pairs: readonly (readonly [string, string])[],
  places: readonly number[][],
): Promise<Row[]> {
  const asked = pairs.flatMap(([question, answer], i) => [
    [question, answer] as const,
    ...places[i]!.map((place) => [question, pairs[place]![1]] as const),
  ]);
  const scores = await scorer.pairs(asked);
  let at = 0;
  return places.map((wrong) => {
    const right = scores[at++]!;
    return { right, wrong: wrong.map(() => scores[at++]!), rank: NaN };
  });
}

async function together(
  scorer: Scorer,
  pairs: readonly (readonly [string, string])[],
  places: readonly number[][],
): Promise<Row[]> {
  const rows: Row[] = [];
  const all = scorer.all!(
    pairs.map(([question]) => question),
    pairs.map(([, answer]) => answer),
  );
  for await (const scores of all) {
    const i = rows.length;
    const right = scores[i]!;
    let rank = 1;
    scores.forEach((score, place) => (rank += Number(place !== i && score >= right)));
    rows.push({ right, wrong: places[i]!.map((place) => scores[place]!), rank });
  }
  return rows;
}
