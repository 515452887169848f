/** Weights in eight bits in every kind of graph: near the float32 results, and not the float32 network. */
import { valueOf } from "../src/metrics/report.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluatePerplexity } from "../src/eval/perplexity.ts";
import { loadClassifier } from "../src/labellers.ts";
import { loadModel, type Model } from "../src/model.ts";
import { random } from "../src/tensor/random.ts";
import { writeTinyTask } from "./support/tiny-task.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-weights-"));
let folder: string;
let exact: Model;
let int8: Model;
beforeAll(async () => {
  folder = (await writeTinyTask(scratch)).start;
  exact = await loadModel(folder, { threads: 1 });
  int8 = await loadModel(folder, { threads: 1, weights: "int8" });
});
afterAll(async () => {
  await exact.dispose();
  await int8.dispose();
  rmSync(scratch, { recursive: true });
});

/** Norm of the difference over the norm of what is expected. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const norm = (data: number[]): number => Math.hypot(...data);
  const wanted = Array.from(expected);
  return norm(wanted.map((x, i) => x - actual[i]!)) / norm(wanted);
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  expect(distance(actual, expected)).toBeLessThan(0.05);
  expect(distance(actual, expected)).toBeGreaterThan(1e-4);
}

const ids = [
  [2, 17, 5, 38, 9],
  [2, 9, 33],
];

describe("a decoder's linear layers in eight bits", () => {
  test("scores and hidden states are near those of float32", async () => {
    expectNear((await int8.forward({ ids })).logits.data, (await exact.forward({ ids })).logits.data);
    expectNear((await int8.hidden({ ids })).hidden.data, (await exact.hidden({ ids })).hidden.data);
  });

  test("generation goes on from the eight-bit network's own scores, step by step", async () => {
    const options = { ids: ids[0]!, maxNewTokens: 8, eosTokenId: [] };
    const { sequences, logProbabilities } = await int8.generate(options);
    const [sequence] = sequences;
    expect(sequence!.length).toBe(13);
    const float = await exact.generate({ ...options, processors: () => [forced(sequence!)] });
    expect(float.sequences).toEqual(sequences);
    expectNear(logProbabilities[0]!, float.logProbabilities[0]!);
    const beams = await int8.generate({ ...options, numBeams: 3, numReturnSequences: 3 });
    expect(beams.sequences.length).toBe(3);
  });

  test("without a tokenizer the ranges are learnt from random tokens", async () => {
    const bare = (await writeTinyTask(join(scratch, "bare"))).start;
    for (const name of ["vocab.json", "merges.txt"]) await rm(join(bare, name));
    await using model = await loadModel(bare, { threads: 1, weights: "int8" });
    expectNear((await model.forward({ ids })).logits.data, (await exact.forward({ ids })).logits.data);
    expect((await model.generate({ ids, maxNewTokens: 3 })).texts).toEqual(["", ""]);
  });

  test("losses and gradients stay in float32", async () => {
    const labelled = { ids: [ids[0]!], labels: [ids[0]!] };
    expect(await int8.lossAndGradients(labelled)).toEqual(await exact.lossAndGradients(labelled));
  });

  test("perplexity says what they cost", async () => {
    const numbers = random(3);
    const tokens = Array.from({ length: 90 }, () => numbers.integer(exact.config.vocab_size));
    const stream = { tokens: 90, read: (start: number, length: number) => tokens.slice(start, start + length) };
    const float = valueOf(await evaluatePerplexity(folder, { stream }, { threads: 1 }), "perplexity");
    const packed = valueOf(await evaluatePerplexity(folder, { stream }, { threads: 1, weights: "int8" }), "perplexity");
    expect(packed).not.toBe(float);
    expect(packed / float).toBeCloseTo(1, 1);
  });
});

/** Allows nothing but the tokens of `sequence`, one after the other. */
const forced =
  (sequence: readonly number[]) =>
  (before: readonly number[], scores: Float32Array): void => {
    scores.forEach((_, id) => id !== sequence[before.length] && (scores[id] = -Infinity));
  };

test("a classifier's probabilities are near those of float32", async () => {
  const path = fileURLToPath(new URL("goldens/retrieval/cross-three", import.meta.url));
  await using float = await loadClassifier(path, { threads: 1 });
  await using quantized = await loadClassifier(path, { threads: 1, weights: "int8" });
  const texts = ["kidney", "the gene of insulin in the heart"];
  const shares = async (classifier: typeof float): Promise<number[]> =>
    (await classifier.classify(texts)).flatMap(({ probabilities }) => Object.values(probabilities));
  expectNear(await shares(quantized), await shares(float));
});

test("a format that is unknown, or that the device lacks, is refused with what there is", async () => {
  await using unknown = await loadModel(folder, { weights: "int3" as never });
  await expect(unknown.forward({ ids })).rejects.toThrow(
    'weights: expected one of float32, int8, int8-groups, int4, got "int3"',
  );
  await using elsewhere = await loadModel(folder, { weights: "int8", device: "webgpu" });
  await expect(elsewhere.generate({ ids })).rejects.toThrow("weights in int8: expected device cpu, got webgpu");
});
