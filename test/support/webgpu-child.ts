/** The tiny golden model on the WebGPU provider, in a process of its own: a driver that fails must not end the tests. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadModel } from "../../src/model.ts";

const folder = fileURLToPath(new URL("../goldens/biogpt", import.meta.url));
const { ids, right, labels } = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as Record<string, number[][]>;
const model = await loadModel(`${folder}/model`, { device: "webgpu" });
const { logits } = await model.forward({ ids: ids! });
const { loss, gradients } = await model.lossAndGradients({ ids: ids!, mask: right!, labels: labels! });
const { sequences } = await model.generate({ ids: [[2, 17, 5]], maxNewTokens: 6 });
const result = JSON.stringify({
  logits: [...logits.data],
  loss,
  gradients: [...gradients].map(([name, { data }]) => [name, [...data]]),
  sequences,
});
process.stdout.write(`${result}\n`, () => process.exit(0));
