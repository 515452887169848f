import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTinyTask } from "../../../test/support/tiny-task.ts";
import { trainBy } from "../../../test/support/training.ts";
import { openSafetensors, readFloat32 } from "../../checkpoints/safetensors.ts";
import { loadModel } from "../../model.ts";
import { readTaskFile, taskOf } from "../../soft-prompts/metadata.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import type { RunResult, TrainEvent } from "../loop.ts";
import type { TrainOptions } from "../train.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-soft-prompt-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tiny = await writeTinyTask(folder);
const small = ["tokensPerBatch=600", "accumulate=2", "threads=1", "schedule.peak=1e-2"];

async function run(
  name: string,
  settings: string[],
  { task = tiny.schema, ...more }: Partial<TrainOptions> & { task?: string } = {},
): Promise<RunResult & { events: TrainEvent[] }> {
  const events: TrainEvent[] = [];
  const result = await trainBy(task, [...small, ...settings], {
    model: tiny.start,
    data: tiny.data,
    output: join(folder, name),
    ...more,
    onEvent: async (event) => {
      events.push(event);
      await more.onEvent?.(event);
    },
  });
  return { ...result, events };
}
const weightsOf = (name: string): Buffer => readFileSync(join(folder, name, "model/model.safetensors"));

test("the loss falls, and the result is a Hugging Face directory that knows its task", async () => {
  const { before, after, events } = await run("learns", ["epochs=10"]);
  expect(before).toBeGreaterThan(3);
  expect(after).toBeLessThan(2);
  expect(events[0]).toMatchObject({ type: "started", examples: 120, heldOut: 8, notes: [] });
  expect(JSON.parse(readFileSync(join(folder, "learns/run.json"), "utf8"))).toMatchObject({ average: 4, epochs: 10 });
  const model = join(folder, "learns/model");
  const file = (await readTaskFile(model))!;
  const tokenizer = await loadTokenizer(model);
  expect(file).toMatchObject({
    task: "tiny",
    version: "1",
    decoding: { beams: 1, maxLength: 64 },
    promptIds: [tokenizer.vocabSize - 2, tokenizer.vocabSize - 1],
  });
  expect(taskOf(file, model).format.promptLength).toBe(2);
  const { vocab_size } = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
  expect(vocab_size).toBe(tokenizer.vocabSize);
});

test("the model is the mean of the last epochs' weights", async () => {
  await run("mean", ["epochs=3", "average=2"]);
  const read = async (path: string): Promise<Float32Array> =>
    readFloat32((await openSafetensors(join(folder, "mean", path))).entries.get("biogpt.layers.0.fc1.weight")!);
  expect(existsSync(join(folder, "mean/epochs/epoch-000001.safetensors"))).toBe(false);
  const [two, three] = [await read("epochs/epoch-000002.safetensors"), await read("epochs/epoch-000003.safetensors")];
  expect(await read("model/model.safetensors")).toEqual(two.map((x, i) => Math.fround(x + three[i]!) / 2));
});

test.each(["all", "lora", "rows"])(
  "a run that trains %s and was stopped and resumed equals an uninterrupted one, bit for bit",
  async (trainable) => {
    const settings = [`trainable=${trainable}`, "epochs=3", "average=2", "dropout=0.1"];
    await run(`whole-${trainable}`, settings);
    for (const at of [2, 7]) {
      const controller = new AbortController();
      const onEvent = (event: TrainEvent): void => {
        if (event.type === "step" && event.step === at) controller.abort();
      };
      const { stopped } = await run(`halted-${trainable}`, settings, {
        signal: controller.signal,
        onEvent,
        resume: true,
      });
      expect(stopped).toBe(true);
    }
    const { events } = await run(`halted-${trainable}`, settings, { resume: true });
    expect(events[0]).toMatchObject({ step: 7 });
    expect(weightsOf(`halted-${trainable}`).equals(weightsOf(`whole-${trainable}`))).toBe(true);
    const lines = readFileSync(join(folder, `halted-${trainable}/metrics.jsonl`), "utf8")
      .trim()
      .split("\n");
    const steps = lines
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === "step")
      .map(({ step }) => step);
    expect(steps).toEqual(steps.map((_, i) => i + 1));
  },
);

test("a folder with another run's checkpoints is refused, and they stay", async () => {
  await run("other", ["steps=1"]);
  await expect(run("other", ["steps=2"])).rejects.toThrow(/other: expected a folder without a run, got one with/);
  expect(existsSync(join(folder, "other/checkpoints/step-00000001/model.safetensors"))).toBe(true);
});

test("a low-rank model is saved merged, with the names of an ordinary checkpoint", async () => {
  await run("merged", ["trainable=lora", "epochs=1", "lora.rank=2"]);
  const { entries } = await openSafetensors(join(folder, "merged/model/model.safetensors"));
  const start = (await openSafetensors(join(tiny.start, "model.safetensors"))).entries;
  expect([...entries.keys()].sort()).toEqual([...start.keys()].sort());
  const name = "biogpt.layers.0.fc1.weight";
  expect(await readFloat32(entries.get(name)!)).not.toEqual(await readFloat32(start.get(name)!));
  const kept = "biogpt.layers.0.self_attn.k_proj.weight";
  expect(await readFloat32(entries.get(kept)!)).toEqual(await readFloat32(start.get(kept)!));
});

test("every checkpoint is a model that opens, with adapters merged", async () => {
  await run("opens", ["trainable=lora", "steps=2", "save.every=1", "save.keep=2"]);
  const last = join(folder, "opens/checkpoints/step-00000002");
  await using model = await loadModel(last, { threads: 1 });
  expect((await model.forward({ ids: [[2, 9]] })).logits.dims[0]).toBe(1);
  expect(await loadTokenizer(last)).toMatchObject({ vocabSize: model.config.vocab_size });
  expect(await readTaskFile(last)).toMatchObject({ task: "tiny" });
});

test("a task that does not exist, data without a split, and settings that do not fit are named", async () => {
  await expect(run("x", [], { task: "nothing" })).rejects.toThrow(
    /recipe: expected one of biogpt-nano, .*bc5cdr, .*, or a JSON file of a task, got "nothing"/,
  );
  await expect(run("x", [], { data: folder })).rejects.toThrow(/train\.jsonl/);
  await expect(run("x", ["lora.rnk=3"])).rejects.toThrow(/expected one of rank, alpha, targets, got "lora.rnk"/);
  await expect(run("x", ["epochs=1", "steps=2"])).rejects.toThrow(/steps, epochs: expected one of the two, got both/);
  await expect(run("x", ["truncation.maxPositions=65"])).rejects.toThrow(/model's 64, got 65/);
});
