/**
 * Similarity of pairs, such as questions and their answers: do right pairs score above wrong ones? Wrong pairs are made
 * here, by a stated kind, number and seed, because every figure but the ranks depends on them.
 */
import { tmpdir } from "node:os";
import { numbersOf, ranges } from "../io/streams.ts";
import { DataError } from "../errors.ts";
import { openTextStore } from "../retrieval/text-store.ts";
import { openVectorStore, type VectorStore } from "../retrieval/vector-store.ts";
import { random } from "../tensor/random.ts";
import { createBm25 } from "../retrieval/bm25.ts";
import { auc } from "../metrics/auc.ts";
import { bootstrap, type Interval } from "../metrics/bootstrap.ts";
import { pearson, spearman } from "../metrics/correlation.ts";
import { mean } from "../metrics/counts.ts";
import { type Pairs, type StoredPairs, storePairs } from "../retrieval/pair-store.ts";
import { protocolHash, textsHasher } from "./protocol.ts";
import type { Encoder, Scorer } from "../retrieval/scorers.ts";
import {
  openWindows,
  type PackedVectors,
  packVectors,
  unpackVectors,
  type WindowOptions,
  type Windows,
} from "./windows.ts";

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

/** Pairs whose texts are in temporary files. */
interface Data {
  readonly pairs: StoredPairs;
  /** Of pairs by number. */
  answers(numbers: Iterable<number>): Promise<string[]>;
  /** How many are in memory. */
  readonly window: number;
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

async function* allAnswers({ pairs, answers, window }: Data): AsyncGenerator<string> {
  for (const [first, end] of ranges(pairs.count, window)) yield* await answers(numbersOf(first, end));
}

async function* allQuestions({ pairs, window }: Data): AsyncGenerator<string> {
  for (const [first, end] of ranges(pairs.count, window)) {
    for (const { query } of await pairs.questions(first, end)) yield query;
  }
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
 * which would have to read every pair. Pairs are read once; their texts and vectors are in temporary files, and memory
 * holds a window of them, numbers, and BM25's counts of words.
 */
export async function evaluateSimilarity(
  scorer: Scorer,
  pairs: Pairs,
  negatives: Negatives,
  options: WindowOptions & {
    readonly resamples?: number;
    /** Whose disk holds the temporary files. Default: the system's folder for these. */
    readonly folder?: string;
  } = {},
): Promise<SimilarityReport> {
  const { resamples = 1000, folder = tmpdir(), window = 1024, signal } = options;
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
  const hash = protocolHash(protocol);
  await using windows = await openWindows({ ...protocol, hash }, ["queries", "documents", "scores"], options);
  const rows: Row[] = [];
  for await (const row of rowsOf(scorer, data, places, windows, folder)) rows.push(row);
  const isRanked = scorer.encoder !== undefined || scorer.index !== undefined;
  const wanted = isRanked ? { ...statistics, ...rankStatistics } : statistics;
  const figures = Object.entries(wanted).map(([name, statistic]) => {
    const few = name === "spearman" ? Math.min(200, resamples) : resamples;
    const interval = bootstrap(rows, statistic, { seed: 1, resamples: few });
    return [name, { value: statistic(rows), interval }] as const;
  });
  return { protocol, hash, pairs: stored.count, figures: Object.fromEntries(figures) };
}

async function* hashed<T>(items: Iterable<T> | AsyncIterable<T>, add: (item: T) => void): AsyncGenerator<T> {
  for await (const item of items) {
    add(item);
    yield item;
  }
}

function rowsOf(
  scorer: Scorer,
  data: Data,
  places: readonly number[][],
  windows: Windows,
  folder: string,
): AsyncGenerator<Row> {
  const { encoder, index } = scorer;
  if (encoder !== undefined) return rowsByVectors(encoder, data, places, windows, folder);
  return index === undefined ? rowsByPairs(scorer, data, places, windows) : rowsByWords(index, data, places);
}

/** Of a scorer of pairs alone. */
async function* rowsByPairs(
  scorer: Scorer,
  { pairs, answers }: Data,
  places: readonly number[][],
  windows: Windows,
): AsyncGenerator<Row> {
  const found = windows.run({
    name: "scores",
    inputs: places.keys(),
    total: pairs.count,
    compute: async (numbers) => {
      const asked: [string, string][] = [];
      for (const [i, { query }] of (await pairs.questions(numbers[0]!, numbers.at(-1)! + 1)).entries()) {
        const own = [numbers[i]!, ...places[numbers[i]!]!];
        for (const answer of await answers(own)) asked.push([query, answer]);
      }
      return [...(await scorer.pairs(asked))];
    },
  });
  let i = 0;
  for await (const scores of found) {
    for (let at = 0; at < scores.length; i++) {
      const right = scores[at++]!;
      yield { right, wrong: places[i]!.map(() => scores[at++]!), rank: NaN };
    }
  }
}

async function* rowsByWords(
  index: NonNullable<Scorer["index"]>,
  data: Data,
  places: readonly number[][],
): AsyncGenerator<Row> {
  const score = await index(allAnswers(data));
  let i = 0;
  for await (const question of allQuestions(data)) {
    const scores = score(question);
    const right = scores[i]!;
    yield { right, wrong: places[i]!.map((place) => scores[place]!), rank: 1 + notBelow(scores, right, i) };
    i += 1;
  }
}

/** How many score at least so, but for the one at `own`. */
function notBelow(scores: Float64Array, right: number, own: number): number {
  let count = 0;
  for (let i = 0; i < scores.length; i++) if (scores[i]! >= right && i !== own) count += 1;
  return count;
}

async function* rowsByVectors(
  encoder: Encoder,
  data: Data,
  places: readonly number[][],
  windows: Windows,
  folder: string,
): AsyncGenerator<Row> {
  const { pairs, window } = data;
  const fill = async (store: VectorStore, role: "query" | "document", inputs: AsyncIterable<string>): Promise<void> => {
    const name = role === "query" ? "queries" : "documents";
    const compute = async (texts: readonly string[]): Promise<PackedVectors[]> =>
      (await encoder.encode(role, texts)).map(packVectors);
    for await (const part of windows.run({ name, inputs, total: pairs.count, compute })) {
      await store.append(part.map(unpackVectors));
    }
  };
  await using queries = await openVectorStore(folder);
  await using documents = await openVectorStore(folder);
  await fill(queries, "query", allQuestions(data));
  await fill(documents, "document", allAnswers(data));
  for (const [first, end] of ranges(pairs.count, window)) {
    const asked = await queries.read(first, end);
    const right: number[] = [];
    const ranks = asked.map(() => 1);
    const wrong = asked.map((_, i) => places[first + i]!.map(() => NaN));
    // The window of the right answers comes first: what others are compared with is known from there on.
    const others = [...ranges(pairs.count, window)].filter(([from]) => from !== first);
    for (const [from, to] of [[first, end] as const, ...others]) {
      await using comparer = await encoder.compare(await documents.read(from, to));
      for (const [i, query] of asked.entries()) {
        const scores = await comparer.score(query);
        right[i] ??= scores[i]!;
        ranks[i]! += notBelow(scores, right[i], first + i - from);
        for (const [k, place] of places[first + i]!.entries()) {
          if (place >= from && place < to) wrong[i]![k] = scores[place - from]!;
        }
      }
    }
    for (const [i, rank] of ranks.entries()) yield { right: right[i]!, wrong: wrong[i]!, rank };
  }
}
