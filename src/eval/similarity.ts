/**
 * Similarity of pairs, such as questions and their answers: do right pairs score above wrong ones? Wrong pairs are made
 * here, by a stated kind, number and seed, because every figure but the ranks depends on them.
 */
import { tmpdir } from "node:os";
import { DataError } from "../errors.ts";
import { auc } from "../metrics/auc.ts";
import { pearson, spearman } from "../metrics/correlation.ts";
import { mean } from "../metrics/counts.ts";
import { type Figure, figure, type Report } from "../metrics/report.ts";
import { createBm25 } from "../retrieval/bm25.ts";
import { type Pairs, storePairs } from "../retrieval/pair-store.ts";
import type { Scorer } from "../retrieval/scorers.ts";
import { openTextStore } from "../retrieval/text-store.ts";
import { random } from "../tensor/random.ts";
import { textsHasher } from "./protocol.ts";
import { runEvaluation } from "./run.ts";
import { allAnswers, allQuestions, type Data, type Row, rowsOf } from "./similarity-rows.ts";
import type { WindowOptions } from "./windows.ts";

export interface Negatives {
  /** random: another question's answer; bm25: the answers that share most words with the question. */
  readonly kind: "random" | "bm25";
  readonly perPositive: number;
  readonly seed: number;
}

/** Places of each question's wrong answers: its own moved on by amounts of which none comes twice. */
export function randomPlaces(count: number, perPositive: number, seed: number): number[][] {
  const draw = random(seed);
  return Array.from({ length: count }, (_, i) => {
    const shifts = new Set<number>();
    while (shifts.size < perPositive) shifts.add(1 + draw.integer(count - 1));
    return [...shifts].map((shift) => (i + shift) % count);
  });
}

async function wrongPlaces(data: Data, { kind, perPositive, seed }: Negatives): Promise<number[][]> {
  const { count } = data.pairs;
  if (count <= perPositive) {
    throw new DataError(`similarity: expected more than ${perPositive} pairs, got ${count}`, {
      hint: "lower the number of negatives",
    });
  }
  if (kind === "random") return randomPlaces(count, perPositive, seed);
  const index = createBm25();
  for await (const answer of allAnswers(data)) index.add(answer);
  const places: number[][] = [];
  for await (const question of allQuestions(data)) {
    const best = [...index.score(question)]
      .filter(([place]) => place !== places.length)
      .sort(([p, a], [q, b]) => b - a || p - q);
    places.push(best.slice(0, perPositive).map(([place]) => place));
  }
  return places;
}

type Statistic = (rows: readonly Row[]) => number;

const correlation =
  (measure: (x: readonly number[], y: readonly number[]) => number): Statistic =>
  (rows) => {
    const scores = rows.flatMap(({ right, wrong }) => [right, ...wrong]);
    return measure(
      scores,
      rows.flatMap(({ wrong }) => [1, ...wrong.map(() => 0)]),
    );
  };
const overRanks =
  (value: (rank: number) => number): Statistic =>
  (rows) =>
    mean(rows.map(({ rank }) => value(rank)));

type Measure = readonly [about: Pick<Figure, "name" | "label" | "unit">, statistic: Statistic];

const ofScores: readonly Measure[] = [
  [
    { name: "pearson", label: "Pearson's r of scores with right (1) and wrong (0)", unit: "number" },
    correlation(pearson),
  ],
  [{ name: "spearman", label: "Spearman's rho of the same", unit: "number" }, correlation(spearman)],
  [
    { name: "auc", label: "area under the ROC curve of right against wrong" },
    correlation((scores, labels) =>
      auc(
        labels.map((label) => label === 1),
        scores,
      ),
    ),
  ],
];
const ofRanks: readonly Measure[] = [
  [
    { name: "ndcg@10", label: "nDCG@10 of the right one among all answers" },
    overRanks((rank) => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0)),
  ],
  [{ name: "recall@1", label: "right ones that come first of all answers" }, overRanks((rank) => Number(rank <= 1))],
  [{ name: "recall@10", label: "right ones among the first 10" }, overRanks((rank) => Number(rank <= 10))],
  [{ name: "mrr", label: "mean of 1 / rank of the right one" }, overRanks((rank) => 1 / rank)],
];

export interface SimilarityOptions extends WindowOptions {
  /** Of the bootstrap, which draws questions. Default 1000; Spearman's takes at most 200, being slow. */
  readonly resamples?: number;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
  /** Whose disk holds the temporary files. Default: the system's folder for these. */
  readonly folder?: string;
}

/**
 * Figures of a scorer on right pairs and wrong ones made of them. Ranks among all answers are left out for a reranker,
 * which would have to read every pair. Pairs are read once; their texts and vectors are in temporary files, and memory
 * holds a window of them, numbers, and BM25's counts of words.
 */
export async function evaluateSimilarity(
  scorer: Scorer,
  pairs: Pairs,
  negatives: Negatives,
  options: SimilarityOptions = {},
): Promise<Report> {
  const { resamples = 1000, seed = 1, folder = tmpdir(), window = 1024, signal } = options;
  await using queries = await openTextStore(folder);
  await using documents = await openTextStore(folder);
  const texts = textsHasher();
  const stored = await storePairs(
    hashed(pairs, (pair) => texts.add(...pair)),
    { queries, documents },
    { window, onRead: () => signal?.throwIfAborted() },
  );
  const answers = (numbers: Iterable<number>): Promise<string[]> =>
    documents.read(Array.from(numbers, (pair) => stored.documentOf(pair)));
  const data: Data = { pairs: stored, answers, window };
  const places = await wrongPlaces(data, negatives);
  const protocol = { task: "similarity", version: 1, negatives, data: texts.digest(), pairs: stored.count };
  return await runEvaluation(protocol, scorer, ["queries", "documents", "scores"], options, async (windows) => {
    const rows: Row[] = [];
    for await (const row of rowsOf(scorer, data, places, windows, folder)) rows.push(row);
    const isRanked = scorer.encoder !== undefined || scorer.index !== undefined;
    const figures = [...ofScores, ...(isRanked ? ofRanks : [])].map(([about, statistic]) => {
      const few = about.name === "spearman" ? Math.min(200, resamples) : resamples;
      return figure({ ...about, kind: "published" }, rows, statistic, { bootstrap: { seed, resamples: few } });
    });
    return { examples: stored.count, primary: "pearson", figures };
  });
}

async function* hashed<T>(items: Iterable<T> | AsyncIterable<T>, add: (item: T) => void): AsyncGenerator<T> {
  for await (const item of items) {
    add(item);
    yield item;
  }
}
