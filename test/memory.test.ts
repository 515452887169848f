/**
 * Every path disposes what it makes: ten thousand texts through tiny models leave the process's memory as it was. Mining
 * holds no more of many candidates than of few.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import { streamPairs } from "../src/tasks/pairs.ts";
import { mineNegatives } from "../src/retrieval/mine.ts";
import { loadClassifier, loadTagger } from "../src/labellers.ts";
import { evaluateSimilarity } from "../src/eval/similarity.ts";
import { openScorer, type Scorer } from "../src/retrieval/scorers.ts";
import { loadColbert } from "../src/retrieval/colbert.ts";
import { loadCrossEncoder } from "../src/retrieval/cross-encoder.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { createMaxSim } from "../src/retrieval/max-sim.ts";

const folder = fileURLToPath(new URL("goldens/retrieval", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "galen-memory-"));
afterAll(() => rm(scratch, { recursive: true }));
const options = { threads: 1 } as const;

/** Five hundred texts of several lengths: twenty rounds of them are ten thousand. */
const texts = Array.from(
  { length: 500 },
  (_, i) => `renal failure in mice ${i} ${"and the insulin gene ".repeat(i % 4)}`,
);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** MiB in use: objects and the buffers of tensors, without garbage. */
async function used(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await setTimeout(10); // buffers are freed after the objects that held them
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

/**
 * Ten rounds fill caches and arenas; twenty more must leave what is in use as it was (hidden states that are kept would
 * be fifty MiB), and the process, whose allocator keeps what it has, nearly so.
 */
async function expectFlat(round: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 10; i++) await round();
  const [before, resident] = [await used(), process.memoryUsage().rss];
  for (let i = 0; i < 20; i++) await round();
  expect((await used()) - before).toBeLessThan(4);
  expect((process.memoryUsage().rss - resident) / 2 ** 20).toBeLessThan(96);
}

test("embed", async () => {
  await using embedder = await loadEmbedder(`${folder}/mean`, options);
  await expectFlat(() => embedder.embed(texts));
});

test("score", async () => {
  await using encoder = await loadCrossEncoder(`${folder}/cross-one`, options);
  const pairs = texts.map((text): [string, string] => ["renal failure", text]);
  await expectFlat(() => encoder.score(pairs));
});

test("classify", async () => {
  await using classifier = await loadClassifier(`${folder}/cross-three`, options);
  await expectFlat(() => classifier.classify(texts));
});

test("tag", async () => {
  const tags = join(scratch, "tags");
  await cp(`${folder}/cross-three`, tags, { recursive: true });
  const config = JSON.parse(await readFile(join(tags, "config.json"), "utf8")) as object;
  await writeFile(
    join(tags, "config.json"),
    JSON.stringify({ ...config, architectures: ["BertForTokenClassification"] }),
  );
  await using tagger = await loadTagger(tags, options);
  const sentences = texts.map((text) => text.trim().split(" "));
  await expectFlat(() => tagger.tag(sentences));
});

test("vectors of tokens and their scores", async () => {
  await using model = await loadColbert(`${folder}/colbert`, { ...options, onCut: () => undefined });
  const round = async (): Promise<void> => {
    await using scorer = await createMaxSim(await model.encodeDocuments(texts), options);
    const [query] = await model.encodeQueries(texts);
    await scorer.score(query!);
  };
  await expectFlat(round);
});

test.each(["mean", "colbert"])("mine by %s", async (model) => {
  await using scorer = await openScorer(`${folder}/${model}`, options);
  const pairs = texts.slice(0, 60).map((text): [string, string] => [text.slice(0, 20), text]);
  await expectFlat(async () => {
    const settings = { negatives: 3, window: 20, block: 20, folder: scratch };
    for await (const _ of mineNegatives(scorer, pairs, settings));
  });
});

/** Vectors of 256 numbers, made of a text's own. */
const numbersOf: Scorer = {
  kind: "embeddings",
  pairs: async (pairs) => new Float64Array(pairs.length),
  encoder: {
    encode: async (_role, some) =>
      some.map((text) => ({ width: 256, count: 1, data: new Float32Array(256).fill(Number(text.split(" ")[0])) })),
    compare: async (documents) => ({
      score: async (query) => Float64Array.from(documents, ({ data }) => -Math.abs(data[0]! - query.data[0]!)),
      async [Symbol.asyncDispose]() {},
    }),
  },
  async [Symbol.asyncDispose]() {},
};

async function pairsFile(count: number): Promise<string> {
  const path = join(scratch, "pairs.jsonl");
  const line = (_: unknown, i: number): string =>
    `${JSON.stringify({ query: `${i} ${"q".repeat(500)}`, documents: [`${i} ${"d".repeat(1000)}`] })}\n`;
  await writeFile(path, Array.from({ length: count }, line));
  return path;
}

/** MiB in use when all documents of so many pairs are encoded, and two blocks of queries searched. */
async function usedByMining(count: number): Promise<number> {
  const path = await pairsFile(count);
  const before = await used();
  const settings = { negatives: 3, relativeMargin: 0, folder: scratch };
  let most = 0;
  let lists = 0;
  for await (const { documents } of mineNegatives(numbersOf, streamPairs(path), settings)) {
    lists += 1;
    expect(documents.map((text) => text.length)).toEqual(
      documents.map((text) => `${Number.parseInt(text, 10)} `.length + 1000),
    );
    if (lists % 256 === 1) most = Math.max(most, (await used()) - before);
    if (lists > 512) break;
  }
  expect(lists).toBe(513);
  return most;
}

test("mining holds neither texts nor vectors of its candidates", async () => {
  await usedByMining(2000);
  const few = await usedByMining(2000);
  // Of 18,000 more the documents are 17 MiB, their vectors 18, the queries 9, and what is known of them by number 1.
  expect((await usedByMining(20_000)) - few).toBeLessThan(3);
});

/** MiB in use when all texts of so many pairs are encoded. */
async function usedBySimilarity(count: number): Promise<number> {
  const path = await pairsFile(count);
  const before = await used();
  let most = 0;
  const enough = new Error("enough");
  const compare = async (): Promise<never> => {
    most = (await used()) - before;
    throw enough;
  };
  const scorer: Scorer = { ...numbersOf, encoder: { ...numbersOf.encoder!, compare } };
  const negatives = { kind: "random", perPositive: 1, seed: 1 } as const;
  const run = evaluateSimilarity(scorer, streamPairs(path), negatives, { folder: scratch });
  await expect(run).rejects.toBe(enough);
  return most;
}

test("similarity holds neither texts nor vectors of its pairs", async () => {
  await usedBySimilarity(2000);
  const few = await usedBySimilarity(2000);
  // Of 18,000 more the texts are 26 MiB, their vectors 35, and what is known of them by number 2.
  expect((await usedBySimilarity(20_000)) - few).toBeLessThan(5);
});
