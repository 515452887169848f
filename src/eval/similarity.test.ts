import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { valueOf } from "../metrics/report.ts";
import type { RetrievalSet } from "../tasks/retrieval-sets.ts";
import { createBm25 } from "../retrieval/bm25.ts";
import { evaluateRetrieval } from "./retrieval.ts";
import { openScorer, type Scorer } from "../retrieval/scorers.ts";
import { evaluateSimilarity, randomPlaces } from "./similarity.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-similarity-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pairs = Array.from({ length: 30 }, (_, i): [string, string] => [`what is drug${i}`, `drug${i} is the answer`]);

describe("BM25", () => {
  test("equals the formula worked out by hand", () => {
    const index = createBm25(["a b b", "a c", "c c d"], { k1: 0.9, b: 0.4 });
    // "b" is in one of three documents: idf = ln(1 + 2.5 / 1.5); the document has 3 words, the mean is 8 / 3.
    const expected = (Math.log(1 + 2.5 / 1.5) * 2) / (2 + 0.9 * (0.6 + (0.4 * 3) / (8 / 3)));
    expect([...index.score("B!").keys()]).toEqual([0]);
    expect(index.score("B!").get(0)).toBeCloseTo(expected, 12);
    expect(index.score("nothing").size).toBe(0);
  });
});

describe("similarity", () => {
  test("random wrong answers are never a question's own, none comes twice, and the seed decides", () => {
    const places = randomPlaces(30, 4, 7);
    places.forEach((row, i) => {
      expect(row).not.toContain(i);
      expect(new Set(row).size).toBe(4);
    });
    expect(randomPlaces(30, 4, 7)).toEqual(places);
    expect(randomPlaces(30, 4, 8)).not.toEqual(places);
  });

  test("a scorer that knows gets 1, and the hash differs where the protocol does", async () => {
    await using scorer = await openScorer("bm25");
    const one = await evaluateSimilarity(scorer, pairs, { kind: "random", perPositive: 1, seed: 1 }, { resamples: 20 });
    expect(valueOf(one, "auc")).toBe(1);
    expect(valueOf(one, "mrr")).toBe(1);
    const other = await evaluateSimilarity(
      scorer,
      pairs,
      { kind: "random", perPositive: 1, seed: 2 },
      { resamples: 20 },
    );
    expect(other.hash).not.toBe(one.hash);
  });

  test("figures do not depend on how many texts are in memory, of vectors, of words and of pairs alone", async () => {
    const numbers = (text: string): number[] => [...text].map((letter) => (letter.charCodeAt(0) % 5) - 2);
    const vectors: Scorer = {
      kind: "embeddings",
      pairs: async (some) => Float64Array.from(some, ([a, b]) => numbers(a + b).reduce((sum, one) => sum + one, 0)),
      encoder: {
        encode: async (_, texts) =>
          texts.map((text) => ({ width: 3, count: 1, data: Float32Array.from(numbers(text).slice(-3)) })),
        compare: async (some) => ({
          score: async (query) =>
            Float64Array.from(some, ({ data }) => data.reduce((sum, one, i) => sum + one * query.data[i]!, 0)),
          async [Symbol.asyncDispose]() {},
        }),
      },
      async [Symbol.asyncDispose]() {},
    };
    const { encoder: _, ...alone } = vectors;
    await using words = await openScorer("bm25");
    // Answers that come again, so that ranks have ties between windows.
    const some = pairs.map(([question, answer], i): [string, string] => [question, i % 4 === 0 ? "the same" : answer]);
    for (const scorer of [vectors, alone, words]) {
      for (const kind of ["random", "bm25"] as const) {
        const run = (window: number) =>
          evaluateSimilarity(scorer, some, { kind, perPositive: 2, seed: 1 }, { resamples: 5, window, folder });
        expect(await run(7)).toEqual(await run(1000));
      }
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a tie counts against the right answer, and a scorer of pairs alone has no ranks", async () => {
    const constant: Scorer = {
      kind: "embeddings",
      pairs: async (some) => new Float64Array(some.length),
      index: async () => () => new Float64Array(pairs.length),
      async [Symbol.asyncDispose]() {},
    };
    const negatives = { kind: "random", perPositive: 1, seed: 1 } as const;
    const all = await evaluateSimilarity(constant, pairs, negatives, { resamples: 10 });
    expect(valueOf(all, "mrr")).toBeCloseTo(1 / 30);
    expect(valueOf(all, "auc")).toBe(0.5);
    const { index: _, ...alone } = constant;
    const report = await evaluateSimilarity(alone, pairs, negatives, { resamples: 10 });
    expect(report.figures.map(({ name }) => name)).toEqual(["pearson", "spearman", "auc"]);
  });
});

test("retrieval: BM25 finds the document with the word; a reranker orders what BM25 found", async () => {
  const set: RetrievalSet = {
    documents: pairs.map(([, text], i) => ({ id: `d${i}`, title: "", text })),
    queries: new Map([
      ["q1", "what is drug3"],
      ["q2", "is the drug9"],
    ]),
    judgements: new Map([
      ["q1", new Map([["d3", 2]])],
      ["q2", new Map([["d9", 1]])],
    ]),
  };
  await using bm25 = await openScorer("bm25");
  const first = await evaluateRetrieval(bm25, set);
  expect(valueOf(first, "ndcg@10")).toBe(1);
  // A reranker that likes long numbers least: the right document, drug3, comes after drug1 and others.
  const backwards: Scorer = {
    kind: "reranker",
    pairs: async (some) => Float64Array.from(some, ([, text]) => -Number(/\d+/.exec(text)![0])),
    async [Symbol.asyncDispose]() {},
  };
  const second = await evaluateRetrieval(backwards, set, { candidates: 30 });
  expect(valueOf(second, "mrr@10")).toBeCloseTo((1 / 4 + 1 / 10) / 2);
  expect(second.protocol["candidates"]).toBe(30);
});

describe("retrieval where queries are documents", () => {
  // Each query is a document by the same id, and finds itself first; another document answers it.
  const texts = ["the heart of man", "a kidney of mice", "heart and mind", "kidney and liver"];
  const set: RetrievalSet = {
    documents: texts.map((text, i) => ({ id: `p${i}`, title: "", text })),
    queries: new Map([
      ["p0", texts[0]!],
      ["p1", texts[1]!],
    ]),
    judgements: new Map([
      ["p0", new Map([["p2", 1]])],
      ["p1", new Map([["p3", 1]])],
    ]),
  };
  const likeness = (a: string, b: string): number => b.split(" ").filter((word) => a.split(" ").includes(word)).length;
  const reranker: Scorer = {
    kind: "reranker",
    pairs: async (some) => Float64Array.from(some, ([a, b]) => likeness(a, b)),
    async [Symbol.asyncDispose]() {},
  };
  const words = ["heart", "kidney"];
  const embeddings: Scorer = {
    ...reranker,
    kind: "embeddings",
    encoder: {
      encode: async (_, some) =>
        some.map((text) => ({
          width: 3,
          count: 1,
          data: Float32Array.from([...words.map((word) => Number(text.includes(word))), Number(/ of /.test(text))]),
        })),
      compare: async (documents) => ({
        score: async (query) =>
          Float64Array.from(documents, ({ data }) => data.reduce((sum, one, i) => sum + one * query.data[i]!, 0)),
        async [Symbol.asyncDispose]() {},
      }),
    },
  };

  test.each([
    ["bm25", undefined],
    ["a reranker", reranker],
    ["embeddings", embeddings],
  ])("%s: the query's own document is left out of its ranking, and of no other", async (_, given) => {
    await using scorer = given ?? (await openScorer("bm25"));
    for (const window of [1, 100]) {
      const report = await evaluateRetrieval(scorer, set, { depth: 1, candidates: 2, window });
      expect(valueOf(report, "ndcg@10")).toBe(1);
      expect(report.protocol["ownDocumentsLeftOut"]).toBe(2);
    }
    const apart = new Map([...set.queries].map(([id, text]) => [`q-${id}`, text]));
    const judgements = new Map([...set.judgements].map(([id, judged]) => [`q-${id}`, judged]));
    const other = await evaluateRetrieval(scorer, { ...set, queries: apart, judgements }, { depth: 2 });
    expect(valueOf(other, "mrr@10")).toBe(1 / 2);
    expect(other.protocol).not.toHaveProperty("ownDocumentsLeftOut");
  });
});
