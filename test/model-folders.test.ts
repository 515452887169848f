/** Model directories in every stored form: dtypes, shards, PyTorch's formats; and what is wrong with bad ones. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { GalenError } from "../src/errors.ts";
import { loadModel } from "../src/model.ts";
import { random } from "../src/tensor/random.ts";

const source = fileURLToPath(new URL("goldens/biogpt/model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-folders-"));
afterAll(() => rmSync(folder, { recursive: true }));
const ids = [[2, 17, 5, 33]];

async function logitsOf(directory: string): Promise<Float32Array> {
  await using model = await loadModel(directory, { threads: 1 });
  return (await model.forward({ ids })).logits.data as Float32Array;
}

const expected = await logitsOf(source);
const apart = (actual: Float32Array): number => Math.max(...actual.map((x, i) => Math.abs(x - expected[i]!)));

describe("a model saved and loaded again gives the same logits", () => {
  test.each([
    ["fp32", {}, 0],
    ["fp32 in shards", { maxShardBytes: 8000 }, 0],
    ["fp16", { dtype: "float16" }, 0.05],
    ["bf16 in shards", { dtype: "bfloat16", maxShardBytes: 8000 }, 0.5],
  ] as const)("%s", async (name, options, tolerance) => {
    const directory = join(folder, name);
    await using model = await loadModel(source);
    await model.save(directory, options);
    const shards = readdirSync(directory).filter((file) => file.endsWith(".safetensors"));
    if ("maxShardBytes" in options) expect(shards.length).toBeGreaterThan(3);
    else expect(shards).toEqual(["model.safetensors"]);
    expect(apart(await logitsOf(directory))).toBeLessThanOrEqual(tolerance);
    if ("dtype" in options) {
      const gradients = await loadModel(directory, { threads: 1 });
      const { loss } = await gradients.lossAndGradients({ ids, labels: ids });
      expect(loss).toBeGreaterThan(0);
      await gradients.dispose();
    }
  });

  test("a model is not written over the files that it is mapped from", async () => {
    await using model = await loadModel(source);
    await expect(model.save(source)).rejects.toThrow("another directory");
  });
});

describe("bad directories are explained", () => {
  const config = readFileSync(join(source, "config.json"), "utf8");
  const broken = (name: string, change: (directory: string) => void): string => {
    const directory = join(folder, name);
    cpSync(source, directory, { recursive: true });
    change(directory);
    return directory;
  };
  const withConfig = (name: string, changed: string): string =>
    broken(name, (directory) => writeFileSync(join(directory, "config.json"), changed));

  test.each([
    ["no directory", () => join(folder, "absent"), /config\.json: expected a model directory/],
    ["config is no JSON", () => withConfig("a", "{"), /expected JSON/],
    [
      "unknown family",
      () => withConfig("b", config.replace('"biogpt"', '"gpt9"')),
      /expected one of .*biogpt.* got "gpt9"/,
    ],
    ["hostile family", () => withConfig("c", config.replace('"biogpt"', '"__proto__"')), /expected one of/],
    [
      "field of another type",
      () => withConfig("d", config.replace('"hidden_size": 24', '"hidden_size": "24"')),
      /hidden_size: .*got "24"/,
    ],
    [
      "another width",
      () => withConfig("e", config.replace('"hidden_size": 24', '"hidden_size": 48')),
      /expected shape \[.*48.*\], got \[.*24/,
    ],
    [
      "heads do not divide",
      () => withConfig("f", config.replace('"num_attention_heads": 3', '"num_attention_heads": 5')),
      /divisor/,
    ],
    [
      "more layers than weights",
      () => withConfig("g", config.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3')),
      /expected parameter "biogpt\.layers\.2/,
    ],
    ["absurd size", () => withConfig("h", config.replace('"vocab_size": 61', '"vocab_size": 1e300')), /vocab_size/],
    ["no weights", () => broken("i", (directory) => rmSync(join(directory, "model.safetensors"))), /safetensors/],
  ])("%s", async (_, make, message) => {
    await expect(logitsOf(make())).rejects.toThrow(message);
  });

  test("mutated config.json and weights either load or end in a GalenError", async () => {
    const weights = readFileSync(join(source, "model.safetensors"));
    const numbers = random(3);
    for (let i = 0; i < 60; i++) {
      const directory = broken(`mutated-${i}`, (target) => {
        if (i % 2 === 0) {
          const at = numbers.integer(config.length);
          writeFileSync(
            join(target, "config.json"),
            config.slice(0, at) + String.fromCharCode(32 + numbers.integer(90)) + config.slice(at + 1),
          );
        } else {
          const bytes = Buffer.from(weights);
          bytes[numbers.integer(400)] = numbers.integer(256);
          writeFileSync(
            join(target, "model.safetensors"),
            numbers.next() < 0.3 ? bytes.subarray(0, numbers.integer(bytes.length)) : bytes,
          );
        }
      });
      const error: unknown = await logitsOf(directory).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toBeInstanceOf(GalenError);
      rmSync(directory, { recursive: true });
    }
  });
});

test("a thousand forward passes do not grow the process", async () => {
  await using model = await loadModel(source, { threads: 1 });
  for (let i = 0; i < 200; i++) await model.forward({ ids });
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 1000; i++) await model.forward({ ids: [[2, 5 + (i % 50), 7, 8].slice(0, 1 + (i % 4))] });
  for (let i = 0; i < 1000; i++) await model.lossAndGradients({ ids, labels: ids });
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(64);
});
