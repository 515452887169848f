/** BioGPT against transformers: logits, loss, gradients, AdamW steps, generated ids (scripts/goldens/biogpt.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, test } from "vitest";
import { loadModel } from "../src/model.ts";
import { expectGradients, expectLogits } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/biogpt", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const model = await loadModel(`${folder}/model`, { threads: 1 });
afterAll(() => model.dispose());

describe("BioGPT equals transformers", () => {
  test.each(["left", "right"])("logits with padding on the %s", async (side) => {
    await expectLogits(model, { ids: goldens.ids, mask: goldens[side] }, goldens[`logits/${side}`]);
  });

  test("logits without padding", async () => {
    await expectLogits(model, { ids: goldens.ids }, goldens["logits/none"]);
  });

  test("loss and every gradient", async () => {
    await expectGradients(folder, model, { ids: goldens.ids, mask: goldens.right }, goldens);
  });
});
