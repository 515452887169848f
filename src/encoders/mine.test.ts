import { expect, test } from "vitest";
import { openScorer, type Scorer } from "../eval/scorers.ts";
import { mineNegatives } from "./mine.ts";

/** Documents "0" to "9"; a query's score of a document is what `score` says. */
const scorer = (score: (query: string, document: number) => number): Scorer => ({
  kind: "embeddings",
  pairs: async (pairs) => new Float64Array(pairs.length),
  async *all(queries, documents) {
    for (const query of queries) yield Float64Array.from(documents, (text) => score(query, Number(text)));
  },
  async [Symbol.asyncDispose]() {},
});
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
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
  const { all: _, ...reranker } = bm25;
  await expect(collect(mineNegatives(reranker, pairs, { negatives: 1 }))).rejects.toThrow(/got a reranker/);
});
