import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadColbert } from "../retrieval/colbert.ts";
import { loadCrossEncoder } from "../retrieval/cross-encoder.ts";
import { loadEmbedder } from "../retrieval/embedder.ts";
import { type EncoderData, writeEncoderData } from "../../test/support/encoder-data.ts";
import { loadModel } from "../model.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { encodeCut, firstPieces } from "../tokenizers/words.ts";
import { type Config, withSettings } from "../train/config.ts";
import type { TrainEvent } from "../train/loop.ts";
import { train as trainOn, type TrainOptions } from "../train/train.ts";
import { checkInputs } from "./inputs.ts";
import { recipeOf } from "./index.ts";

const start = fileURLToPath(new URL("../../test/goldens/retrieval/every", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-encoders-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = writeEncoderData(folder, "train", 48, 3);
const held = writeEncoderData(folder, "held", 24, 4);

function config(recipe: string, ...settings: string[]): Config {
  const base = recipeOf(recipe)();
  const short = ["queryTokens", "documentTokens"].filter((name) => name in base.objective).map((name) => `${name}=16`);
  const usual = ["threads=1", "device=cpu", "epochs=6", "batch=8", "schedule.peak=2e-3", ...short];
  return withSettings(base, [...usual, ...settings]);
}

async function train(
  name: string,
  configuration: Config,
  kind: keyof EncoderData,
  more: Partial<TrainOptions> = {},
): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent): void => void events.push(event);
  const inputs = { model: start, data: data[kind], valid: held[kind] };
  await trainOn(configuration, { ...inputs, output: join(folder, name), onEvent, ...more });
  return events;
}

const evaluations = (events: readonly TrainEvent[]): number[] =>
  events.filter((event) => event.type === "evaluated").map(({ loss }) => loss);

const cases: [name: string, recipe: string, settings: string[], kind: keyof EncoderData, more?: object][] = [
  ["distil", "embeddings-distil", ["objective.projection=none"], "texts", { teacher: start }],
  ["ranking", "embeddings-ranking", [], "lists"],
  ["matryoshka", "embeddings-ranking", ["objective.matryoshka=[32,16]"], "lists"],
  ["kl", "embeddings-kl", ["documents=3"], "lists"],
  ["colbert", "colbert", ["documents=3"], "lists"],
  ["colbert-contrastive", "colbert-contrastive", ["documents=3"], "lists"],
  ["reranker", "reranker", ["documents=3", "objective.loss=ranknet"], "lists"],
  ["classifier", "classifier", ["epochs=20"], "classes"],
  ["multi-label", "classifier", ["epochs=20"], "multiLabel"],
  ["tagger", "tagger", [], "tags"],
];

test.each(cases)(
  "%s: training lowers the held-out loss, and the model opens",
  async (name, recipe, settings, kind, more) => {
    const student = name === "distil" ? { ...more, untrained: true } : more;
    const [before, after] = evaluations(await train(name, config(recipe, ...settings), kind, student));
    expect(after!).toBeLessThan(before!);
    const model = join(folder, name, "model");
    if (name.startsWith("colbert")) await (await loadColbert(model)).dispose();
    else if (name === "reranker") await (await loadCrossEncoder(model)).dispose();
    else if (recipe !== "classifier" && recipe !== "tagger") await (await loadEmbedder(model)).dispose();
  },
);

/** The loss of held-out texts by the model that was written, opened as any other. */
async function lossOf(folderOf: string, kind: "classes" | "multiLabel" | "tags"): Promise<number> {
  await using model = await loadModel(folderOf, { threads: 1 });
  const tokenizer = await loadTokenizer(folderOf);
  const { label2id } = model.config as unknown as { label2id: Record<string, number> };
  const names = Object.keys(label2id);
  const lines = readFileSync(held[kind], "utf8").trim().split("\n");
  const rows = lines.map((line) => {
    const {
      text = "",
      label,
      labels,
      tokens = [],
      tags = [],
    } = JSON.parse(line) as Partial<{
      text: string;
      label: string;
      labels: string[];
      tokens: string[];
      tags: string[];
    }>;
    if (kind === "classes") return { ids: encodeCut(tokenizer, text, 16).ids, labels: label2id[label!]! };
    if (kind === "multiLabel") {
      return { ids: encodeCut(tokenizer, text, 16).ids, labels: names.map((name) => Number(labels!.includes(name))) };
    }
    const { ids, first } = firstPieces(tokenizer, tokens, 16);
    const places = new Map(first.map((place, word) => [place, label2id[tags[word]!]!]));
    return { ids, labels: ids.map((_, place) => places.get(place) ?? -100) };
  });
  const { loss } = await model.lossAndGradients({
    ids: rows.map(({ ids }) => ids),
    labels: rows.map(({ labels }) => labels) as number[][],
  });
  return loss;
}

test.each(["classes", "multiLabel", "tags"] as const)(
  "a model of %s that was written and opened again has the loss that it had",
  async (kind) => {
    const recipe = kind === "tags" ? "tagger" : "classifier";
    const [before, after] = evaluations(await train(`opened-${kind}`, config(recipe, "epochs=20"), kind));
    expect(after!).toBeLessThan(0.9 * before!);
    expect(await lossOf(join(folder, `opened-${kind}/model`), kind)).toBeCloseTo(after!, 5);
  },
);

test("cached gradients are the gradients: the same weights after training, whatever fits at once", async () => {
  const plain = (rows: number): Config =>
    config("embeddings-ranking", `objective.rowsAtOnce=${rows}`, "epochs=1", "documents=2");
  const stepLosses = async (name: string, rows: number): Promise<number[]> =>
    (await train(name, plain(rows), "lists", { model: noDropout }))
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
  await train("unbroken", configuration, "lists");
  const controller = new AbortController();
  const onEvent = (event: TrainEvent): void => void (event.type === "step" && event.step === 3 && controller.abort());
  await train("broken", configuration, "lists", { signal: controller.signal, onEvent });
  await train("broken", configuration, "lists", { resume: true });
  const weights = (name: string): Buffer => readFileSync(join(folder, name, "model/model.safetensors"));
  expect(weights("broken").equals(weights("unbroken"))).toBe(true);
});

test("a missing input is refused with what to run first", () => {
  const inputs = { model: undefined, teacher: undefined, data: [] };
  expect(() => checkInputs("embeddings-distil", inputs)).toThrow(
    /--model: expected the directory of an encoder.*galen train biomedbert-small/s,
  );
  expect(() => checkInputs("colbert", inputs)).toThrow(/--model: .*galen train embeddings-distil/s);
  expect(() => checkInputs("embeddings-kl", { ...inputs, model: start })).toThrow(/--data: .*galen rerank/s);
});

test("scores that are no shares are refused as labels of binary cross-entropy", async () => {
  await expect(train("logits", config("reranker", "documents=3"), "lists")).rejects.toThrow(
    /lists\.jsonl:1: expected scores in \[0, 1\] as labels, got 4/,
  );
});
