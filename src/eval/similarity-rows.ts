/**
 * Scores of right and wrong answers to each question, and the rank of the right one among all answers: from vectors,
 * from an index of words, or from a scorer of pairs alone, which has no ranks because it would have to read every pair.
 */
import { numbersOf, ranges } from "../io/streams.ts";
import type { StoredPairs } from "../retrieval/pair-store.ts";
import type { Encoder, Scorer } from "../retrieval/scorers.ts";
import type { TextRole } from "../retrieval/text-rows.ts";
import { openVectorStore, type VectorStore } from "../retrieval/vector-store.ts";
import { type PackedVectors, packVectors, unpackVectors, type Windows } from "./windows.ts";

/** Pairs whose texts are in temporary files. */
export interface Data {
  readonly pairs: StoredPairs;
  /** Of pairs by number. */
  answers(numbers: Iterable<number>): Promise<string[]>;
  /** How many are in memory. */
  readonly window: number;
}

/** One question's scores. */
export interface Row {
  readonly right: number;
  readonly wrong: readonly number[];
  /** Rank of the right answer among all answers, from 1; ties count against it. NaN where all were not scored. */
  readonly rank: number;
}

export async function* allAnswers({ pairs, answers, window }: Data): AsyncGenerator<string> {
  for (const [first, end] of ranges(pairs.count, window)) yield* await answers(numbersOf(first, end));
}

export async function* allQuestions({ pairs, window }: Data): AsyncGenerator<string> {
  for (const [first, end] of ranges(pairs.count, window)) {
    for (const { query } of await pairs.questions(first, end)) yield query;
  }
}

export function rowsOf(
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
  const fill = async (store: VectorStore, role: TextRole, inputs: AsyncIterable<string>): Promise<void> => {
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
