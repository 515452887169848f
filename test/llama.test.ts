/** LLaMA and its relatives against transformers: logits, loss, gradients, generated ids (scripts/goldens/llama.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../src/model.ts";
import { type Family, families, type ModelConfig } from "../src/models/index.ts";
import { hiddenGraph, scoringGraph } from "../src/models/graphs.ts";
import { parameterCount } from "../src/runtime/parameters.ts";
import { expectGradients, largestDifference } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/llama", import.meta.url));

describe.each(["llama", "llama3", "linear", "yarn", "mistral", "qwen2", "qwen3"])(
  "%s equals transformers",
  async (name) => {
    const goldens = JSON.parse(readFileSync(`${folder}/${name}/goldens.json`, "utf8"));
    const model = await loadModel(`${folder}/${name}/model`, { threads: 1 });
    afterAll(() => model.dispose());

    test.each(["none", "left", "right"])("logits with padding: %s", async (side) => {
      const mask = side === "none" ? undefined : (goldens[side] as number[][]);
      const { logits } = await model.forward({ ids: goldens.ids, mask });
      const rows = (mask ?? (goldens.ids as number[][]).map((row) => row.map(() => 1))).flat();
      const width = logits.dims[2]!;
      const expected = goldens[`logits/${side}`] as number[];
      rows.forEach((kept, i) => {
        if (kept === 0) return;
        const range = [i * width, (i + 1) * width] as const;
        expect(largestDifference(logits.data.slice(...range), expected.slice(...range))).toBeLessThan(1e-4);
      });
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
