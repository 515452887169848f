/** Reciprocal ranks, by hand; and a scorer as a reranker. */
import { expect, test } from "vitest";
import type { Scorer } from "../retrieval/scorers.ts";
import { fuse } from "./fusion.ts";
import type { Found } from "./store.ts";
import { rerankerOf } from "./reranker.ts";

const found = (id: string, start = 0): Found => ({ id, passage: { start, end: start + 1 }, score: 1 });

test("a document's score is the sum of 1 / (10 + rank), and its passage that of the list where it stands highest", () => {
  const fused = fuse([
    [found("a", 1), found("b", 1)],
    [found("c", 2), found("b", 2), found("a", 2)],
  ]);
  expect(fused.map(({ id, ranks, passage }) => [id, ranks, passage?.start])).toEqual([
    ["a", [1, 3], 1],
    ["b", [2, 2], 1],
    ["c", [undefined, 1], 2],
  ]);
  expect(fused[0]!.score).toBeCloseTo(1 / 11 + 1 / 13, 15);
  expect(fused[1]!.score).toBeCloseTo(2 / 12, 15);
});

test("ties are ordered by id, and no lists give nothing", () => {
  expect(fuse([[found("b")], [found("a")]]).map(({ id }) => id)).toEqual(["a", "b"]);
  expect(fuse([])).toEqual([]);
  expect(fuse([[], []])).toEqual([]);
});

test("a model that reads queries and documents apart reads the query once", async () => {
  const read: string[] = [];
  const scorer: Scorer = {
    kind: "embeddings",
    encoder: {
      async encode(role, texts) {
        read.push(`${role} ${texts.length}`);
        return texts.map((text) => ({ width: 1, count: 1, data: Float32Array.of(text.length) }));
      },
      compare: async (documents) => ({
        score: async (query) => Float64Array.from(documents, ({ data }) => data[0]! * query.data[0]!),
        async [Symbol.asyncDispose]() {},
      }),
    },
    pairs: () => Promise.reject(new Error("not by pairs")),
    async [Symbol.asyncDispose]() {},
  };
  expect([...(await rerankerOf(scorer)("ab", ["a", "abc"]))]).toEqual([2, 6]);
  expect(read).toEqual(["query 1", "document 2"]);
});

test("a cross-encoder is given pairs", async () => {
  const scorer: Scorer = {
    kind: "reranker",
    pairs: async (pairs) => Float64Array.from(pairs, ([query, text]) => query.length - text.length),
    async [Symbol.asyncDispose]() {},
  };
  expect([...(await rerankerOf(scorer)("ab", ["a", "abc"]))]).toEqual([1, -1]);
});
