/** LLaMA and its relatives against transformers: logits, loss, gradients, generated ids (scripts/goldens/llama.py). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { writeTokens } from "../src/corpus/token-files.ts";
import { loadModel } from "../src/model.ts";
import { type Family, families, type ModelConfig } from "../src/models/index.ts";
import { hiddenGraph, scoringGraph } from "../src/models/graphs.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { parameterCount } from "../src/runtime/parameters.ts";
import { train, withSettings } from "../src/train/index.ts";
import { expectGradients, expectLogits } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/llama", import.meta.url));

describe.each(["llama", "llama3", "linear", "yarn", "mistral", "qwen2", "qwen3"])(
  "%s equals transformers",
  async (name) => {
    const goldens = JSON.parse(readFileSync(`${folder}/${name}/goldens.json`, "utf8"));
    const model = await loadModel(`${folder}/${name}/model`, { threads: 1 });
    afterAll(() => model.dispose());

    test.each(["none", "left", "right"])("logits with padding: %s", async (side) => {
      const mask = side === "none" ? undefined : (goldens[side] as number[][]);
      await expectLogits(model, { ids: goldens.ids, mask }, goldens[`logits/${side}`]);
    });

    test("loss and every gradient", async () => {
      await expectGradients(`${folder}/${name}`, model, { ids: goldens.ids, mask: goldens.right }, goldens);
    });

    test("ids of greedy search and beam search", async () => {
      for (const { options, prompt, sequences } of goldens.generate) {
        const { max_new_tokens: maxNewTokens, num_beams: numBeams } = options;
        const settings = { maxNewTokens, ...(numBeams === undefined ? {} : { numBeams }) };
        const found = await model.generate({ ids: [prompt], ...settings, padTokenId: 0 });
        expect(found.sequences, JSON.stringify({ options, prompt })).toEqual(sequences);
      }
    });
  },
);

describe("sizes have the published numbers of parameters", () => {
  const count = (size: string): number => {
    const [family, config] = Object.values(families).flatMap((one): [Family, ModelConfig][] =>
      Object.hasOwn(one.sizes, size) ? [[one, one.sizes[size]!]] : [],
    )[0]!;
    return parameterCount(scoringGraph(family, config));
  };
  test.each([
    ["llama-2-7b", 6_738_415_616],
    ["llama-2-13b", 13_015_864_320],
    ["llama-2-70b", 68_976_648_192],
    ["llama-3-8b", 8_030_261_248],
    ["smollm2-135m", 134_515_008],
    ["mistral-7b", 7_241_732_096],
    ["qwen2-0.5b", 494_032_768],
    ["qwen3-0.6b", 596_049_920],
  ])("%s: %i", (size, expected) => {
    expect(count(size)).toBe(expected);
  });

  test("LLaMA-2 70B with a vocabulary of 34,048", () => {
    const { llama } = families;
    const config = { ...llama!.sizes["llama-2-70b"]!, vocab_size: 34_048 };
    expect(parameterCount(scoringGraph(llama!, config))).toBe(69_010_202_624);
    expect(parameterCount(hiddenGraph(llama!, config))).toBe(69_010_202_624 - 34_048 * 8192);
  });
});

test.each([[], ["trainable=lora"], ["precision=float16"], ["checkpointing=true"]])(
  "a small one is pre-trained and goes on from its weights, %s",
  async (...settings) => {
    const place = mkdtempSync(join(tmpdir(), "galen-llama-"));
    const writer = await writeTokens(join(place, "train"), { vocabSize: 61 });
    for (let i = 0; i < 40; i++) {
      await writer.write([1, ...Array.from({ length: 40 }, (_, t) => 4 + ((3 * t + i) % 57)), 2]);
    }
    await writer.close();
    const tokenizer = {
      vocabSize: 61,
      special: {},
      continuesWord: () => false,
      files: () => new Map<string, string>(),
    };
    const { llama } = families;
    const base = recipeOf("biogpt-nano")({ scale: "debug" });
    const model = { ...llama!.debug(llama!.sizes["llama-nano"]!), vocab_size: 61 };
    const config = withSettings({ ...base, model }, ["threads=1", "steps=30", "schedule.peak=1e-2", "batch=4"]);
    const inputs = { data: join(place, "train"), valid: join(place, "train"), tokenizer };
    const first = await train(config, { ...inputs, output: join(place, "first") });
    expect(first.after!).toBeLessThan(first.before! - 1);
    const more = withSettings(config, ["steps=10", ...settings]);
    const next = await train(more, { ...inputs, model: first.model, output: join(place, "next") });
    expect(next.before!).toBeCloseTo(first.after!, 4);
    expect(next.after!).toBeLessThan(next.before!);
    rmSync(place, { recursive: true });
  },
);
