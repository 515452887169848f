/**
 * Settings of model directories: used by whatever opens one, with the values that sentence-transformers and PyLate give
 * (scripts/goldens/settings.py), and kept by whatever writes one.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { convertModel } from "../src/convert.ts";
import { loadClassifier } from "../src/labellers.ts";
import { loadModel } from "../src/model.ts";
import { loadColbert } from "../src/retrieval/colbert.ts";
import { loadCrossEncoder } from "../src/retrieval/cross-encoder.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { openScorer } from "../src/retrieval/scorers.ts";
import { openSentenceFolder } from "../src/retrieval/sentence-folder.ts";
import { configure } from "../src/recipes/index.ts";
import type { Config } from "../src/train/config.ts";
import type { TrainEvent } from "../src/train/loop.ts";
import { train } from "../src/train/train.ts";
import { writeEncoderData } from "./support/encoder-data.ts";

interface Case {
  readonly folder: string;
  /** File → dotted path → value. */
  readonly changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface Goldens {
  readonly queries: string[];
  readonly texts: string[];
  readonly embedders: Record<string, Case & { readonly plain: number[]; readonly scores: number[][] }>;
  readonly colberts: Record<string, Case & { readonly counts: number[]; readonly scores: number[][] }>;
  readonly crossEncoders: Record<string, Case & { readonly scores: number[] }>;
}

const root = fileURLToPath(new URL("goldens", import.meta.url));
const goldens = JSON.parse(readFileSync(`${root}/settings.json`, "utf8")) as Goldens;
const { queries, texts } = goldens;
const scratch = mkdtempSync(join(tmpdir(), "galen-folder-settings-"));
afterAll(() => rmSync(scratch, { recursive: true }));
vi.spyOn(console, "warn").mockImplementation(() => undefined);
const options = { threads: 1 } as const;

type Json = Record<string, unknown>;
const readJson = (path: string): Json => JSON.parse(readFileSync(path, "utf8")) as Json;

/** A copy of a directory with these settings. */
function changed({ folder, changes }: Case): string {
  const copy = mkdtempSync(join(scratch, `${folder}-`));
  cpSync(`${root}/retrieval/${folder}`, copy, { recursive: true });
  for (const [file, values] of Object.entries(changes)) {
    const json = readJson(join(copy, file));
    for (const [path, value] of Object.entries(values)) {
      const parents = path.split(".");
      const last = parents.pop()!;
      parents.reduce((place, name) => place[name] as Json, json)[last] = value;
    }
    writeFileSync(join(copy, file), JSON.stringify(json));
  }
  return copy;
}

/** Relative to the values' own size, since a dot product may be in the thousands. */
function expectClose(actual: Iterable<number>, expected: readonly number[]): void {
  const found = [...actual];
  expect(found).toHaveLength(expected.length);
  const apart = found.map((value, i) => Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!)));
  expect(Math.max(...apart)).toBeLessThan(1e-4);
}

const pairs = queries.flatMap((query) => texts.map((text) => [query, text] as const));

describe("embedding models are used as their directories say", () => {
  test.each(Object.entries(goldens.embedders))("%s", async (_, { plain, scores, ...golden }) => {
    const folder = changed(golden);
    await using embedder = await loadEmbedder(folder, options);
    expectClose(
      (await embedder.embed(texts)).flatMap((vector) => [...vector]),
      plain,
    );
    await using scorer = await openScorer(folder, options);
    expectClose(await scorer.pairs(pairs), scores.flat());
    const { encode, compare } = scorer.encoder!;
    await using comparer = await compare(await encode("document", texts));
    for (const [i, query] of (await encode("query", queries)).entries()) {
      expectClose(await comparer.score(query), scores[i]!);
    }
  });
});

describe("ColBERTs are used as their directories say", () => {
  test.each(Object.entries(goldens.colberts))("%s", async (_, { counts, scores, ...golden }) => {
    const folder = changed(golden);
    await using colbert = await loadColbert(folder, options);
    expect((await colbert.encodeDocuments(texts)).map(({ count }) => count)).toEqual(counts);
    await using scorer = await openScorer(folder, options);
    expectClose(await scorer.pairs(pairs), scores.flat());
  });
});

describe("cross-encoders are used as their directories say", () => {
  test.each(Object.entries(goldens.crossEncoders))("%s", async (_, { scores, ...golden }) => {
    await using encoder = await loadCrossEncoder(changed(golden), options);
    expectClose((await encoder.score(pairs)).scores, scores);
  });
});

test("a classifier reads as much as its tokenizer's files say", async () => {
  const from = changed({ folder: "cross-three", changes: { "tokenizer_config.json": { model_max_length: 6 } } });
  await using classifier = await loadClassifier(from, options);
  expect(await classifier.classify(texts)).toEqual(await classifier.classify(texts, { maxTokens: 6 }));
  expect(await classifier.classify(texts)).not.toEqual(await classifier.classify(texts, { maxTokens: 64 }));
});

/** What the directories say besides weights and tokenizer, without the versions that wrote them. */
function said(folder: string): Json {
  const files = [
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "modules.json",
    "1_Pooling/config.json",
  ];
  const { __version__, ...settings } = readJson(join(folder, files[0]!));
  const rest = files.slice(1).filter((file) => existsSync(join(folder, file)));
  return { settings, ...Object.fromEntries(rest.map((file) => [file, readJson(join(folder, file))])) };
}

let runs = 0;
/** Trains for a step; gives the model's directory and what was noted. */
async function trained(
  recipe: string,
  file: string,
  model: string,
  settings: readonly string[] = [],
  change: Partial<Config> = {},
): Promise<{ folder: string; notes: readonly string[]; loss: number }> {
  const output = join(scratch, `run-${runs++}`);
  const usual = ["threads=1", "device=cpu", "batch=4", "steps=1", "schedule.peak=1e-9"];
  const teacher = recipe === "embeddings-distil" ? { teacher: join(root, "retrieval/prompt") } : {};
  const inputs = { model, data: file, ...teacher };
  const config = await configure(recipe, { settings: [...usual, ...settings], inputs });
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent): void => void events.push(event);
  await train({ ...config, ...change }, { ...inputs, output, onEvent });
  const notes = events.flatMap((event) => (event.type === "started" ? event.notes : []));
  return { folder: join(output, "model"), notes, loss: events.find((event) => event.type === "step")!.loss };
}

const data = writeEncoderData(scratch, "data", 8, 3);

describe("what a directory says is kept by training", () => {
  test.each(Object.entries(goldens.embedders))("an embedding model: %s", async (_, golden) => {
    const from = changed(golden);
    for (const [recipe, file, settings] of [
      ["embeddings-ranking", data.lists, ["documents=3"]],
      ["embeddings-ranking", data.lists, ["documents=3", "rowsAtOnce=3"]],
      ["embeddings-kl", data.lists, ["documents=3"]],
      ["embeddings-distil", data.texts, ["projection=learned"]],
    ] as const) {
      const { folder } = await trained(recipe, file, from, settings);
      expect(said(folder)).toEqual(said(from));
    }
  });

  test.each(Object.entries(goldens.colberts))("a ColBERT: %s", async (_, golden) => {
    const from = changed(golden);
    const { folder, notes } = await trained("colbert", data.lists, from, ["documents=3"]);
    expect(said(folder)).toEqual(said(from));
    expect(notes.join()).toContain("the model's own lengths are kept");
  });

  test("a ColBERT made of an embedding model: its default prompt and case", async () => {
    const { folder, changes } = goldens.embedders["do_lower_case"]!;
    const prompts = { prompts: { query: "", document: "", a: "The: " }, default_prompt_name: "a" };
    const from = changed({ folder, changes: { ...changes, "config_sentence_transformers.json": prompts } });
    const made = await trained("colbert", data.lists, from, ["documents=3", "queryTokens=9", "documentTokens=20"]);
    await using colbert = await loadColbert(made.folder, options);
    const own = { queryPrompt: "The: ", documentPrompt: "The: ", lowerCase: true, queryLength: 9, documentLength: 20 };
    expect(colbert.settings).toMatchObject(own);
  });

  const savers: Readonly<Record<string, (from: string, to: string) => Promise<unknown>>> = {
    async saved(from, to) {
      await using model = await loadModel(from, options);
      await model.save(to);
    },
    converted: (source, output) => convertModel({ source, output }),
  };
  test.each(["mean", "colbert"].flatMap((name) => Object.keys(savers).map((how): [string, string] => [name, how])))(
    "%s, %s: all of it",
    async (name, how) => {
      const { folder, changes } = goldens.embedders["do_lower_case"]!;
      const from = changed({ folder: name, changes: folder === name ? changes : {} });
      const to = join(scratch, `${how}-${name}`);
      await savers[how]!(from, to);
      expect(said(to)).toEqual(said(from));
      await using before = await openScorer(from, options);
      await using after = await openScorer(to, options);
      expect(await after.pairs(pairs)).toEqual(await before.pairs(pairs));
    },
  );

  test("a new embedding model has the length that it was trained with, a reranker too", async () => {
    const { folder: mean } = goldens.embedders["max_seq_length"]!;
    const from = changed({ folder: mean, changes: {} });
    rmSync(join(from, "modules.json"));
    const fresh = await trained("embeddings-ranking", data.lists, from, [
      "documents=3",
      "documentTokens=20",
      "queryTokens=10",
    ]);
    expect((await openSentenceFolder(fresh.folder)).maxTokens).toBe(20);
    const reranker = await trained("reranker", data.lists, from, ["documents=3", "documentTokens=20", "loss=ranknet"]);
    await using encoder = await loadCrossEncoder(reranker.folder, options);
    expect(encoder.maxTokens).toBe(20);
    const again = await trained("reranker", data.lists, reranker.folder, ["documents=3", "loss=ranknet"]);
    expect(readJson(join(again.folder, "tokenizer_config.json"))["model_max_length"]).toBe(20);
  });
});

describe("training reads texts as the model is used", () => {
  const file = join(scratch, "margins.jsonl");
  const learned = queries.map((query) => ({ query, documents: texts.slice(0, 3), scores: [3, 1, -2] }));
  writeFileSync(file, learned.map((list) => `${JSON.stringify(list)}\n`).join(""));

  /** What the loss of the whole file must be. */
  async function marginLoss(folder: string): Promise<number> {
    await using embedder = await loadEmbedder(folder, options);
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    let sum = 0;
    for (const { query, documents, scores } of learned) {
      const [asked] = await embedder.embed([query], { role: "query" });
      const found = (await embedder.embed(documents, { role: "document" })).map((one) => dot(asked!, one));
      for (const k of [1, 2]) sum += (found[0]! - found[k]! - (scores[0]! - scores[k]!)) ** 2;
    }
    return sum / (2 * learned.length);
  }

  test.each(["no change", "prompts", "max_seq_length", "a cased tokenizer", "do_lower_case"])("%s", async (name) => {
    const golden = goldens.embedders[name]!;
    const noDropout = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
    const from = changed({ ...golden, changes: { ...golden.changes, "config.json": noDropout } });
    const objective = { kind: "margin", documents: 3, queryTokens: 64, documentTokens: 64 } as const;
    const { loss } = await trained("embeddings-kl", file, from, [`batch=${learned.length}`], { objective });
    const expected = await marginLoss(from);
    expect(Math.abs(loss - expected) / expected).toBeLessThan(1e-4);
  });
});
