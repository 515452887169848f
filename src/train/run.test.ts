/** Ten updates of a soft prompt in each way of training, against PyTorch (scripts/goldens/soft-prompt.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../checkpoints/safetensors.ts";
import { labelLoss } from "../models/graphs.ts";
import type { ModelConfig } from "../models/index.ts";
import { recipeOf } from "../recipes/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { type Config, withSettings } from "./config.ts";
import { normalRows } from "./objectives/new-rows.ts";
import type { Objective } from "./objectives/objective.ts";
import { sequenceBatch } from "./objectives/soft-prompt.ts";
import type { Plan } from "./plan.ts";
import { createRun, type Run } from "./run.ts";
import { learningRate } from "./schedule.ts";

const goldens = fileURLToPath(new URL("../../test/goldens", import.meta.url));
const golden = JSON.parse(readFileSync(`${goldens}/soft-prompt/goldens.json`, "utf8"));
const folder = await openModelFolder(`${goldens}/biogpt/model`);
const table = "biogpt.embed_tokens.weight";
const { peak, warmup, initial } = golden.schedule;
const start = (trainable: string, ...more: string[]): Config =>
  withSettings(recipeOf("ddi")(), [
    `trainable=${trainable}`,
    `schedule.peak=${peak}`,
    `schedule.warmup=${warmup}`,
    `schedule.initial=${initial}`,
    "accumulate=3",
    "threads=1",
    `lora.rank=${golden.lora.rank}`,
    `lora.alpha=${golden.lora.alpha}`,
    ...more,
  ]);

/** Every update has three batches, each of which is an example here: its number is that of its sequences. */
const updates = golden.updates as number[][][][];
const plan: Plan = {
  steps: 10,
  perEpoch: 10,
  update: (done) => updates[done]!.map((_, i) => [updates.slice(0, done).flat().length + i]),
};
function objective(promptLength = 3): Objective {
  const { family, entries } = folder;
  const config: ModelConfig = { ...family.withDropout(folder.config, 0), vocab_size: 61 + promptLength };
  const rows = { start: 61, count: promptLength };
  return {
    start: { folder: folder.folder, family, config, entries, rows, fillRows: normalRows((width) => width ** -0.5) },
    train: {
      count: updates.flat().length,
      batch: ([number]) => sequenceBatch(updates.flat()[number!]!, config.pad_token_id!),
    },
    order: "random",
    reduction: "sum",
    unit: "tokens",
    loss: (g) => labelLoss(g, family, config, { gathered: true }),
    save: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}
const run = (config: Config, promptLength?: number): Promise<Run> =>
  createRun(config, objective(promptLength), { plan });

const relative = (actual: ArrayLike<number>, expected: Float32Array): number => {
  expect(actual.length).toBe(expected.length);
  const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0));
  return Math.sqrt(expected.reduce((sum, x, i) => sum + (x - actual[i]!) ** 2, 0)) / Math.max(size, 1e-3);
};
/** What the goldens call the prompt's rows. */
const named = (name: string): string => (name === "prompt.weight" ? `rows:${table}` : name);

describe("ten updates equal PyTorch's", () => {
  test.each([
    ["full", "all"],
    ["prompt", "rows"],
    ["lora", "lora"],
  ])("losses and weights of %s tuning", async (mode, trainable) => {
    const config = start(trainable);
    await using tuning = await run(config);
    const { parameters, learned, state } = tuning;
    const { data, dims } = parameters.tensors.get(table)!;
    data.set(golden.rows, 61 * dims[1]!);
    learned.tensors.get(`rows:${table}`)?.data.set(golden.rows);
    if (mode === "lora") {
      const { entries } = await openSafetensors(`${goldens}/soft-prompt/lora-start.safetensors`);
      for (const [name, entry] of entries) {
        await readFloat32(entry, learned.tensors.get(named(name))!.data as Float32Array);
      }
    }
    learned.scatter();
    const before = new Map([...parameters.tensors].map(([name, { data: own }]) => [name, own.slice()]));
    for (let i = 0; i < 10; i++) {
      const { loss } = (await tuning.update(learningRate(config.schedule, i + 1, 10)))!;
      state.step += 1;
      expect(Math.abs(loss / golden.losses[mode][i] - 1), `loss ${i + 1}`).toBeLessThan(1e-4);
    }
    const { entries } = await openSafetensors(`${goldens}/soft-prompt/${mode}.safetensors`);
    expect([...learned.tensors.keys()].sort()).toEqual([...entries.keys()].map(named).sort());
    for (const [name, entry] of entries) {
      // A key's bias has no gradient but rounding, which Adam magnifies.
      if (name.endsWith("k_proj.bias")) continue;
      expect(relative(learned.tensors.get(named(name))!.data, await readFloat32(entry)), name).toBeLessThan(1e-4);
    }
    if (mode === "full") return;
    for (const [name, { data: own }] of parameters.tensors) {
      if (name.includes("lora_")) continue;
      const frozen = name === table ? 61 * 24 : own.length;
      expect(own.subarray(0, frozen), name).toEqual(before.get(name)!.subarray(0, frozen));
    }
  });
});

test("new rows depend on the seed alone, stored rows stay, adapters start as nothing", async () => {
  const weights = async (seed: number, trainable: string): Promise<Map<string, Float32Array>> => {
    await using tuning = await run(start(trainable, `seed=${seed}`));
    return new Map([...tuning.merged()].map(([name, { data }]) => [name, data]));
  };
  const [first, again, other, lora] = [
    await weights(1, "all"),
    await weights(1, "all"),
    await weights(2, "all"),
    await weights(1, "lora"),
  ];
  expect(again).toEqual(first);
  expect(lora).toEqual(first);
  const rows = first.get(table)!;
  expect(rows.slice(0, 61 * 24)).toEqual(await readFloat32(folder.entries.get(table)!));
  expect(rows.slice(61 * 24)).not.toEqual(other.get(table)!.slice(61 * 24));
  const deviation = Math.hypot(...rows.slice(61 * 24)) / Math.sqrt(3 * 24);
  expect(deviation).toBeGreaterThan(0.7 * 24 ** -0.5);
  expect(deviation).toBeLessThan(1.3 * 24 ** -0.5);
});

test("a target that names no layer, and rows where there are no new ones, are refused", async () => {
  await expect(run(start("lora", 'lora.targets=["c_attn"]'))).rejects.toThrow(
    /lora\.targets: expected one of (?=.*q_proj)(?=.*fc1)(?!.*embed_tokens).*got "c_attn"/,
  );
  await expect(run(start("rows"), 0)).rejects.toThrow(/trainable: "rows" expected a vocabulary with new rows/);
});
