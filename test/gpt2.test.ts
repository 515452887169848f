/** GPT-2 against transformers: logits, loss, gradients, steps, generated ids, heads (scripts/goldens/gpt2.py). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSafetensors } from "../src/checkpoints/safetensors.ts";
import { loadModel } from "../src/model.ts";
import { configText, families } from "../src/models/index.ts";
import { scoringGraph } from "../src/models/graphs.ts";
import { allocateParameters, initialise, parameterCount } from "../src/runtime/parameters.ts";
import { saveModel } from "../src/train/checkpoint.ts";
import { decoderEquals } from "./support/decoders.ts";
import { expectGradients, expectLogits, type HeadGolden } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/gpt2", import.meta.url));
const { gpt2 } = families;

describe.each(["gpt2", "scaled", "unscaled"])("%s equals transformers", (name) => decoderEquals(`${folder}/${name}`));

const heads = JSON.parse(readFileSync(`${folder}/heads.json`, "utf8")) as Record<
  string,
  HeadGolden & { readonly ids: number[][]; readonly mask: number[][]; readonly logits: number[] }
>;

describe.each(Object.entries(heads))("a head for classes of %s equals transformers", (name, golden) => {
  test("logits, loss and every gradient", async () => {
    await using model = await loadModel(`${folder}/${name}`, { threads: 1 });
    const { ids, mask, logits } = golden;
    if (name === "tokens") await expectLogits(model, { ids, mask }, logits);
    else {
      const found = await model.forward({ ids, mask });
      logits.forEach((value, i) => expect(found.logits.data[i]).toBeCloseTo(value, 4));
    }
    await expectGradients(`${folder}/${name}`, model, { ids, mask }, golden);
  });
});

describe("weights [in, out] in few bits", () => {
  const place = mkdtempSync(join(tmpdir(), "galen-gpt2-bits-"));
  const ids = [[3, 17, 5, 38, 9, 22, 31]];
  beforeAll(async () => {
    const small = { ...gpt2!.debug(gpt2!.sizes["gpt2"]!), vocab_size: 61, hidden_size: 64, intermediate_size: 160 };
    const config = { ...small, initializer_range: 0.2 };
    const graph = scoringGraph(gpt2!, config);
    const parameters = allocateParameters(graph);
    initialise(graph, parameters, 1);
    await saveModel(place, parameters.tensors, new Map([["config.json", configText(config)]]));
  });
  afterAll(() => rmSync(place, { recursive: true }));

  test.each([
    ["int8", 0.1],
    ["int8-groups", 0.02],
    ["int4", 0.3],
  ] as const)("%s gives logits near those of float32", async (weights, most) => {
    await using exact = await loadModel(place, { threads: 1 });
    await using packed = await loadModel(place, { threads: 1, weights });
    const [expected, found] = [(await exact.forward({ ids })).logits.data, (await packed.forward({ ids })).logits.data];
    const norm = (numbers: Iterable<number>): number => Math.hypot(...numbers);
    const distance = norm(expected.map((value, i) => value - found[i]!)) / norm(expected);
    expect(distance).toBeLessThan(most);
    expect(distance).toBeGreaterThan(1e-4);
  });
});

test.each([
  ["gpt2", 124_439_808],
  ["gpt2-medium", 354_823_168],
  ["gpt2-large", 774_030_080],
  ["gpt2-xl", 1_557_611_200],
  ["biomedlm", 2_594_247_680],
])("%s has %i parameters", (size, expected) => {
  expect(parameterCount(scoringGraph(gpt2!, gpt2!.sizes[size]!))).toBe(expected);
});

describe("config.json", () => {
  const stored = JSON.parse(readFileSync(`${folder}/scaled/model/config.json`, "utf8"));

  test("is read and written under GPT-2's own names", async () => {
    const output = mkdtempSync(join(tmpdir(), "galen-gpt2-"));
    await using model = await loadModel(`${folder}/scaled/model`, { threads: 1 });
    await model.save(output);
    const written = JSON.parse(readFileSync(`${output}/config.json`, "utf8"));
    const { n_embd, n_layer, n_head, n_positions, n_inner } = stored;
    expect(written).toMatchObject({ n_embd, n_layer, n_head, n_positions, n_inner, n_ctx: n_positions });
    expect(written).not.toHaveProperty("hidden_size");
    const { entries } = await openSafetensors(`${output}/model.safetensors`);
    expect(entries.has("transformer.h.0.attn.c_attn.weight")).toBe(true);
    rmSync(output, { recursive: true });
  });

  test("is read under the shared names as well", () => {
    const { n_embd, n_layer, n_head, n_positions, n_inner, ...rest } = stored;
    const shared = {
      hidden_size: n_embd,
      num_hidden_layers: n_layer,
      num_attention_heads: n_head,
      max_position_embeddings: n_positions,
      intermediate_size: n_inner,
    };
    expect(gpt2!.parseConfig({ ...rest, ...shared }, "here")).toEqual(gpt2!.parseConfig(stored, "here"));
    expect(gpt2!.parseConfig({ ...stored, n_inner: null }, "here")).toMatchObject({ intermediate_size: 4 * n_embd });
  });

  test.each([
    [{ n_head: 5 }, "here: num_attention_heads: expected a divisor of hidden_size"],
    [{ n_embd: "wide" }, "here: hidden_size"],
    [{ add_cross_attention: true }, "here: add_cross_attention"],
  ])("%o is refused", (fields, message) => {
    expect(() => gpt2!.parseConfig({ ...stored, ...fields }, "here")).toThrow(message);
  });
});
