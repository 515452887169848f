/** Cross-encoders against sentence-transformers (scripts/goldens/retrieval.py): logits, activations, round trip. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readTensor } from "../src/checkpoints/safetensors.ts";
import { loadCrossEncoder, saveCrossEncoder } from "../src/retrieval/cross-encoder.ts";

const folder = fileURLToPath(new URL("goldens/retrieval", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const pairs = goldens.pairs as [string, string][];
const names = Object.keys(goldens.scores);
const options = { threads: 1 } as const;
const scratch = await mkdtemp(join(tmpdir(), "galen-cross-encoder-"));
afterAll(() => rm(scratch, { recursive: true }));

function largestDifference(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...expected.map((x, i) => Math.abs(x - actual[i]!)));
}

describe.each(names)("%s", (name) => {
  test("logits and scores equal sentence-transformers'", async () => {
    await using encoder = await loadCrossEncoder(`${folder}/${name}`, options);
    for (const batchSize of [1, 32]) {
      const { logits, scores } = await encoder.score(pairs, { batchSize });
      expect(largestDifference(logits, goldens.scores[name].logits)).toBeLessThan(1e-4);
      expect(largestDifference(scores, goldens.scores[name].scores)).toBeLessThan(1e-4);
    }
  });

  test("a directory written here gives the same scores", async () => {
    await using encoder = await loadCrossEncoder(`${folder}/${name}`, options);
    const { model, tokenizer, activation } = encoder;
    const parameters = new Map(
      await Promise.all([...model.entries].map(async ([key, entry]) => [key, await readTensor(entry)] as const)),
    );
    const copy = join(scratch, name);
    await saveCrossEncoder(copy, { config: model.config, tokenizer, parameters, activation });
    await using again = await loadCrossEncoder(copy, options);
    expect(again.activation).toBe(activation);
    expect(await again.score(pairs)).toEqual(await encoder.score(pairs));
  });
});

test("the sigmoid is taken in double precision: large logits stay apart", async () => {
  await using encoder = await loadCrossEncoder(`${folder}/cross-one`, options);
  const { logits, scores } = await encoder.score(pairs);
  logits.forEach((logit, i) => expect(scores[i]).toBe(1 / (1 + Math.exp(-logit))));
});

describe("the activation's order", () => {
  const tanh = "torch.nn.modules.activation.Tanh";
  const sigmoid = "torch.nn.modules.activation.Sigmoid";

  async function changed(config: object, settings?: object): Promise<string> {
    const copy = await mkdtemp(join(scratch, "order-"));
    await cp(`${folder}/cross-default`, copy, { recursive: true });
    const path = join(copy, "config.json");
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...config }));
    if (settings !== undefined)
      await writeFile(join(copy, "config_sentence_transformers.json"), JSON.stringify(settings));
    return copy;
  }

  test.each([
    [{}, undefined, sigmoid],
    [{ sbert_ce_default_activation_function: tanh }, undefined, tanh],
    [
      { sbert_ce_default_activation_function: tanh, sentence_transformers: { activation_fn: sigmoid } },
      undefined,
      sigmoid,
    ],
    [{ sentence_transformers: { activation_fn: sigmoid } }, { activation_fn: tanh }, tanh],
  ])("%j, %j", async (config, settings, expected) => {
    await using encoder = await loadCrossEncoder(await changed(config, settings), options);
    expect(encoder.activation).toBe(expected);
  });

  test("another activation is refused", async () => {
    const copy = await changed({ sentence_transformers: { activation_fn: "mine.Softmax" } });
    await expect(loadCrossEncoder(copy, options)).rejects.toThrow("sentence_transformers.activation_fn");
  });
});

test("a model without a sequence head is refused", async () => {
  await expect(loadCrossEncoder(`${folder}/stanford`, options)).rejects.toThrow("got HF_ColBERT");
  await expect(loadCrossEncoder(`${folder}/mean`, options)).rejects.toThrow("expected a Transformer alone");
});
