/**
 * Megatron's BERT (GatorTron) and ModernBERT against transformers: logits, loss, every gradient, AdamW steps, hidden states
 * with padding on either side, numbers of parameters (scripts/goldens/encoders.py).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { writeTokens } from "../src/corpus/token-files.ts";
import { loadModel, type Model } from "../src/model.ts";
import { type Family, families, type ModelConfig } from "../src/models/index.ts";
import { hiddenGraph, scoringGraph } from "../src/models/graphs.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { parameterCount } from "../src/runtime/parameters.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { train, withSettings } from "../src/train/index.ts";
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

test.each([[], ["trainable=lora"], ["precision=float16"], ["checkpointing=true"]])(
  "a small Megatron's BERT is pre-trained and goes on from its weights, %s",
  async (...settings) => {
    const place = mkdtempSync(join(tmpdir(), "galen-megatron-"));
    const tokenizer = await loadTokenizer(fileURLToPath(new URL("goldens/retrieval/mean", import.meta.url)));
    const { vocabSize, special } = tokenizer;
    const writer = await writeTokens(join(place, "train"), { vocabSize });
    for (let i = 0; i < 40; i++) {
      await writer.write([special.cls!, ...Array.from({ length: 40 }, (_, t) => 8 + ((3 * t + i) % 9))]);
    }
    await writer.close();
    const family = families["megatron-bert"]!;
    const model = { ...family.debug(family.sizes["gatortron-base"]!), vocab_size: vocabSize };
    const base = recipeOf("biomedbert-small")({ scale: "debug" });
    const fixed = ["threads=1", "device=cpu", "steps=25", "schedule.peak=1e-2", "schedule.warmup=0", "batch=8"];
    const config = withSettings({ ...base, model }, fixed);
    const inputs = { data: join(place, "train"), valid: join(place, "train"), tokenizer };
    const first = await train(config, { ...inputs, output: join(place, "first") });
    expect(first.after!).toBeLessThan(first.before! - 0.3);
    const more = withSettings(config, ["steps=20", ...settings]);
    const next = await train(more, { ...inputs, model: first.model, output: join(place, "next") });
    expect(next.before!).toBeCloseTo(first.after!, 2);
    expect(next.after!).toBeLessThan(next.before!);
    rmSync(place, { recursive: true });
  },
);
