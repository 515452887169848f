/** Why a run's result is not written as an adapter, where it takes no training to say so. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openModelFolder } from "../runtime/folder.ts";
import { tensor } from "../tensor/tensor.ts";
import { adapterOf, adapterRefusal } from "./adapter.ts";

const model = fileURLToPath(new URL("../../test/goldens/llama/llama/model", import.meta.url));
const start = await openModelFolder(model);
const query = "model.layers.0.self_attn.q_proj";
const learned = (module: string): Parameters<typeof adapterRefusal>[3] => ({
  learned: {
    flat: new Float32Array(),
    tensors: new Map([[`${module}.lora_A.weight`, tensor("float32", [0], new Float32Array())]]),
    scatter() {},
    gather() {},
  },
});

test("a product inside the layers is an adapter's", () => {
  expect(adapterRefusal({ average: 1 }, { model }, { start }, learned(query))).toBeUndefined();
});

test("one of the head's is not", () => {
  expect(adapterRefusal({ average: 1 }, { model }, { start }, learned("lm_head"))).toBe(
    "lm_head.lora_A.weight is outside the layers",
  );
});

test("nor one on a file, on a network without the language model's head, or on a weight in few bits", () => {
  const file = join(model, "config.json");
  expect(adapterRefusal({ average: 1 }, { model: file }, { start }, learned(query))).toBe(
    `peft opens no file as a base (${file})`,
  );
  const bare = { ...start, config: { ...start.config, architectures: ["LlamaModel"] } };
  expect(adapterRefusal({ average: 1 }, { model }, { start: bare }, learned(query))).toBe("it is no language model's");
  const weight = start.entries.get(`${query}.weight`)!;
  const entries = new Map([[`${query}.weight`, { ...weight, dtype: "uint8" as const }]]);
  expect(adapterRefusal({ average: 1 }, { model }, { start: { ...start, entries } }, learned(query))).toBe(
    `${query}.weight is stored in few bits`,
  );
});

test("a base of the hub is named with its commit apart", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const cached = `/cache/models--org--name/snapshots/${commit}`;
  const lora = { rank: 2, alpha: 4, targets: null };
  const run = { ...learned(query), transposed: () => false };
  expect(adapterOf({ lora }, { model: cached }, { start }, run)).toMatchObject({ base: "org/name", revision: commit });
  expect(adapterOf({ lora }, { model }, { start }, run)).toMatchObject({ base: model, revision: undefined });
});
