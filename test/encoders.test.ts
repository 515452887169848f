/**
 * Megatron's BERT (GatorTron) and ModernBERT against transformers: logits, loss, every gradient, AdamW steps, hidden states
 * with padding on either side, numbers of parameters (scripts/goldens/encoders.py).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadModel, type Model } from "../src/model.ts";
import { type Family, families, type ModelConfig } from "../src/models/index.ts";
import { hiddenGraph, scoringGraph } from "../src/models/graphs.ts";
import { parameterCount } from "../src/runtime/parameters.ts";
import { expectGradients, expectTenSteps, type HeadGolden, kept, largestDifference } from "./support/goldens.ts";

type Golden = Omit<HeadGolden, "adamw"> & Partial<HeadGolden> & { readonly logits: number[] };

interface Goldens {
  readonly ids: number[][];
  readonly left: number[][];
  readonly right: number[][];
  readonly types?: number[][];
  readonly heads: Record<string, Golden>;
  readonly hidden: Record<"none" | "left" | "right", number[]>;
  readonly pooled?: number[];
  readonly sizes: Record<string, { readonly bare: number; readonly masked: number }>;
}

describe.each(["megatron-bert", "modernbert"])("%s equals transformers", (modelType) => {
  const folder = fileURLToPath(new URL(`goldens/${modelType}`, import.meta.url));
  const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as Goldens;
  const { ids, right, types, heads, hidden, pooled, sizes } = goldens;
  const rows = { ids, mask: right, types };
  const open = (name: string): Promise<Model> => loadModel(`${folder}/${name}`, { threads: 1 });

  describe.each(Object.keys(heads))("with head %s", (name) => {
    const golden = heads[name]!;

    test("logits with padding", async () => {
      await using model = await open(name);
      const { logits } = await model.forward(rows);
      const [actual, expected] = [logits.data, golden.logits].map((data) =>
        logits.dims.length === 2 ? data : kept(data, right),
      );
      expect(largestDifference(actual!, expected!)).toBeLessThan(1e-4);
    });

    test("loss and every gradient", async () => {
      await using model = await open(name);
      await expectGradients(`${folder}/${name}`, model, rows, golden as HeadGolden);
    });

    if (golden.adamw === undefined) return;
    test("losses and weights of ten AdamW steps with clipping", async () => {
      await expectTenSteps(`${folder}/${name}`, rows, golden as HeadGolden);
    });
  });

  test.each(["none", "left", "right"] as const)("hidden states of the bare network, padding: %s", async (side) => {
    await using model = await open("bare");
    const mask = side === "none" ? undefined : goldens[side];
    const found = await model.hidden({ ids, mask, types });
    const counted = mask ?? ids.map((row) => row.map(() => 1));
    expect(largestDifference(kept(found.hidden.data, counted), kept(hidden[side], counted))).toBeLessThan(1e-4);
    if (side === "right" && pooled !== undefined) {
      expect(largestDifference(found.pooled!.data, pooled)).toBeLessThan(1e-4);
    }
  });

  test("hidden states do not depend on padding or on the batch", async () => {
    await using model = await open("bare");
    const alone = ids.map((row, i) => row.filter((_, t) => right[i]![t] === 1));
    const together = (await model.hidden({ ids, mask: right, types })).hidden;
    for (const [i, row] of alone.entries()) {
      const single = await model.hidden({ ids: [row], types: types && [types[i]!.slice(0, row.length)] });
      const [, tokens, width] = together.dims as [number, number, number];
      const found = together.data.slice(i * tokens * width, (i * tokens + row.length) * width);
      expect(largestDifference(found, single.hidden.data)).toBeLessThan(1e-5);
    }
  });

  test.each(Object.keys(sizes))("the number of parameters of %s", (name) => {
    const family = families[modelType] as Family;
    const config: ModelConfig = family.sizes[name]!;
    expect(parameterCount(hiddenGraph(family, config))).toBe(sizes[name]!.bare);
    expect(parameterCount(scoringGraph(family, config))).toBe(sizes[name]!.masked);
  });
});
