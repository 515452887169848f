/** NaN and infinity in weights, and numbers that grow too large, end in an error that says where. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openSafetensors } from "../checkpoints/safetensors.ts";
import { CheckpointError, RuntimeError } from "../errors.ts";
import { loadModel } from "../model.ts";
import { firstNotFinite } from "./finite.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-finite-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = (name: string): string => fileURLToPath(new URL(`../../test/goldens/${name}`, import.meta.url));
const ids = [[2, 17, 5, 33]];

/** A copy of a model of which some numbers of one weight, from `at` on, are `value`. */
async function broken(name: string, weight: string, at: number, value: number, count = 1): Promise<string> {
  const directory = mkdtempSync(join(folder, "model-"));
  cpSync(golden(name), directory, { recursive: true });
  const path = join(directory, "model.safetensors");
  const { offset } = (await openSafetensors(path)).entries.get(weight)!;
  const bytes = readFileSync(path);
  for (let i = at; i < at + count; i++) bytes.writeFloatLE(value, offset + 4 * i);
  writeFileSync(path, bytes);
  return directory;
}

test("the first number that is not finite is found, whatever stands beside it", () => {
  expect(firstNotFinite(Float32Array.of(1, -3e38, 3e38, 0))).toBe(-1);
  expect(firstNotFinite(new Float32Array())).toBe(-1);
  for (const value of [NaN, Infinity, -Infinity]) expect(firstNotFinite(Float32Array.of(1, 2, value, NaN))).toBe(2);
  expect(firstNotFinite(Float32Array.of(Infinity, -Infinity))).toBe(0);
  for (let at = 0; at < 11; at++) expect(firstNotFinite(new Float32Array(11).fill(NaN, at, at + 1))).toBe(at);
});

describe.each([NaN, Infinity, -Infinity])("a weight that is %s", (value) => {
  const inner = "biogpt.layers.1.fc1.weight";
  const message = new RegExp(
    `model\\.safetensors: "biogpt\\.layers\\.1\\.fc1\\.weight": expected finite numbers, got ${value} at \\[1, 2\\]\\n[^]*result "\\w+"\\[`,
  );

  test.each(["float32", "int8"] as const)("is named by forward, hidden and generate, in %s", async (weights) => {
    await using model = await loadModel(await broken("biogpt/model", inner, 26, value), { threads: 1, weights });
    const said = weights === "float32" ? message : /fc1\.weight": expected finite numbers, got .* at \[1, 2\]/;
    for (const run of [
      () => model.forward({ ids }),
      () => model.hidden({ ids }),
      () => model.generate({ ids, maxNewTokens: 3 }),
      () => model.generate({ ids, maxNewTokens: 3, numBeams: 2 }),
    ]) {
      await expect(run()).rejects.toThrow(said);
      await expect(run()).rejects.toBeInstanceOf(CheckpointError);
    }
  });

  test("is named by a loss and its gradients", async () => {
    await using model = await loadModel(await broken("biogpt/model", inner, 26, value), { threads: 1 });
    await expect(model.lossAndGradients({ ids, labels: ids })).rejects.toThrow(message);
  });

  test("of an encoder is named", async () => {
    const weight = "bert.encoder.layer.0.output.dense.weight";
    await using model = await loadModel(await broken("bert/masked", weight, 0, value), { threads: 1 });
    await expect(model.forward({ ids })).rejects.toThrow(/output\.dense\.weight": expected finite numbers, .*\[0, 0\]/);
  });

  test("opens at once, and does no harm where it is not used", async () => {
    const unused = 24 * 60; // the row of a token that no text here has
    await using model = await loadModel(await broken("biogpt/model", "biogpt.embed_positions.weight", unused, value));
    expect((await model.hidden({ ids })).hidden.data.every(Number.isFinite)).toBe(true);
  });
});

test("numbers that grow too large under finite weights are told apart", async () => {
  await using model = await loadModel(await broken("biogpt/model", "biogpt.layer_norm.bias", 0, 3e38, 24), {
    threads: 1,
  });
  await expect(model.forward({ ids })).rejects.toThrow(RuntimeError);
  await expect(model.forward({ ids })).rejects.toThrow(/expected finite results, got a result "logits"\[0, \d, \d+\]/);
});
