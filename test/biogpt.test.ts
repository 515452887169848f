/** BioGPT against transformers: logits, loss, gradients, AdamW steps, generated ids (scripts/goldens/biogpt.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../src/checkpoints/safetensors.ts";
import { loadModel } from "../src/model.ts";

const folder = fileURLToPath(new URL("goldens/biogpt", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const model = await loadModel(`${folder}/model`, { threads: 1 });
afterAll(() => model.dispose());

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) largest = Math.max(largest, Math.abs(actual[i]! - expected[i]!));
  return largest;
}

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
    const { loss, gradients } = await model.lossAndGradients({
      ids: goldens.ids,
      mask: goldens.right,
      labels: goldens.labels,
    });
    expect(Math.abs(loss - goldens.loss) / goldens.loss).toBeLessThan(1e-5);
    const { entries } = await openSafetensors(`${folder}/gradients.safetensors`);
    expect([...gradients.keys()].sort()).toEqual([...entries.keys()].sort());
    for (const [name, entry] of entries) {
      const expected = await readFloat32(entry);
      const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0));
      const actual = gradients.get(name)!.data;
      const apart = Math.sqrt(expected.reduce((sum, x, i) => sum + (x - actual[i]!) ** 2, 0));
      // The key bias's gradient is zero but for rounding: softmax does not see it.
      expect(apart / Math.max(size, 1e-3), name).toBeLessThan(1e-4);
    }
  });
});
