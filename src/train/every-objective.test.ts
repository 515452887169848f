/** What the one training can do, every objective can: accumulate, learn adapters, half precision, held-out loss midway. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeEncoderData } from "../../test/support/encoder-data.ts";
import { tinyDocuments, writeTinyTask } from "../../test/support/tiny-task.ts";
import { trainBy } from "../../test/support/training.ts";
import { openSafetensors, readFloat32 } from "../checkpoints/safetensors.ts";
import { writeTokens } from "../corpus/token-files.ts";
import { random } from "../tensor/random.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { TrainEvent } from "./loop.ts";
import type { RewardFunction } from "./objectives/rewards.ts";
import type { TrainOptions } from "./train.ts";

const goldens = fileURLToPath(new URL("../../test/goldens", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-every-objective-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = writeEncoderData(folder, "train", 48, 3);
const held = writeEncoderData(folder, "held", 12, 4);
const tiny = await writeTinyTask(folder);
/** An encoder and a decoder without dropout, so that runs can be compared. */
const encoder = withoutDropout(join(goldens, "retrieval/mean"), "encoder");
const decoder = withoutDropout(tiny.start, "decoder");

function withoutDropout(from: string, name: string): string {
  const target = join(folder, name);
  cpSync(from, target, { recursive: true });
  const path = join(target, "config.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...json, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 }));
  return target;
}

/** Questions about sentences, some with a second turn, in a file. */
function writeTinyExchanges(name: string, count: number, seed: number): string {
  const path = join(folder, `${name}.jsonl`);
  const lines = tinyDocuments(count, seed).map(({ text, relations: [found] }, i) => {
    const { head, relation, tail } = found!;
    const first = [
      { role: "user", content: text },
      { role: "assistant", content: `${head} ${relation}` },
    ];
    const second = [
      { role: "user", content: "and" },
      { role: "assistant", content: tail },
    ];
    return JSON.stringify({ messages: i % 3 === 0 ? [...first, ...second] : first });
  });
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}
/** Answers of different lengths, of which the one that says "in man" is preferred. */
function writePreferences(name: string, count: number, seed: number): string {
  const path = join(folder, `${name}-preferences.jsonl`);
  const rows = tinyDocuments(count, seed).map(({ text }) => {
    const [prompt, rest] = text.split(" levels") as [string, string];
    return { prompt, chosen: ` levels${rest}`, rejected: rest.replace("in man.", "and again and again.") };
  });
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}
const answers = {
  model: decoder,
  data: writePreferences("train", 40, 5),
  valid: writePreferences("held", 12, 6),
};
const answered = ["maxTokens=40", "batch=8", "steps=6"];

function writePrompts(name: string, count: number, seed: number): string {
  const path = join(folder, `${name}.jsonl`);
  const lines = tinyDocuments(count, seed).map(({ text }) => JSON.stringify({ prompt: text }));
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/** Answers are to be of tokens with even numbers: a thing of degrees, which a few updates move. */
const reward: RewardFunction = (answers) =>
  answers.map(({ ids }) => ids.filter((id) => id % 2 === 0).length / ids.length);

/** Token files of either model's vocabulary. */
beforeAll(async () => {
  for (const model of [encoder, decoder]) {
    const { vocabSize, special } = await loadTokenizer(model);
    for (const [name, count] of Object.entries({ train: 40, valid: 8 })) {
      const numbers = random(7, count);
      const writer = await writeTokens(join(model, "tokens", name), { vocabSize });
      for (let i = 0; i < count; i++) {
        const ids = Array.from({ length: 40 }, (_, t) => 6 + ((numbers.integer(4) + 3 * t + i) % (vocabSize - 6)));
        await writer.write([special.cls ?? special.eos ?? 2, ...ids]);
      }
      await writer.close();
    }
  }
});

interface Case {
  readonly recipe: string;
  readonly settings: readonly string[];
  readonly inputs: Omit<TrainOptions, "output">;
}

const lists = { model: encoder, data: data.lists, valid: held.lists };
const short = ["documentTokens=16", "batch=8", "steps=6"];
const blocks = ["tokens=24", "accumulate=1", "steps=6"];
const listed = [...short, "queryTokens=16", "documents=3"];
const tokens = (model: string): Case["inputs"] => ({ model, data: join(model, "tokens") });
const cases: Readonly<Record<string, Case>> = {
  causal: { recipe: "biogpt-nano", settings: [...blocks, "batch=4"], inputs: tokens(decoder) },
  masked: { recipe: "biomedbert-small", settings: [...blocks, "batch=4"], inputs: tokens(encoder) },
  distillation: {
    recipe: "embeddings-distil",
    settings: [...short, "projection=learned"],
    inputs: { model: encoder, data: data.texts, valid: held.texts, teacher: join(goldens, "retrieval/every") },
  },
  ranking: { recipe: "embeddings-ranking", settings: listed, inputs: lists },
  cached: { recipe: "embeddings-ranking", settings: [...listed, "rowsAtOnce=5"], inputs: lists },
  divergence: { recipe: "embeddings-kl", settings: listed, inputs: lists },
  "late-divergence": { recipe: "colbert", settings: listed, inputs: lists },
  pairs: { recipe: "reranker", settings: [...short, "documents=3", "loss=ranknet"], inputs: lists },
  classes: {
    recipe: "classifier",
    settings: short,
    inputs: { model: encoder, data: data.classes, valid: held.classes },
  },
  targets: {
    recipe: "classifier",
    settings: short,
    inputs: { model: encoder, data: data.multiLabel, valid: held.multiLabel },
  },
  tags: { recipe: "tagger", settings: short, inputs: { model: encoder, data: data.tags, valid: held.tags } },
  instructions: {
    recipe: "instruct",
    settings: ["steps=6", "batch=8", "accumulate=1", "maxTokens=40", "sample.every=0"],
    inputs: {
      model: decoder,
      data: writeTinyExchanges("exchanges", 48, 6),
      valid: writeTinyExchanges("held-exchanges", 12, 7),
    },
  },
  policy: {
    recipe: "policy",
    settings: ["steps=6", "batch=8", "completions=4", "maxNewTokens=8", "sample.every=0"],
    inputs: { model: decoder, data: writePrompts("prompts", 32, 8), valid: writePrompts("held-prompts", 8, 9), reward },
  },
  "soft-prompt": {
    recipe: tiny.schema,
    settings: ["steps=6", "batch=8", "accumulate=1", "dropout=0", "average=1"],
    inputs: { model: decoder, data: tiny.data },
  },
  reward: { recipe: "reward", settings: answered, inputs: answers },
  preference: { recipe: "preference", settings: answered, inputs: answers },
  unpaired: { recipe: "preference-unpaired", settings: [...answered, "rowsAtOnce=3"], inputs: answers },
};
const names = Object.keys(cases);

let runs = 0;
async function run(
  name: string,
  more: readonly string[] = [],
  options: Partial<TrainOptions> = {},
): Promise<{ events: TrainEvent[]; output: string }> {
  const { recipe, settings, inputs } = cases[name]!;
  const events: TrainEvent[] = [];
  const output = options.output ?? join(folder, `run-${runs++}`);
  const usual = ["threads=1", "device=cpu", "schedule.peak=1e-3", "schedule.warmup=0", "schedule.kind=constant"];
  await trainBy(recipe, [...usual, "save.every=0", ...settings, ...more], {
    ...inputs,
    ...options,
    output,
    onEvent: async (event) => {
      events.push(event);
      await options.onEvent?.(event);
    },
  });
  return { events, output };
}

const stepsOf = (events: readonly TrainEvent[]): number[] =>
  events.filter((event) => event.type === "step").map(({ loss }) => loss);
const evaluationsOf = (events: readonly TrainEvent[]): [step: number, loss: number][] =>
  events.filter((event) => event.type === "evaluated").map(({ step, loss }) => [step, loss]);
async function weightsOf(output: string): Promise<Map<string, Float32Array>> {
  const { entries } = await openSafetensors(join(output, "model/model.safetensors"));
  const weights = new Map<string, Float32Array>();
  for (const [name, entry] of entries) weights.set(name, await readFloat32(entry));
  return weights;
}

describe.each(names)("%s", (name) => {
  test("is judged on held-out examples on the way, and learns", async () => {
    const { events } = await run(name, ["evaluate.every=2", "schedule.peak=3e-3", "steps=12"]);
    const found = evaluationsOf(events);
    expect(found.map(([step]) => step)).toEqual([0, 2, 4, 6, 8, 10, 12]);
    expect(found.at(-1)![1]).toBeLessThan(found[0]![1]);
  });

  test("learns low-rank adapters, which are merged into an ordinary checkpoint", async () => {
    const all = await run(name);
    const lora = await run(name, ["trainable=lora", "lora.rank=2", "schedule.peak=6e-3", "steps=36"]);
    const losses = evaluationsOf(lora.events);
    expect(losses.at(-1)![1]).toBeLessThan(losses[0]![1]);
    const [whole, merged] = [await weightsOf(all.output), await weightsOf(lora.output)];
    expect([...merged.keys()]).toEqual([...whole.keys()]);
    const started = lora.events.find((event) => event.type === "started")!;
    expect(started.parameters).toBeLessThan(0.7 * [...whole.values()].reduce((sum, { length }) => sum + length, 0));
    const { entries } = await openSafetensors(join(cases[name]!.inputs.model!, "model.safetensors"));
    const same = async (part: string): Promise<boolean> => {
      const key = [...merged.keys()].find((one) => one.endsWith(part))!;
      const stored = [...entries].find(([one]) => key.endsWith(one))![1];
      return Buffer.from((await readFloat32(stored)).buffer).equals(Buffer.from(merged.get(key)!.buffer));
    };
    const isDecoder = cases[name]!.inputs.model === decoder;
    expect(await same(isDecoder ? "layers.0.self_attn.k_proj.weight" : "layer.0.attention.output.dense.weight")).toBe(
      true,
    );
    expect(await same(isDecoder ? "layers.0.fc1.weight" : "layer.0.attention.self.query.weight")).toBe(false);
  });

  test("starts in half precision where it does in single, and learns", async () => {
    const [full, half] = [await run(name), await run(name, ["precision=float16", "schedule.peak=3e-3", "steps=24"])];
    expect(Math.abs(stepsOf(half.events)[0]! / stepsOf(full.events)[0]! - 1)).toBeLessThan(0.005);
    // The first updates may be skipped, until the loss scale has come down.
    const found = evaluationsOf(half.events);
    expect(found.at(-1)![1]).toBeLessThan(found[0]![1]);
  });
});

/** Examples of these come in the same order whatever the micro-batches. */
test.each([
  "causal",
  "masked",
  "pairs",
  "classes",
  "targets",
  "tags",
  "instructions",
  "reward",
  "preference",
  "policy",
])("%s: micro-batches give the loss and the gradient of one batch, however unequal their labels", async (name) => {
  const whole = stepsOf((await run(name, ["batch=8"])).events);
  const parts = stepsOf((await run(name, ["batch=2", "accumulate=4"])).events);
  whole.forEach((loss, i) => expect(Math.abs(parts[i]! - loss)).toBeLessThan(2e-4));
});

test.each([
  ["distillation", "all"],
  ["late-divergence", "lora"],
  ["tags", "lora"],
  ["instructions", "all"],
  ["instructions", "lora"],
  ["reward", "all"],
  ["preference", "all"],
  ["preference", "lora"],
  ["unpaired", "all"],
  ["policy", "all"],
])("%s that trains %s: stopped and resumed it equals an uninterrupted run, bit for bit", async (name, trainable) => {
  const settings = [`trainable=${trainable}`, "accumulate=2", "batch=4", "save.every=2"];
  const whole = await run(name, settings);
  const controller = new AbortController();
  const onEvent = (event: TrainEvent): void => void (event.type === "step" && event.step === 3 && controller.abort());
  const { output } = await run(name, settings, { signal: controller.signal, onEvent });
  await run(name, settings, { output, resume: true });
  const read = (path: string): Buffer => readFileSync(join(path, "model/model.safetensors"));
  expect(read(output).equals(read(whole.output))).toBe(true);
});

test("ranks that share an update's micro-batches compute what one process does, bit for bit", async () => {
  const settings = ["accumulate=2", "batch=4", "evaluate.every=3"];
  const one = await run("tags", settings);
  const output = join(folder, "two");
  const ranks = await Promise.all(sumsInMemory(2).map((peers) => run("tags", settings, { output, peers })));
  for (const { events } of ranks) {
    expect(stepsOf(events)).toEqual(stepsOf(one.events));
    expect(evaluationsOf(events)).toEqual(evaluationsOf(one.events));
  }
  const read = (path: string): Buffer => readFileSync(join(path, "model/model.safetensors"));
  expect(read(output).equals(read(one.output))).toBe(true);
});

test("a signal on one rank stops all of them at the same update", async () => {
  const controller = new AbortController();
  const onEvent = (event: TrainEvent): void => void (event.type === "step" && event.step === 3 && controller.abort());
  const output = join(folder, "stopped-ranks");
  const [first, second] = sumsInMemory(2);
  const ranks = await Promise.all([
    run("tags", ["accumulate=2"], { output, peers: first }),
    run("tags", ["accumulate=2"], { output, peers: second, signal: controller.signal, onEvent }),
  ]);
  for (const { events } of ranks) expect(stepsOf(events).length).toBeLessThan(6);
  expect(stepsOf(ranks[0]!.events)).toEqual(stepsOf(ranks[1]!.events));
  expect(ranks[0]!.events.at(-1)).toMatchObject({ type: "saved" });
});

/** Ranks in one process: a sum is there when all have given their numbers. */
function sumsInMemory(size: number): NonNullable<TrainOptions["peers"]>[] {
  let given: (Float32Array | Float64Array)[] = [];
  let release: (() => void)[] = [];
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    async sum(numbers: Float32Array | Float64Array): Promise<void> {
      given[rank] = numbers;
      if (given.filter(Boolean).length < size) return new Promise((resolve) => release.push(resolve));
      const total = given[0]!.slice();
      for (const one of given.slice(1)) one.forEach((value, i) => (total[i]! += value));
      for (const one of given) one.set(total);
      const waiting = release;
      [given, release] = [[], []];
      for (const resolve of waiting) resolve();
    },
  }));
}
