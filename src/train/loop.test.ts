import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { listCheckpoints, type TrainState } from "./checkpoint.ts";
import { checkOutput, type RunOptions, type RunResult, runUpdates, startRun, type TrainEvent } from "./loop.ts";
import { saveModel } from "./checkpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-loop-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A training of one weight, which an update adds the learning rate to. */
async function run(
  name: string,
  more: Omit<RunOptions, "output"> & { readonly updates?: number; readonly skipped?: number } = {},
): Promise<{ result: RunResult; told: string[]; weight: number }> {
  const told: string[] = [];
  const options: RunOptions = {
    ...more,
    output: join(folder, name),
    onEvent(event) {
      if ("step" in event) told.push(`${event.type} ${event.step}`);
      return more.onEvent?.(event);
    },
  };
  const [flat, firstMoment, secondMoment] = [new Float32Array(1), new Float32Array(1), new Float32Array(1)];
  const learned = new Map([["weight", tensor("float32", [1], flat)]]);
  const state: TrainState = { step: 0, learned, optimiser: { firstMoment, secondMoment, step: 0 } };
  const emit = await startRun(options, state, { record: { name }, writes: true });
  const result = await runUpdates(
    {
      state,
      steps: 7,
      schedule: { kind: "linear", peak: 1, warmup: 0, initial: 0, floor: 0 },
      perEpoch: 3,
      keep: 2,
      perplexity: false,
      writes: true,
      async update(rate) {
        if (state.step === more.updates) return undefined;
        const { skipped = Infinity } = more;
        expect(state.optimiser.step).toBe(state.step - Number(state.step > skipped));
        if (state.step !== skipped) state.optimiser.step += 1;
        flat[0]! += rate;
        return { loss: 10 - flat[0]!, gradientNorm: 1, work: 5 };
      },
      evaluate: async () => ({ loss: flat[0]! }),
      every: { evaluate: 3, save: 2, sample: 6 },
      sample: async () => ["a text"],
      endEpoch: async (epoch) => void told.push(`epoch ${epoch}`),
      save: (path) => saveModel(path, learned, new Map()),
      writeModel: async (model) => void told.push(`model ${model === join(folder, name, "model")}`),
    },
    options,
    emit,
  );
  return { result, told, weight: flat[0]! };
}

const stepsTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `step ${i + 1}`);
const linesOf = (name: string): TrainEvent[] =>
  readFileSync(join(folder, name, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TrainEvent);

test("evaluates, saves and samples when it is due, and at the end", async () => {
  const { result, told, weight } = await run("whole");
  expect(told.join(", ")).toBe(
    "evaluated 0, step 1, step 2, saved 2, epoch 1, step 3, evaluated 3, step 4, saved 4, step 5, epoch 2, " +
      "step 6, evaluated 6, saved 6, sampled 6, epoch 3, step 7, saved 7, evaluated 7, model true",
  );
  expect(result).toMatchObject({ step: 7, stopped: false, loss: 10 - weight, before: 0, after: weight });
  expect(await listCheckpoints(join(folder, "whole"))).toEqual([6, 7]);
  expect(JSON.parse(readFileSync(join(folder, "whole/run.json"), "utf8"))).toEqual({ name: "whole" });
  const lines = linesOf("whole");
  expect(lines.map(({ type }) => type)).not.toContain("saved");
  expect(Object.keys(lines[1]!).join()).toBe("type,step,steps,epoch,loss,learningRate,gradientNorm,speed,secondsLeft");
});

test("a signal or an abandoned update stops it with a checkpoint and no model; resumed it ends as if not stopped", async () => {
  const { weight } = await run("whole-again");
  const controller = new AbortController();
  const onEvent = (event: TrainEvent): void => void (event.type === "step" && event.step === 2 && controller.abort());
  const { result, told } = await run("stopped", { signal: controller.signal, onEvent });
  expect(told).toEqual(["evaluated 0", "step 1", "step 2", "saved 2"]);
  expect(result).toMatchObject({ step: 2, stopped: true, after: undefined });
  const abandoned = await run("stopped", { resume: true, updates: 4 });
  expect(abandoned.told).toEqual(["evaluated 2", "epoch 1", "step 3", "evaluated 3", "step 4", "saved 4", "saved 4"]);
  expect(abandoned.result).toMatchObject({ step: 4, stopped: true });
  expect((await run("stopped", { resume: true })).weight).toBe(weight);
  const steps = linesOf("stopped").filter((event) => event.type === "step");
  expect(steps.map(({ step }) => `step ${step}`)).toEqual(stepsTo(7));
});

test("an update that the optimiser skipped is not counted by it after a resume either", async () => {
  await run("skipping", { updates: 4, skipped: 1 });
  const { result } = await run("skipping", { skipped: 1, resume: true });
  expect(result.step).toBe(7);
});

test("a signal from before the start does no update; a run that is over does none and says its loss once", async () => {
  expect((await run("none", { signal: AbortSignal.abort() })).told).toEqual(["evaluated 0", "saved 0"]);
  await run("over");
  const { result, told } = await run("over", { resume: true });
  expect(told).toEqual(["evaluated 7", "saved 7", "model true"]);
  expect(result).toMatchObject({ step: 7, stopped: false, loss: undefined, before: result.after });
});

test("a folder with checkpoints is refused unless its run goes on, and stays as it is", async () => {
  await run("mine");
  const output = join(folder, "mine");
  await expect(checkOutput(output, false)).rejects.toThrow(/mine: expected a folder without a run/);
  await checkOutput(output, true);
  await checkOutput(join(folder, "new"), undefined);
  expect(existsSync(join(output, "checkpoints/step-00000007/optimiser.safetensors"))).toBe(true);
});
