/**
 * Similarity of pairs, such as questions and their answers: do right pairs score above wrong ones? Wrong pairs are made
 * here, by a stated kind, number and seed, because every figure but the ranks depends on them.
 */
import { DataError } from "../errors.ts";
import type { TokenVectors } from "../retrieval/max-sim.ts";
import { random } from "../tensor/random.ts";
import { createBm25 } from "./bm25.ts";
import { auc } from "./metrics/auc.ts";
import { bootstrap, type Interval } from "./metrics/bootstrap.ts";
import { pearson, spearman } from "./metrics/correlation.ts";
import { mean } from "./metrics/counts.ts";
import { protocolHash, textsHash } from "./protocol.ts";
import type { Scorer } from "./scorers.ts";
import { openWindows, packVectors, unpackVectors, type WindowOptions, type Windows } from "./windows.ts";

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
 * which would have to read every pair. All pairs are held: any answer may be a wrong one to any question.
 */
export async function evaluateSimilarity(
  scorer: Scorer,
  pairs: readonly (readonly [string, string])[],
  negatives: Negatives,
  options: WindowOptions & { readonly resamples?: number } = {},
): Promise<SimilarityReport> {
  const { resamples = 1000 } = options;
  const places = negativePlaces(pairs, negatives);
  const protocol = { task: "similarity", version: 1, negatives, data: textsHash(pairs.flat()), pairs: pairs.length };
  const hash = protocolHash(protocol);
  await using windows = await openWindows({ ...protocol, hash }, ["queries", "documents", "scores"], options);
  const ranks = scorer.encoder !== undefined || scorer.index !== undefined;
  const rows = ranks ? [] : await apart(scorer, pairs, places, windows);
  if (ranks) for await (const row of together(scorer, pairs, places, windows)) rows.push(row);
  const wanted = ranks ? { ...statistics, ...rankStatistics } : statistics;
  const figures = Object.entries(wanted).map(([name, statistic]) => {
    const few = name === "spearman" ? Math.min(200, resamples) : resamples;
    const interval = bootstrap(rows, statistic, { seed: 1, resamples: few });
    return [name, { value: statistic(rows), interval }] as const;
  });
  return { protocol, hash, pairs: pairs.length, figures: Object.fromEntries(figures) };
}

/** Rows of a scorer of pairs alone. */
async function apart(
  scorer: Scorer,
  pairs: readonly (readonly [string, string])[],
  places: readonly number[][],
  windows: Windows,
): Promise<Row[]> {
  const rows: Row[] = [];
  const found = windows.run({
    name: "scores",
    inputs: places.keys(),
    total: pairs.length,
    compute: async (questions) => {
      const asked = questions.flatMap((i) =>
        [i, ...places[i]!].map((place) => [pairs[i]![0], pairs[place]![1]] as const),
      );
      return [...(await scorer.pairs(asked))];
    },
  });
  for await (const scores of found) {
    for (let at = 0; at < scores.length;) {
      const right = scores[at++]!;
      rows.push({ right, wrong: places[rows.length]!.map(() => scores[at++]!), rank: NaN });
    }
  }
  return rows;
}

async function* together(
  scorer: Scorer,
  pairs: readonly (readonly [string, string])[],
  places: readonly number[][],
  windows: Windows,
): AsyncGenerator<Row> {
  let i = 0;
  for await (const scores of scoresOf(scorer, pairs, windows)) {
    const right = scores[i]!;
    let rank = 1;
    scores.forEach((score, place) => (rank += Number(place !== i && score >= right)));
    yield { right, wrong: places[i]!.map((place) => scores[place]!), rank };
    i += 1;
  }
}

/** Scores of every question with every answer; the vectors of an encoder are kept. */
async function* scoresOf(
  { encoder, index }: Scorer,
  pairs: readonly (readonly [string, string])[],
  windows: Windows,
): AsyncGenerator<Float64Array> {
  const [questions, answers] = [pairs.map(([question]) => question), pairs.map(([, answer]) => answer)];
  if (encoder === undefined) {
    const score = await index!(answers);
    for (const question of questions) yield score(question);
    return;
  }
  const vectorsOf = async (role: "query" | "document", inputs: readonly string[]): Promise<TokenVectors[]> => {
    const vectors: TokenVectors[] = [];
    const parts = windows.run({
      name: role === "query" ? "queries" : "documents",
      inputs,
      total: inputs.length,
      compute: async (texts) => (await encoder.encode(role, texts)).map(packVectors),
    });
    for await (const part of parts) for (const one of part) vectors.push(unpackVectors(one));
    return vectors;
  };
  const queries = await vectorsOf("query", questions);
  await using comparer = await encoder.compare(await vectorsOf("document", answers));
  for (const query of queries) yield comparer.score(query);
}
