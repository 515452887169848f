import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadColbert } from "../retrieval/colbert.ts";
import { loadCrossEncoder } from "../retrieval/cross-encoder.ts";
import { loadEmbedder } from "../retrieval/embedder.ts";
import { random } from "../tensor/random.ts";
import { type Config, withSettings } from "../train/config.ts";
import type { TrainEvent } from "../train/loop.ts";
import { train as trainOn, type TrainOptions } from "../train/train.ts";
import { checkInputs } from "./inputs.ts";
import { recipeOf } from "./index.ts";

const start = fileURLToPath(new URL("../../test/goldens/retrieval/every", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-encoders-"));
afterAll(() => rmSync(folder, { recursive: true }));

const words = ["kidney", "heart", "stroke", "insulin", "gene", "renal"];
const draw = random(3);
/** A query is a word; its document says the word among others, wrong documents do not. */
const lists = Array.from({ length: 48 }, (_, i) => {
  const word = words[i % 6]!;
  const wrong = words.filter((other) => other !== word);
  const filler = (): string => ["the", "of", "and"][draw.integer(3)]!;
  const documents = [word, ...wrong.slice(0, 2)].map((one) => `${filler()} ${one} ${filler()} ${filler()}`);
  return { query: word, documents, scores: [4, 0, -4], transform: "none" };
});
const write = (name: string, rows: readonly object[]): string => {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
};
const data = {
  lists: write("lists.jsonl", lists),
  texts: write(
    "texts.jsonl",
    lists.flatMap(({ documents }) => documents.map((text) => ({ text }))),
  ),
  classes: write(
    "classes.jsonl",
    lists.map(({ query, documents }) => ({ text: documents[0], label: query })),
  ),
  tags: write(
    "tags.jsonl",
    lists.map(({ documents }) => {
      const tokens = documents[0]!.split(" ");
      return { tokens, tags: tokens.map((token) => (words.includes(token) ? "B-X" : "O")) };
    }),
  ),
};

function config(recipe: string, ...settings: string[]): Config {
  const base = recipeOf(recipe)();
  const short = ["queryTokens", "documentTokens"].filter((name) => name in base.objective).map((name) => `${name}=16`);
  const usual = ["threads=1", "device=cpu", "epochs=6", "batch=8", "schedule.peak=2e-3", ...short];
  return withSettings(base, [...usual, ...settings]);
}

async function train(
  name: string,
  configuration: Config,
  path: string,
  more: Partial<TrainOptions> = {},
): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent): void => void events.push(event);
  await trainOn(configuration, { model: start, data: path, valid: path, output: join(folder, name), onEvent, ...more });
  return events;
}

const evaluations = (events: readonly TrainEvent[]): number[] =>
  events.filter((event) => event.type === "evaluated").map(({ loss }) => loss);

const cases: [name: string, recipe: string, settings: string[], path: string, more?: object][] = [
  ["distil", "embeddings-distil", ["objective.projection=none"], data.texts, { teacher: start }],
  ["ranking", "embeddings-ranking", [], data.lists],
  ["matryoshka", "embeddings-ranking", ["objective.matryoshka=[32,16]"], data.lists],
  ["kl", "embeddings-kl", ["documents=3"], data.lists],
  ["colbert", "colbert", ["documents=3"], data.lists],
  ["colbert-contrastive", "colbert-contrastive", ["documents=3"], data.lists],
  ["reranker", "reranker", ["documents=3", "objective.loss=ranknet"], data.lists],
  ["classifier", "classifier", [], data.classes],
  ["tagger", "tagger", [], data.tags],
];

test.each(cases)("%s: training lowers the loss, and the model opens", async (name, recipe, settings, path, more) => {
  const student = name === "distil" ? { ...more, untrained: true } : more;
  const [before, after] = evaluations(await train(name, config(recipe, ...settings), path, student));
  expect(after!).toBeLessThan(before!);
  const model = join(folder, name, "model");
  if (name.startsWith("colbert")) await (await loadColbert(model)).dispose();
  else if (name === "reranker") await (await loadCrossEncoder(model)).dispose();
  else if (name !== "classifier" && name !== "tagger") await (await loadEmbedder(model)).dispose();
});

test("cached gradients are the gradients: the same weights after training, whatever fits at once", async () => {
  const plain = (rows: number): Config =>
    config("embeddings-ranking", `objective.rowsAtOnce=${rows}`, "epochs=1", "documents=2");
  const stepLosses = async (name: string, rows: number): Promise<number[]> =>
    (await train(name, plain(rows), data.lists, { model: noDropout }))
      .filter((event) => event.type === "step")
      .map(({ loss }) => loss);
  const noDropout = withoutDropout();
  const [whole, five] = [await stepLosses("whole", 0), await stepLosses("five", 5)];
  expect(whole).toHaveLength(6);
  whole.forEach((loss, i) => expect(Math.abs(loss - five[i]!)).toBeLessThan(1e-4));
});

/** The start with dropout switched off. */
function withoutDropout(): string {
  const target = join(folder, "no-dropout");
  const { cpSync } = process.getBuiltinModule("node:fs");
  cpSync(start, target, { recursive: true });
  const path = join(target, "config.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...json, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 }));
  return target;
}

test("a run stopped and resumed equals an uninterrupted one, bit for bit", async () => {
  const configuration = config("embeddings-kl", "documents=3", "save.every=2", "epochs=1");
  await train("unbroken", configuration, data.lists);
  const controller = new AbortController();
  const onEvent = (event: TrainEvent): void => void (event.type === "step" && event.step === 3 && controller.abort());
  await train("broken", configuration, data.lists, { signal: controller.signal, onEvent });
  await train("broken", configuration, data.lists, { resume: true });
  const weights = (name: string): Buffer => readFileSync(join(folder, name, "model/model.safetensors"));
  expect(weights("broken").equals(weights("unbroken"))).toBe(true);
});

test("a missing input is refused with what to run first", () => {
  const inputs = { model: undefined, teacher: undefined, data: [] };
  expect(() => checkInputs("embeddings-distil", inputs)).toThrow(
    /--model: expected an encoder.*galen train biomedbert-small/s,
  );
  expect(() => checkInputs("colbert", inputs)).toThrow(/--model: .*galen train embeddings-distil/s);
  expect(() => checkInputs("embeddings-kl", { ...inputs, model: start })).toThrow(/--data: .*galen rerank/s);
});

test("scores that are no shares are refused as labels of binary cross-entropy", async () => {
  await expect(train("logits", config("reranker", "documents=3"), data.lists)).rejects.toThrow(
    /lists\.jsonl:1: expected scores in \[0, 1\] as labels, got 4/,
  );
});
