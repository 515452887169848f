import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toOnnx } from "../../graph/lower.ts";
import { bert, type Family } from "../../models/index.ts";
import { lossGraph } from "../../models/graphs.ts";
import { recipeOf } from "../../recipes/index.ts";
import { createSession } from "../../runtime/session.ts";
import { allocateParameters, initialise } from "../../runtime/parameters.ts";
import { random } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { type Config, withSettings } from "../config.ts";
import type { TrainEvent } from "../loop.ts";
import { train, type TrainOptions } from "../train.ts";
import { blockSet } from "./blocks.ts";
import { labelsOfBlock, maskedBatch } from "./masked.ts";
import { maskingVocabulary } from "./masking.ts";
import { openTokens, writeTokens } from "../../corpus/token-files.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-masked-"));
afterAll(() => rmSync(folder, { recursive: true }));
const inputs = { data: join(folder, "train"), valid: join(folder, "valid") };
const tokenizer = {
  vocabSize: 64,
  special: { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
  continuesWord: () => false,
  files: () => new Map<string, string>(),
};

/** Documents [CLS] … [SEP] in which each token follows from the one before. */
beforeAll(async () => {
  for (const [name, count] of [
    ["train", 80],
    ["valid", 8],
  ] as const) {
    const numbers = random(5, count);
    const writer = await writeTokens(join(folder, name), { vocabSize: 64 });
    for (let i = 0; i < count; i++) {
      const ids = [2, 5 + numbers.integer(59)];
      while (ids.length < 20 + numbers.integer(40)) ids.push(((ids.at(-1)! * 3 + 1) % 59) + 5);
      await writer.write([...ids, 3]);
    }
    await writer.close();
  }
});

const base = withSettings(recipeOf("biomedbert-small")({ scale: "debug" }), [
  "model.vocab_size=64",
  "threads=1",
  "steps=10",
  "save.every=3",
  "evaluate.every=0",
]);

async function run(name: string, config: Config, options: Partial<TrainOptions> = {}): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent): void => void events.push(event);
  await train(config, { ...inputs, output: join(folder, name), tokenizer, onEvent, ...options });
  return events;
}

const weightsOf = (name: string): Buffer => readFileSync(join(folder, name, "model/model.safetensors"));

test("masked training lowers the held-out masked loss, of BERT and of BERT-hash", async () => {
  for (const recipe of ["biomedbert-small", "hash-nano"]) {
    const config = withSettings(recipeOf(recipe)({ scale: "debug" }), [
      "model.vocab_size=64",
      "model.hidden_dropout_prob=0",
      "model.attention_probs_dropout_prob=0",
      "threads=1",
      "steps=300",
      "batch=8",
      "accumulate=1",
      "schedule.peak=1e-2",
      "schedule.warmup=20",
      "evaluate.every=0",
      "save.every=0",
    ]);
    const losses = (await run(recipe, config)).filter((event) => event.type === "evaluated").map(({ loss }) => loss);
    expect(losses).toHaveLength(2);
    expect(losses[0]).toBeGreaterThan(4);
    expect(losses[1]).toBeLessThan(3.5);
  }
});

test("a masked run stopped by a signal and resumed equals an uninterrupted one, bit for bit", async () => {
  await run("whole", base);
  const controller = new AbortController();
  await run("stopped", base, {
    signal: controller.signal,
    onEvent: (event) => void (event.type === "step" && event.step === 5 && controller.abort()),
  });
  await run("stopped", base, { resume: true });
  expect(weightsOf("stopped").equals(weightsOf("whole"))).toBe(true);
});

test("training goes on from a model's weights, with rows for tokens that a larger vocabulary adds", async () => {
  const lossBefore = async (name: string, config: Config, model?: string): Promise<number> => {
    const [first] = (await run(name, config, { model })).filter((event) => event.type === "evaluated");
    return first!.loss;
  };
  const learned = withSettings(base, [
    "model.hidden_dropout_prob=0",
    "model.attention_probs_dropout_prob=0",
    "steps=300",
    "batch=8",
    "accumulate=1",
    "schedule.peak=1e-2",
    "schedule.warmup=20",
    "save.every=0",
  ]);
  const last = (await run("first", learned)).filter((event) => event.type === "evaluated").at(-1)!.loss;
  const model = join(folder, "first/model");
  const next = withSettings(learned, ["steps=1"]);
  expect(await lossBefore("again", next, model)).toBe(last);
  expect(await lossBefore("fresh", next)).toBeGreaterThan(last + 0.3);
  const larger = withSettings(next, ["model.vocab_size=70"]);
  const grown = await lossBefore("grown", larger, model);
  expect(grown).toBeGreaterThan(last);
  expect(grown).toBeLessThan(last + 0.3);
  const wider = withSettings(next, ["model.hidden_size=64"]);
  await expect(run("wider", wider, { model })).rejects.toThrow(/expected parameter ".*" \[64, 64\], got \[64, 32\]/);
});

test("an objective that is not the model's, or a missing vocabulary, is refused", async () => {
  const causal = {
    ...base,
    objective: { kind: "causal", tokens: 32, newRows: "pieces", rowMultiple: 1, replay: 0 } as const,
  };
  await expect(run("causal", causal)).rejects.toThrow(/objective: expected masked for bert, got causal/);
  await expect(run("without", base, { tokenizer: undefined })).rejects.toThrow(/tokenizer: expected one for masking/);
});

test("a batch has a fixed number of label places, at masked tokens only, and each epoch masks anew", () => {
  using file = openTokens(inputs.data);
  const options = { tokens: 32, seed: 1, rate: 0.15, wholeWords: false };
  const vocabulary = maskingVocabulary(tokenizer);
  const set = blockSet(file, { ...options, overlap: 0 }, (blocks, numbers) =>
    maskedBatch(blocks, numbers, options, vocabulary),
  );
  const from = (first: number, rows: number) => set.batch(Array.from({ length: rows }, (_, i) => first + i));
  const { feeds, count } = from(0, 4);
  expect(feeds["at"]!.dims).toEqual([4 * labelsOfBlock(32, 0.15)]);
  const labels = [...feeds["labels"]!.data].map(Number);
  expect(labels.filter((label) => label >= 0)).toHaveLength(count);
  expect(labels.every((label) => label === -100 || label > 4)).toBe(true);
  const of = (first: number): string => String(from(first, set.count).feeds["at"]!.data);
  expect(of(0)).toBe(of(0));
  expect(of(0)).not.toBe(of(set.count));
});

test("documents packed into one row get the losses that they have alone", async () => {
  const config = {
    ...bert.sizes["biomedbert-small"]!,
    vocab_size: 64,
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: 16,
  };
  const graph = lossGraph(bert as unknown as Family, config, { gathered: true, packed: true, gradients: false });
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 3);
  await using session = await createSession(toOnnx(graph), { threads: 1 });
  const lossOf = async (ids: number[], documents: number[], at: number[], labels: number[]): Promise<number> => {
    const int64 = (values: number[], dims: number[]) => tensor("int64", dims, BigInt64Array.from(values.map(BigInt)));
    const { loss } = await session.run({
      ...Object.fromEntries(parameters.tensors),
      ids: int64(ids, [1, ids.length]),
      documents: int64(documents, [1, ids.length]),
      at: int64(at, [at.length]),
      labels: int64(labels, [at.length]),
      scale: tensor("float32", [], Float32Array.of(1)),
    });
    return Number(loss!.data[0]);
  };
  const [first, second] = [
    [2, 9, 4, 11, 3],
    [2, 4, 20, 3],
  ] as const;
  const alone =
    (await lossOf([...first], [1, 1, 1, 1, 1], [2], [10])) + (await lossOf([...second], [1, 1, 1, 1], [1], [30]));
  const packed = await lossOf([...first, ...second], [1, 1, 1, 1, 1, 2, 2, 2, 2], [2, 6], [10, 30]);
  const across = await lossOf([...first, ...second], Array(9).fill(1), [2, 6], [10, 30]);
  expect(Math.abs(packed - alone)).toBeLessThan(1e-5);
  expect(Math.abs(across - alone)).toBeGreaterThan(1e-5);
});
