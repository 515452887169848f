/** Heads that repeat the token table under one name, the other, or both; and heads of their own (scripts/goldens/tied-weights.py). */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openSafetensors, readTensor, type TensorSource, writeSafetensors } from "../src/checkpoints/safetensors.ts";
import { loadModel } from "../src/model.ts";
import { largestDifference } from "./support/goldens.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-tied-"));
afterAll(() => rmSync(folder, { recursive: true }));
const source = (name: string): string => fileURLToPath(new URL(`goldens/${name}`, import.meta.url));
const goldens = JSON.parse(readFileSync(source("tied-weights.json"), "utf8")) as Record<"biogpt" | "bert", number[]> & {
  ids: number[][];
};

async function logitsOf(directory: string): Promise<ArrayLike<number>> {
  await using model = await loadModel(directory, { threads: 1 });
  return (await model.forward({ ids: goldens.ids })).logits.data as Float32Array;
}

describe.each([
  ["biogpt", "biogpt/model", "biogpt.embed_tokens.weight", "output_projection.weight", undefined],
  [
    "bert",
    "bert/masked",
    "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.weight",
    ["cls.predictions.bias", "cls.predictions.decoder.bias"],
  ],
] as const)("%s", (kind, model, table, head, biases) => {
  /** A copy whose weights `change` has made, under this name. */
  const made = async (
    name: string,
    change: (tensors: Map<string, TensorSource>) => void,
    config: object = {},
  ): Promise<string> => {
    const directory = join(folder, `${kind}-${name}`);
    cpSync(source(model), directory, { recursive: true });
    const path = join(directory, "config.json");
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...config }));
    const tensors = new Map<string, TensorSource>();
    for (const [stored, entry] of (await openSafetensors(join(directory, "model.safetensors"))).entries) {
      const { dtype, dims, data } = await readTensor(entry);
      tensors.set(stored, { name: stored, dtype, dims, data });
    }
    change(tensors);
    await writeSafetensors(join(directory, "model.safetensors"), tensors.values());
    return directory;
  };
  const put = (tensors: Map<string, TensorSource>, like: string, name: string, own = false): void => {
    const { dims, dtype, data } = tensors.get(like)! as TensorSource & { data: Float32Array };
    const [rows, width] = dims as [number, number];
    const changed = Float32Array.from(data, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      return 0.5 * data[(rows - 1 - row) * width + column]!;
    });
    tensors.set(name, { name, dtype, dims, data: own ? changed : data });
  };
  const move = (tensors: Map<string, TensorSource>, from: string, to: string): void => {
    tensors.set(to, { ...tensors.get(from)!, name: to });
    tensors.delete(from);
  };

  test("the same logits, whichever of the two names is in the file", async () => {
    const expected = await logitsOf(source(model));
    const [onlyHead, both, onlyTable] = [
      await made("head", (tensors) => move(tensors, table, head)),
      await made("both", (tensors) => put(tensors, table, head)),
      await made("table", (tensors) => tensors.delete(head)),
    ];
    for (const directory of [onlyHead, both, onlyTable]) expect(await logitsOf(directory)).toEqual(expected);
    await using opened = await loadModel(onlyHead);
    const saved = join(folder, `${kind}-saved`);
    await opened.save(saved);
    expect(await logitsOf(saved)).toEqual(expected);
    const { entries } = await openSafetensors(join(saved, "model.safetensors"));
    expect([entries.has(table), entries.has(head)]).toEqual([true, false]);
  });

  test.skipIf(biases === undefined)("the same logits, whichever of the bias's names is in the file", async () => {
    const [bias, own] = biases!;
    const expected = await logitsOf(source(model));
    for (const [from, to] of [
      [bias, own],
      [own, bias],
    ] as const) {
      const directory = await made(`bias-${to}`, (tensors) => {
        if (tensors.has(from)) move(tensors, from, to);
      });
      expect(await logitsOf(directory)).toEqual(expected);
    }
  });

  test("a head of its own gives transformers' logits, where the configuration says so and where only its numbers do", async () => {
    const own = (tensors: Map<string, TensorSource>): void => put(tensors, table, head, true);
    for (const directory of [await made("untied", own, { tie_word_embeddings: false }), await made("differs", own)]) {
      expect(largestDifference(await logitsOf(directory), goldens[kind])).toBeLessThan(1e-4);
      await using opened = await loadModel(directory);
      const saved = `${directory}-saved`;
      await opened.save(saved);
      expect(JSON.parse(readFileSync(join(saved, "config.json"), "utf8"))).toMatchObject({
        tie_word_embeddings: false,
      });
      expect(largestDifference(await logitsOf(saved), goldens[kind])).toBeLessThan(1e-4);
      const { gradients } = await opened.lossAndGradients({ ids: goldens.ids, labels: goldens.ids });
      expect(gradients.get(head)!.dims).toEqual(gradients.get(table)!.dims);
    }
  });

  test("a head of its own that is missing is named", async () => {
    const directory = await made("missing", (tensors) => tensors.delete(head), { tie_word_embeddings: false });
    await expect(logitsOf(directory)).rejects.toThrow(`expected parameter "${head}"`);
  });
});
