/** Devices other than the CPU: WebGPU in software where SwiftShader's Vulkan driver is present, and clear refusals. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../src/errors.ts";
import { loadModel } from "../src/model.ts";

const folder = fileURLToPath(new URL("goldens/biogpt", import.meta.url));
const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

function largest(a: readonly number[], b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

describe("WebGPU", () => {
  test("gives the CPU's logits, loss, gradients and texts", async ({ skip }) => {
    if (!existsSync(driver))
      skip(`${driver} is absent: Debian's packages chromium and libvulkan1 bring a software driver`);
    const child = spawnSync(process.execPath, [fileURLToPath(new URL("support/webgpu-child.ts", import.meta.url))], {
      env: { ...process.env, VK_DRIVER_FILES: driver },
      encoding: "utf8",
      maxBuffer: 2 ** 26,
      timeout: 110_000,
    });
    const line = child.stdout.split("\n").find((text) => text.startsWith("{"));
    if (line === undefined && /libvulkan|No supported adapters/.test(child.stderr))
      skip("libvulkan.so.1 is absent: Debian's package libvulkan1");
    expect(line, child.stderr).toBeDefined();
    const found = JSON.parse(line!) as {
      logits: number[];
      loss: number;
      gradients: [string, number[]][];
      sequences: number[][];
    };
    const { ids, right, labels } = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as Record<
      string,
      number[][]
    >;
    await using model = await loadModel(`${folder}/model`, { threads: 1 });
    expect(largest(found.logits, (await model.forward({ ids: ids! })).logits.data as Float32Array)).toBeLessThan(1e-3);
    const { loss, gradients } = await model.lossAndGradients({ ids: ids!, mask: right!, labels: labels! });
    expect(Math.abs(found.loss - loss) / loss).toBeLessThan(1e-4);
    for (const [name, values] of found.gradients) {
      expect(largest(values, gradients.get(name)!.data as Float32Array), name).toBeLessThan(1e-3);
    }
    const { sequences } = await model.generate({ ids: [[2, 17, 5]], maxNewTokens: 6 });
    expect(found.sequences).toEqual(sequences);
  });
});

test("a missing CUDA provider is explained with the command that installs it", async ({ skip }) => {
  const error: unknown = await loadModel(`${folder}/model`, { device: "cuda" })
    .then(async (model) => {
      await using opened = model;
      await opened.forward({ ids: [[2, 3]] });
    })
    .catch((reason: unknown) => reason);
  if (error === undefined) skip("this machine has CUDA");
  expect(error).toBeInstanceOf(RuntimeError);
  expect(String(error)).toMatch(/session on cuda: [\s\S]*--onnxruntime-node-install=cuda12/);
});

test("auto takes what there is", async () => {
  await using model = await loadModel(`${folder}/model`, { device: "auto" });
  expect((await model.forward({ ids: [[2, 3]] })).logits.dims).toEqual([1, 2, 61]);
});

test("an unknown device is refused with those there are", async () => {
  await using model = await loadModel(`${folder}/model`, { device: "tpu" as never });
  await expect(model.forward({ ids: [[2, 3]] })).rejects.toThrow(/expected one of cpu, webgpu, cuda, auto, got "tpu"/);
});
