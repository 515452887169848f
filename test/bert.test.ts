/** BERT and BERT-hash against transformers: logits, loss, gradients, AdamW steps, hidden states (scripts/goldens/bert.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Graph } from "../src/graph/graph.ts";
import { loadModel, type Model } from "../src/model.ts";
import { bert, bertHash, type BertConfig } from "../src/models/index.ts";
import { hiddenGraph, lossGraph } from "../src/models/graphs.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import { expectGradients, expectTenSteps, kept, largestDifference } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/bert", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const { ids, mask, types } = goldens as Record<"ids" | "mask" | "types", number[][]>;
const open = (name: string): Promise<Model> => loadModel(`${folder}/${name}`, { threads: 1 });
const heads = Object.keys(goldens.heads);

describe.each(heads)("BERT with head %s equals transformers", (name) => {
  const golden = goldens.heads[name];

  test("logits with padding and token types", async () => {
    await using model = await open(name);
    const { logits } = await model.forward({ ids, mask, types });
    if (logits.dims.length === 3) expect(logits.dims.slice(0, 2)).toEqual([3, 8]);
    const perRow = logits.dims.length === 2;
    const [actual, expected] = [logits.data, golden.logits].map((data) => (perRow ? data : kept(data, mask)));
    expect(largestDifference(actual, expected)).toBeLessThan(1e-4);
  });

  test("loss and every gradient", async () => {
    await using model = await open(name);
    await expectGradients(`${folder}/${name}`, model, { ids, mask, types }, golden);
  });

  test("losses and weights of ten AdamW steps with clipping", async () => {
    await expectTenSteps(`${folder}/${name}`, { ids, mask, types }, golden);
  });
});

describe("hidden states", () => {
  const check = async (model: Model): Promise<void> => {
    const { hidden, pooled } = await model.hidden({ ids, mask, types });
    expect(largestDifference(kept(hidden.data, mask), kept(goldens.hidden, mask))).toBeLessThan(1e-4);
    if (pooled !== undefined) expect(largestDifference(pooled.data, goldens.pooled)).toBeLessThan(1e-4);
  };

  test("and pooled output of the bare model equal transformers", async () => {
    await using model = await open("bare");
    await check(model);
    expect((await model.hidden({ ids })).pooled).toBeDefined();
  });

  test("of a checkpoint with old LayerNorm names, a prefix and no pooler equal transformers", async () => {
    await using model = await open("old-names");
    await check(model);
    expect((await model.hidden({ ids })).pooled).toBeUndefined();
  });

  test("a bare model has no logits", async () => {
    await using model = await open("bare");
    await expect(model.forward({ ids })).rejects.toThrow("expected a model with a head, got BertModel");
  });

  test("do not depend on padding or on the batch", async () => {
    await using model = await open("bare");
    const rows = ids.map((row, i) => row.filter((_, j) => mask[i]![j] === 1));
    const rowTypes = rows.map((row, i) => types[i]!.slice(0, row.length));
    const together = await model.hidden({ ids: rows, types: rowTypes });
    const order = [2, 0, 1];
    const shuffled = await model.hidden({ ids: order.map((i) => rows[i]!), types: order.map((i) => rowTypes[i]!) });
    const [, tokens, width] = together.hidden.dims as [number, number, number];
    for (const [i, row] of rows.entries()) {
      const alone = await model.hidden({ ids: [row], types: [rowTypes[i]!] });
      for (const [batch, at] of [
        [together, i],
        [shuffled, order.indexOf(i)],
      ] as const) {
        const start = at * tokens * width;
        const found = batch.hidden.data.slice(start, start + row.length * width);
        expect(largestDifference(found, alone.hidden.data)).toBeLessThan(1e-5);
      }
    }
  });
});

describe("mistakes are explained", () => {
  test.each([
    [{ ids: [Array<number>(41).fill(5)] }, "expected at most 40 a row, got 41"],
    [{ ids: [[60]] }, "ids[0][0]: expected an id in [0, 60), got 60"],
    [{ ids: [[1, 2]], types: [[0]] }, "types: expected the same shape as ids"],
  ])("%#", async (rows, message) => {
    await using model = await open("single");
    await expect(model.forward(rows)).rejects.toThrow(message);
  });

  test.each([
    ["single", [3, 0, 1], "labels[0][0]: expected an id below 3, got 3"],
    [
      "several",
      [
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      "labels[0]: expected 4 of them, got 3",
    ],
    ["masked", ids.map((row) => row.map(() => -100)), "expected at least one that is not negative"],
  ])("labels of %s", async (name, labels, message) => {
    await using model = await open(name);
    await expect(model.lossAndGradients({ ids, labels })).rejects.toThrow(message);
  });
});

describe("parameter counts of the named sizes", () => {
  const count = (graph: Graph): number =>
    [...graph.parameters.values()].reduce((sum, { value }) => sum + sizeOf(value.shape as number[]), 0);
  const sizes: Record<string, BertConfig> = { ...bert.sizes, ...bertHash.sizes };

  test.each([
    ["biomedbert-small", true, 22_713_216],
    ["biomedbert-small", false, 22_565_376],
    ["biomedbert-base", true, 109_482_240],
    ["hash-femto", true, 242_510],
    ["hash-pico", true, 448_256],
    ["hash-nano", true, 969_504],
  ])("%s, pooler %s: %i", (name, pooler, expected) => {
    const config = { ...sizes[name]!, add_pooling_layer: pooler };
    const family = config.model_type === "bert" ? bert : bertHash;
    expect(count(hiddenGraph(family as never, config))).toBe(expected);
  });

  test("of the masked language model of biomedbert-small: with the head, without the pooler", () => {
    const head = 384 * 384 + 384 + 2 * 384 + 30522;
    expect(count(lossGraph(bert as never, sizes["biomedbert-small"]!, { gradients: false }))).toBe(22_565_376 + head);
  });
});
