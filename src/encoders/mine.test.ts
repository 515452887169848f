import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openScorer, type Scorer } from "../eval/scorers.ts";
import { random } from "../tensor/random.ts";
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

const folder = mkdtempSync(join(tmpdir(), "galen-mine-"));
afterAll(() => rmSync(folder, { recursive: true }));

const goldens = fileURLToPath(new URL("../../test/goldens/retrieval", import.meta.url));
const words = "kidney heart stroke insulin the of and a gene protein cell blood trial acute risk".split(" ");
const draws = random(7);
const sentence = (length: number): string =>
  Array.from({ length }, () => words[draws.integer(words.length)]!).join(" ");
/** The fifth query comes back, and so does the third document. */
const texts = Array.from({ length: 41 }, (_, i): [string, string] => [sentence(4), `${sentence(5 + (i % 9))} ${i}`]);
texts.push([texts[4]![0], sentence(8)], [sentence(4), texts[2]![1]]);

/** By all scores at once, sorted. */
async function mineAtOnce({ encoder }: Scorer, keep: number, skip: number, margin: number): Promise<object[]> {
  const documents = [...new Set(texts.map(([, document]) => document))];
  await using comparer = await encoder!.compare(await encoder!.encode("document", documents));
  const queries = await encoder!.encode(
    "query",
    texts.map(([query]) => query),
  );
  const lists: { query: string; documents: string[]; scores: number[] }[] = [];
  for (const [i, [query, right]] of texts.entries()) {
    const scores = await comparer.score(queries[i]!);
    const own = scores[documents.indexOf(right)]!;
    const wrong = documents
      .map((text, place) => ({ text, score: scores[place]! }))
      .filter(({ text }) => !texts.some(([other, document]) => other === query && document === text))
      .filter(({ score }) => score <= own - Math.abs(own) * margin)
      .sort((a, b) => b.score - a.score)
      .slice(skip, skip + keep);
    if (wrong.length < keep) continue;
    lists.push({
      query,
      documents: [right, ...wrong.map(({ text }) => text)],
      scores: [own, ...wrong.map(({ score }) => score)],
    });
  }
  return lists.map(({ query, documents: found, scores }) => ({
    query,
    documents: found,
    scores: scores.map((score) => expect.closeTo(score, 4) as number),
    transform: "none",
  }));
}

test.each(["mean", "colbert"])("%s: window by window the lists are those of all scores at once", async (model) => {
  await using opened = await openScorer(join(goldens, model), { threads: 1 });
  const wanted = await mineAtOnce(opened, 3, 1, 0.01);
  expect(wanted.length).toBeGreaterThan(5);
  expect(wanted.length).toBeLessThan(texts.length);
  const options = { negatives: 3, skip: 1, relativeMargin: 0.01, window: 7, block: 5, folder };
  expect(await collect(mineNegatives(opened, texts, options))).toEqual(wanted);
  expect(readdirSync(folder)).toEqual([]);
});

test.each(["documents", "queries"])("stopped at the %s, it leaves no vectors behind", async (at) => {
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
      expect(readdirSync(folder)).toHaveLength(1);
      controller.abort();
    },
  });
  await expect(collect(lists)).rejects.toThrow(controller.signal.reason as Error);
  expect(stages.at(-1)).toBe(at);
  expect(readdirSync(folder)).toEqual([]);
});
