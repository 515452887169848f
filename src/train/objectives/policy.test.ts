/** Policies learn from their own samples, are the same however they are cut or stopped, and say what is wrong. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeTinyTask } from "../../../test/support/tiny-task.ts";
import { killedTraining } from "../../../test/support/killed-training.ts";
import { trainBy } from "../../../test/support/training.ts";
import { loadModel } from "../../model.ts";
import { configure } from "../../recipes/index.ts";
import type { TrainEvent } from "../loop.ts";
import { train, type TrainOptions } from "../train.ts";
import type { RewardFunction } from "./rewards.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-policy-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { start } = await writeTinyTask(folder);
const drugs = ["Aspirin", "Warfarin", "Codeine", "Insulin", "Quinine", "Heparin", "Levels of", "In man"];
const data = join(folder, "prompts.jsonl");
writeFileSync(data, drugs.map((drug) => `${JSON.stringify({ prompt: `${drug} raises` })}\n`).join(""));

/** The share of one token among a sample's. */
const wanted = 30;
const share: RewardFunction = (answers) =>
  answers.map(({ ids }) => ids.filter((id) => id === wanted).length / ids.length);

const usual = ["threads=1", "device=cpu", "maxNewTokens=8", "completions=4", "batch=4", "save.every=0"];
const constant = ["schedule.peak=3e-3", "schedule.kind=constant"];
let runs = 0;
async function run(
  settings: readonly string[],
  options: Partial<TrainOptions> = {},
): Promise<{ events: TrainEvent[]; output: string }> {
  const events: TrainEvent[] = [];
  const output = options.output ?? join(folder, `run-${runs++}`);
  await trainBy("policy", [...usual, ...constant, ...settings], {
    model: start,
    data,
    reward: share,
    ...options,
    output,
    onEvent: async (event) => {
      events.push(event);
      await options.onEvent?.(event);
    },
  });
  return { events, output };
}

type Step = Extract<TrainEvent, { type: "step" }>;
const stepsOf = (events: readonly TrainEvent[]): Step[] => events.filter((event) => event.type === "step");
const figuresOf = (events: readonly TrainEvent[], name: string): number[] =>
  stepsOf(events).map(({ figures }) => figures![name]!);
const weightsOf = (output: string): Buffer => readFileSync(join(output, "model/model.safetensors"));
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

describe("a toy is learned", () => {
  test.each([
    ["grpo", []],
    ["grpo with a divergence, each sample's loss by its length", ["beta=0.01", "loss=grpo"]],
    ["grpo that learns from samples twice", ["iterations=2", "loss=dr_grpo"]],
    ["rloo", ["method=rloo"]],
    ["grpo of adapters", ["trainable=lora", "schedule.peak=2e-2"]],
  ])("%s: the reward rises", async (_, settings) => {
    const { events } = await run([...settings, "steps=40"], { valid: data });
    const rewards = figuresOf(events, "reward");
    expect(mean(rewards.slice(0, 3))).toBeLessThan(0.15);
    expect(mean(rewards.slice(-3))).toBeGreaterThan(0.6);
    const evaluated = events.filter((event) => event.type === "evaluated");
    expect(evaluated.map(({ loss, figures }) => loss + figures!["reward"]!)).toEqual(evaluated.map(() => 0));
    expect(evaluated.at(-1)!.figures!["reward"]).toBeGreaterThan(0.6);
  });

  test("a reward model that was trained here is followed, and stands in the run's record", async () => {
    const preferences = join(folder, "preferences.jsonl");
    const pairs = drugs.map((drug) => ({ prompt: `${drug} raises`, chosen: " Warfarin levels", rejected: " in man." }));
    writeFileSync(preferences, pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
    const scorer = join(folder, "scorer");
    const settings = ["threads=1", "device=cpu", "steps=15", "batch=8", "epochs=null", "schedule.peak=3e-3"];
    await trainBy("reward", settings, { model: start, data: preferences, output: scorer });
    const reward = join(scorer, "model");
    const { events, output } = await run(["steps=30"], { reward });
    const rewards = figuresOf(events, "reward");
    expect(mean(rewards.slice(-5))).toBeGreaterThan(mean(rewards.slice(0, 5)) + 1);
    const record = JSON.parse(readFileSync(join(output, "run.json"), "utf8")) as Record<string, { reward: string }>;
    expect(record["inputs"]!.reward).toBe(reward);
    expect(record["fingerprints"]!.reward).toMatch(/[0-9a-f]{16}$/);
  });

  test("figures say what people watch: the divergence is 0 at the start and grows, the entropy falls", async () => {
    const { events } = await run(["beta=0.001", "steps=20"]);
    const divergences = figuresOf(events, "kl");
    expect(Math.abs(divergences[0]!)).toBeLessThan(1e-6);
    expect(divergences.at(-1)).toBeGreaterThan(0.01);
    const entropies = figuresOf(events, "entropy");
    expect(entropies.at(-1)).toBeLessThan(entropies[0]!);
    for (const name of ["length", "ended", "clipped", "reward deviation", "seconds drawing", "share drawing"]) {
      expect(figuresOf(events, name).every((value) => value >= 0)).toBe(true);
    }
    expect(figuresOf(events, "share drawing").every((value) => value > 0 && value < 1)).toBe(true);
  });

  test("texts on the way go on from held-out prompts", async () => {
    const { events } = await run(["steps=3", "sample.every=2", "sample.maxNewTokens=4"]);
    const sampled = events.find((event) => event.type === "sampled")!;
    expect(sampled.texts).toHaveLength(3);
    sampled.texts.forEach((text, i) => expect(text.startsWith(`${drugs[i]} raises`)).toBe(true));
  });
});

describe("the same run", () => {
  test("micro-batches and rows at once change nothing, however unequal the answers", async () => {
    const settings = ["steps=4", "beta=0.05", "schedule.peak=1e-4"];
    const losses = async (more: readonly string[]): Promise<number[]> =>
      stepsOf((await run([...settings, ...more])).events).map(({ loss }) => loss);
    for (const loss of ["dapo", "grpo", "dr_grpo"]) {
      const whole = await losses([`loss=${loss}`, "batch=4"]);
      const cut = await losses([`loss=${loss}`, "batch=1", "accumulate=4", "rowsAtOnce=3"]);
      expect(whole.every((value) => Number.isFinite(value))).toBe(true);
      whole.forEach((value, i) => expect(Math.abs(cut[i]! - value)).toBeLessThan(1e-5));
    }
  });

  test.each([
    ["all", ["beta=0.02"]],
    ["lora", ["beta=0.02", "accumulate=2", "batch=2"]],
    ["all", ["method=rloo", "completions=3"]],
    ["all, several updates a sample", ["iterations=3"]],
  ])(
    "of %s: one that failed and was resumed equals an uninterrupted one, bit for bit (%j)",
    async (trains, settings) => {
      const all = [...settings, `trainable=${trains.split(",")[0]}`, "steps=11", "save.every=4", "schedule.peak=1e-3"];
      const whole = await run(all);
      // Behind update 6 nothing is written any more: what the run has is the checkpoint of update 4.
      const killed = run(all, {
        output: join(folder, `killed-${runs}`),
        onEvent: (event) => {
          if (event.type === "step" && event.step === 6) throw new Error("killed");
        },
      });
      await expect(killed).rejects.toThrow("killed");
      const { events } = await run(all, { output: join(folder, `killed-${runs}`), resume: true });
      expect(stepsOf(events).map(({ step }) => step)).toEqual([5, 6, 7, 8, 9, 10, 11]);
      expect(weightsOf(join(folder, `killed-${runs}`)).equals(weightsOf(whole.output))).toBe(true);
      runs += 1;
    },
  );

  test("killed with SIGKILL at random moments and resumed it equals an uninterrupted one, bit for bit", async () => {
    const rule = 'rules=[{"rule":"length","unit":"tokens","most":3},{"rule":"contains","texts":["warfarin"]}]';
    const settings = [...usual, ...constant, rule, "iterations=2", "beta=0.01", "steps=15", "save.every=3"];
    const inputs = { model: start, data };
    const config = await configure("policy", { settings, inputs });
    const [whole, killed] = [join(folder, "unkilled"), join(folder, "sigkilled")];
    await train(config, { ...inputs, output: whole });
    await killedTraining(config, { ...inputs, output: killed }, 5);
    expect(weightsOf(killed).equals(weightsOf(whole))).toBe(true);
  });

  test("samples that several updates learn from are drawn once, clipped later, and not kept for ever", async () => {
    const { events, output } = await run([
      "iterations=3",
      "steps=12",
      "save.every=3",
      "save.keep=1",
      "schedule.peak=1e-2",
    ]);
    const drawn = figuresOf(events, "seconds drawing").map((seconds) => seconds > 0);
    expect(drawn).toEqual([1, 2, 3, 4].flatMap(() => [true, false, false]));
    const clipped = figuresOf(events, "clipped");
    expect(clipped.filter((_, i) => i % 3 === 0).every((value) => value === 0)).toBe(true);
    expect(Math.max(...clipped)).toBeGreaterThan(0);
    expect(readdirSync(join(output, "rollouts")).length).toBeLessThanOrEqual(2);
  });

  test("a prompt's samples do not depend on the others that are drawn with them", async () => {
    await using model = await loadModel(start, { threads: 1 });
    const options = { doSample: true, maxNewTokens: 6, seed: 3, topK: 0, numReturnSequences: 2 } as const;
    const [one, two] = ["Aspirin raises", "Codeine lowers"];
    const together = await model.generate({ ...options, prompts: [one!, two!], numbers: [7, 9] });
    const alone = await model.generate({ ...options, prompts: [two!], numbers: [9] });
    expect(alone.sequences).toEqual(together.sequences.slice(2));
    const other = await model.generate({ ...options, prompts: [two!] });
    expect(other.sequences).not.toEqual(alone.sequences);
    await expect(model.generate({ ...options, prompts: [two!], numbers: [1, 2] })).rejects.toThrow(
      /numbers: expected one for each of 1 prompts, got 2/,
    );
  });
});

describe("what is wrong is said", () => {
  test.each([
    [["steps=1"], { reward: undefined }, /reward: expected a reward model, or rules, got neither/],
    [["method=rloo", "scaleRewards=group"], {}, /scaleRewards: expected "batch", "none" or null with rloo/],
    [["maxNewTokens=64"], {}, /prompts\.jsonl:1: a prompt of \d+ tokens leaves no room for 64 of the model's 64/],
    [["steps=1"], { reward: () => [1] }, /reward reward: expected 16 numbers, one an answer, got 1/],
    [
      ["steps=1"],
      { reward: (answers: readonly unknown[]) => answers.map(() => Number.NaN) },
      /reward reward: expected a finite number for .*prompts\.jsonl:\d/,
    ],
    [
      ["steps=1"],
      { reward: start },
      /start: expected a reward model, ForSequenceClassification of one label, got BioGpt/,
    ],
    [['rules=[{"rule":"choice"}]', "steps=1"], { reward: undefined }, /prompts\.jsonl:\d: answer: expected/],
    [
      ['rules=[{"rule":"lenght"}]'],
      {},
      /objective\.rules\.0\.rule: expected one of length, contains, .*ended, got "lenght"/,
    ],
    [['rules=[{"rule":"ended","wieght":2}]'], {}, /rules\.0: expected the known fields only, got "wieght"/],
  ] as const)("%j %o", async (settings, options, message) => {
    await expect(run(settings, options as Partial<TrainOptions>)).rejects.toThrow(message);
  });
});
