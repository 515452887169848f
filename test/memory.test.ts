/** Every path disposes what it makes: ten thousand texts through tiny models leave the process's memory as it was. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import { loadClassifier, loadTagger } from "../src/eval/labels.ts";
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
  await using model = await loadColbert(`${folder}/colbert`, { ...options, warn: () => undefined });
  const round = async (): Promise<void> => {
    await using scorer = await createMaxSim(await model.encodeDocuments(texts), options);
    const [query] = await model.encodeQueries(texts);
    await scorer.score(query!);
  };
  await expectFlat(round);
});
