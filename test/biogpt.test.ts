/** BioGPT against transformers: logits, loss, gradients, AdamW steps, generated ids (scripts/goldens/biogpt.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../src/model.ts";
import { expectGradients, largestDifference } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/biogpt", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const model = await loadModel(`${folder}/model`, { threads: 1 });
afterAll(() => model.dispose());

describe("BioGPT equals transformers", () => {
  test.each(["left", "right"])("logits with padding on the %s", async (side) => {
    const { logits } = await model.forward({ ids: goldens.ids, mask: goldens[side] });
    const rows = (goldens[side] as number[][]).flat();
    const width = logits.dims[2]!;
    const expected = goldens[`logits/${side}`] as number[];
    // Positions of padding have no meaning; all others count.
    rows.forEach((kept, i) => {
      if (kept === 0) return;
      const range = [i * width, (i + 1) * width] as const;
      expect(largestDifference(logits.data.slice(...range), expected.slice(...range))).toBeLessThan(1e-4);
    });
  });

  test("logits without padding", async () => {
    const { logits } = await model.forward({ ids: goldens.ids });
    expect(largestDifference(logits.data, goldens["logits/none"])).toBeLessThan(1e-4);
  });

  test("loss and every gradient", async () => {
    await expectGradients(folder, model, { ids: goldens.ids, mask: goldens.right }, goldens);
  });
});
