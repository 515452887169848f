/** Ten updates of each mode against PyTorch (scripts/goldens/soft-prompt.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../checkpoints/safetensors.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { openTask } from "../soft-prompts/metadata.ts";
import { learningRate } from "../train/schedule.ts";
import { type FinetuneConfig, finetuneConfig } from "./config.ts";
import { createRun } from "./run.ts";
import { embeddingName, mergedTensors } from "./trainable.ts";

const goldens = fileURLToPath(new URL("../../test/goldens", import.meta.url));
const golden = JSON.parse(readFileSync(`${goldens}/soft-prompt/goldens.json`, "utf8"));
const folder = await openModelFolder(`${goldens}/biogpt/model`);
const { peak, warmup, initial } = golden.schedule;
const settings = [
  `schedule.peak=${peak}`,
  `schedule.warmup=${warmup}`,
  `schedule.initial=${initial}`,
  "promptLength=3",
  "dropout=0",
  "accumulate=3",
  "threads=1",
  `lora.rank=${golden.lora.rank}`,
  `lora.alpha=${golden.lora.alpha}`,
];
const ddi = await openTask("ddi");
const options = { vocabSize: 64, promptIds: [61, 62, 63] };

const start = (mode: string): FinetuneConfig => finetuneConfig(ddi, folder.config, [...settings, `mode=${mode}`]);

const relative = (actual: ArrayLike<number>, expected: Float32Array): number => {
  expect(actual.length).toBe(expected.length);
  const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0));
  return Math.sqrt(expected.reduce((sum, x, i) => sum + (x - actual[i]!) ** 2, 0)) / Math.max(size, 1e-3);
};

describe("ten updates equal PyTorch's", () => {
  test.each(["full", "prompt", "lora"])("losses and weights of mode %s", async (mode) => {
    const config = start(mode);
    await using run = await createRun(folder, config, options);
    const { data, dims } = run.parameters.tensors.get(embeddingName)!;
    data.set(golden.rows, 61 * dims[1]!);
    run.trainable.tensors.get("prompt.weight")?.data.set(golden.rows);
    if (mode === "lora") {
      const { entries } = await openSafetensors(`${goldens}/soft-prompt/lora-start.safetensors`);
      for (const [name, entry] of entries)
        await readFloat32(entry, run.trainable.tensors.get(name)!.data as Float32Array);
    }
    run.trainable.scatter();
    const before = new Map([...run.parameters.tensors].map(([name, { data }]) => [name, data.slice()]));
    for (const [i, batches] of (golden.updates as number[][][][]).entries()) {
      const { loss } = (await run.update(batches, learningRate(config.schedule, i + 1, 10)))!;
      expect(Math.abs(loss / golden.losses[mode][i] - 1), `loss ${i + 1}`).toBeLessThan(1e-4);
    }
    const { entries } = await openSafetensors(`${goldens}/soft-prompt/${mode}.safetensors`);
    expect([...run.trainable.tensors.keys()].sort()).toEqual([...entries.keys()].sort());
    for (const [name, entry] of entries) {
      // A key's bias has no gradient but rounding, which Adam magnifies.
      if (name.endsWith("k_proj.bias")) continue;
      expect(relative(run.trainable.tensors.get(name)!.data, await readFloat32(entry)), name).toBeLessThan(1e-4);
    }
    if (mode === "full") return;
    for (const [name, { data }] of run.parameters.tensors) {
      if (name.includes("lora_")) continue;
      const frozen = name === embeddingName ? 61 * 24 : data.length;
      expect(data.subarray(0, frozen), name).toEqual(before.get(name)!.subarray(0, frozen));
    }
  });
});

test("new rows depend on the seed alone, stored rows stay, adapters start as nothing", async () => {
  const weights = async (seed: number, mode: string): Promise<Map<string, Float32Array>> => {
    await using run = await createRun(folder, { ...start(mode), seed }, options);
    return new Map([...mergedTensors(run.parameters, start(mode).lora)].map(([name, { data }]) => [name, data]));
  };
  const [first, again, other, lora] = [
    await weights(1, "full"),
    await weights(1, "full"),
    await weights(2, "full"),
    await weights(1, "lora"),
  ];
  expect(again).toEqual(first);
  expect(lora).toEqual(first);
  const rows = first.get(embeddingName)!;
  expect(rows.slice(0, 61 * 24)).toEqual(await readFloat32(folder.entries.get(embeddingName)!));
  expect(rows.slice(61 * 24)).not.toEqual(other.get(embeddingName)!.slice(61 * 24));
  const deviation = Math.hypot(...rows.slice(61 * 24)) / Math.sqrt(3 * 24);
  expect(deviation).toBeGreaterThan(0.7 * 24 ** -0.5);
  expect(deviation).toBeLessThan(1.3 * 24 ** -0.5);
});

test("a target that names no layer, a prompt of no rows and both kinds of end are refused", async () => {
  await expect(
    createRun(folder, { ...start("lora"), lora: { rank: 2, alpha: 2, targets: ["c_attn"] } }, options),
  ).rejects.toThrow(/expected one of q_proj.*fc1.*got "c_attn"|expected one of .*q_proj.*, got "c_attn"/);
  await expect(createRun(folder, start("prompt"), { vocabSize: 61, promptIds: [] })).rejects.toThrow(/promptLength 0/);
  expect(() => finetuneConfig(ddi, folder.config, ["epochs=1", "updates=2"])).toThrow(/one of the two/);
  expect(finetuneConfig(ddi, folder.config, ["updates=2"])).toMatchObject({ epochs: null, updates: 2 });
  expect(() => finetuneConfig(ddi, folder.config, ["truncation.maxPositions=65"])).toThrow(/model's 64, got 65/);
});
