import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { createBm25 } from "./bm25.ts";
import { openScorer, type Scorer } from "./scorers.ts";
import { random } from "../tensor/random.ts";
import type { ScoredList } from "../tasks/lists.ts";
import { streamRows } from "../tasks/pairs.ts";
import { mineNegatives } from "./mine.ts";

/** Documents "0" to "9"; a query's score of a document is what `score` says. */
const scorer = (score: (query: string, document: number) => number): Scorer => ({
  kind: "embeddings",
  pairs: async (pairs) => new Float64Array(pairs.length),
  async index(documents) {
    const numbers = (await collect(documents)).map(Number);
    return (query) => Float64Array.from(numbers, (number) => score(query, number));
  },
  async [Symbol.asyncDispose]() {},
});
async function collect<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const pairs = Array.from({ length: 10 }, (_, i): [string, string] => [`q${i % 5}`, String(i)]);

test("the best wrong documents, none of the query's own, none within the margin of the right one", async () => {
  const lists = await collect(
    mineNegatives(
      scorer((_, document) => 1 - document / 100),
      pairs,
      { negatives: 2, relativeMargin: 0.03 },
    ),
  );
  // q0 has 0 and 5; for 0 (score 1) the margin forbids 1 and 2 (0.99, 0.98), and 3 (0.97) is allowed.
  expect(lists[0]).toMatchObject({ query: "q0", documents: ["0", "3", "4"] });
  // For 8 (score 0.92) nothing but documents within the margin is left.
  expect(lists.find(({ documents }) => documents[0] === "8")).toBeUndefined();
});

test("the best may be skipped, and a reranker is refused", async () => {
  const options = { negatives: 1, skip: 2, relativeMargin: 0 };
  const [first] = await collect(
    mineNegatives(
      scorer((_, document) => -document),
      pairs,
      options,
    ),
  );
  expect(first!.documents).toEqual(["0", "3"]);
  await using bm25 = await openScorer("bm25");
  const { index: _, ...reranker } = bm25;
  await expect(collect(mineNegatives(reranker, pairs, { negatives: 1 }))).rejects.toThrow(/got a reranker/);
});

test("wrong documents are chosen among all of the file, those behind the first of a list too", async () => {
  const file = join(folder, "lists.jsonl");
  const rows = [
    { query: "a", documents: ["1", "7", "9"] },
    { query: "b", documents: ["2", "8"] },
    { query: "a", documents: ["7"] },
  ];
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const best = scorer((_, document) => document);
  const options = { negatives: 2, relativeMargin: -10 };
  for (const window of [1, 2, 100]) {
    const lists = await collect(mineNegatives(best, streamRows(file), { ...options, window }));
    expect(lists.map(({ query, documents }) => [query, ...documents])).toEqual([
      // 7 is right for a, by its own line.
      ["a", "1", "9", "8"],
      ["b", "2", "9", "8"],
      ["a", "7", "9", "8"],
    ]);
  }
  const drawn = await collect(mineNegatives({ kind: "random", seed: 1 }, streamRows(file), { negatives: 3 }));
  rmSync(file);
  expect(drawn.map(({ documents }) => documents.toSorted())).toEqual([
    ["1", "2", "8", "9"],
    expect.arrayContaining(["2"]),
    ["2", "7", "8", "9"],
  ]);
});

test("random documents are other ones, each once, the same for a seed, and have no scores", async () => {
  const draw = async (seed: number, negatives = 3): Promise<ScoredList[]> =>
    collect(mineNegatives({ kind: "random", seed }, pairs, { negatives, block: 3 }));
  const lists = await draw(1);
  expect(lists.map(({ query, documents }) => [query, documents[0]])).toEqual(pairs);
  for (const { query, documents } of lists) {
    expect(new Set(documents).size).toBe(4);
    for (const wrong of documents.slice(1)) expect(`q${Number(wrong) % 5}`).not.toBe(query);
  }
  expect(lists[0]).not.toHaveProperty("scores");
  expect(await draw(1)).toEqual(lists);
  expect(await draw(2)).not.toEqual(lists);
  // Of ten documents two are right: eight can be had, nine cannot.
  expect(await draw(1, 8)).toHaveLength(10);
  expect(await draw(1, 9)).toHaveLength(0);
});

const folder = mkdtempSync(join(tmpdir(), "galen-mine-"));
afterAll(() => rmSync(folder, { recursive: true }));

const goldens = fileURLToPath(new URL("../../test/goldens/retrieval", import.meta.url));
const words = "kidney heart stroke insulin the of and a gene protein cell blood trial acute risk".split(" ");
const draws = random(7);
const sentence = (length: number): string =>
  Array.from({ length }, () => words[draws.integer(words.length)]!).join(" ");
/** The fifth query comes back, and so does the third document; the last two are told apart by half a character. */
const texts = Array.from({ length: 41 }, (_, i): [string, string] => [sentence(4), `${sentence(5 + (i % 9))} ${i}`]);
texts.push([texts[4]![0], sentence(8)], [sentence(4), texts[2]![1]]);
texts.push([sentence(4), "the heart \uD83D"], [sentence(4), "the heart \uD83E"]);

interface Wanted {
  readonly negatives: number;
  readonly skip: number;
  readonly relativeMargin: number;
}
type ScoreAll = (query: string, documents: readonly string[]) => Float64Array | Promise<Float64Array>;

/** By all scores at once, sorted. */
async function mineAtOnce(
  score: ScoreAll,
  some: readonly [string, string][],
  { negatives, skip, relativeMargin }: Wanted,
): Promise<(ScoredList & { scores: number[] })[]> {
  const documents = [...new Set(some.map(([, document]) => document))];
  const lists: (ScoredList & { scores: number[] })[] = [];
  for (const [query, right] of some) {
    const scores = await score(query, documents);
    const own = scores[documents.indexOf(right)]!;
    const wrong = documents
      .map((text, place) => ({ text, score: scores[place]! }))
      .filter(({ text }) => !some.some(([other, document]) => other === query && document === text))
      .filter((one) => one.score <= own - Math.abs(own) * relativeMargin)
      .sort((a, b) => b.score - a.score)
      .slice(skip, skip + negatives);
    if (wrong.length < negatives) continue;
    const found = [right, ...wrong.map(({ text }) => text)];
    lists.push({ query, documents: found, scores: [own, ...wrong.map((one) => one.score)], transform: "none" });
  }
  return lists;
}

test.each(["mean", "colbert"])("%s: window by window the lists are those of all scores at once", async (model) => {
  await using opened = await openScorer(join(goldens, model), { threads: 1 });
  const encoder = opened.encoder!;
  const documents = [...new Set(texts.map(([, document]) => document))];
  await using comparer = await encoder.compare(await encoder.encode("document", documents));
  const score: ScoreAll = async (query) => comparer.score((await encoder.encode("query", [query]))[0]!);
  const options = { negatives: 3, skip: 1, relativeMargin: 0.01 };
  const wanted = await mineAtOnce(score, texts, options);
  expect(wanted.length).toBeGreaterThan(5);
  expect(wanted.length).toBeLessThan(texts.length);
  const found = await collect(mineNegatives(opened, texts, { ...options, window: 7, block: 5, folder }));
  const close = wanted.map((list) => ({ ...list, scores: list.scores.map((one) => expect.closeTo(one, 4) as number) }));
  expect(found).toEqual(close);
  expect(readdirSync(folder)).toEqual([]);
});

/** Texts are two numbers, and so are their vectors: scores are whole numbers, many of them equal. */
const products: Scorer = {
  kind: "embeddings",
  pairs: async (some) => new Float64Array(some.length),
  encoder: {
    encode: async (_role, some) =>
      some.map((text) => ({ width: 2, count: 1, data: Float32Array.from(text.split(" ").slice(0, 2), Number) })),
    compare: async (documents) => ({
      score: async ({ data: [a, b] }) => Float64Array.from(documents, ({ data: [c, d] }) => a! * c! + b! * d!),
      async [Symbol.asyncDispose]() {},
    }),
  },
  async [Symbol.asyncDispose]() {},
};
const product: ScoreAll = (query, documents) => {
  const [a, b] = query.split(" ").map(Number);
  return Float64Array.from(documents, (text) => {
    const [c, d] = text.split(" ").map(Number);
    return a! * c! + b! * d!;
  });
};
/** Queries, documents and pairs that come again, and documents of the same vector. */
const numbers = Array.from({ length: 90 }, (): [string, string] => [
  `${draws.integer(4) - 1} ${draws.integer(4) - 1}`,
  `${draws.integer(3)} ${draws.integer(4)} ${draws.integer(2)}`,
]);
const wordScores: ScoreAll = (query, documents) => {
  const found = createBm25(documents).score(query);
  return Float64Array.from(documents, (_, i) => found.get(i) ?? 0);
};

describe.each([
  { negatives: 1, skip: 0, relativeMargin: 0 },
  { negatives: 4, skip: 0, relativeMargin: 0.3 },
  { negatives: 2, skip: 3, relativeMargin: 0.05 },
])("$negatives after $skip, margin $relativeMargin: of equal scores the earlier document", (options) => {
  test.each([
    [1, 1],
    [4, 90],
    [90, 7],
  ])("in windows of %i and blocks of %i", async (window, block) => {
    const wanted = await mineAtOnce(product, numbers, options);
    expect(wanted.length).toBeGreaterThan(10);
    expect(await collect(mineNegatives(products, numbers, { ...options, window, block, folder }))).toEqual(wanted);
  });

  test("by shared words", async () => {
    await using bm25 = await openScorer("bm25");
    const wanted = await mineAtOnce(wordScores, texts, options);
    expect(wanted.length).toBeGreaterThan(10);
    const found = await collect(mineNegatives(bm25, texts, { ...options, window: 7, block: 5, folder }));
    expect(found).toEqual(wanted);
  });
});

test.each(["pairs", "documents", "queries"])("stopped at the %s, it leaves nothing behind", async (at) => {
  await using opened = await openScorer(join(goldens, "mean"), { threads: 1 });
  const controller = new AbortController();
  const stages: string[] = [];
  const lists = mineNegatives(opened, texts, {
    negatives: 1,
    window: 7,
    block: 5,
    folder,
    signal: controller.signal,
    onProgress({ stage }) {
      stages.push(stage);
      if (stage !== at) return;
      controller.abort();
    },
  });
  await expect(collect(lists)).rejects.toThrow(controller.signal.reason as Error);
  expect(stages.at(-1)).toBe(at);
  expect(readdirSync(folder)).toEqual([]);
});
