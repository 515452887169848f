/** LLaMA and its relatives against transformers: logits, loss, gradients, generated ids (scripts/goldens/llama.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toOnnx } from "../src/graph/lower.ts";
import { type Family, families, type ModelConfig } from "../src/models/index.ts";
import { hiddenGraph, lossGraph, scoringGraph } from "../src/models/graphs.ts";
import { int64, makeBatch } from "../src/runtime/batch.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { parameterCount, readParameters } from "../src/runtime/parameters.ts";
import { createSession } from "../src/runtime/session.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { decoderEquals } from "./support/decoders.ts";
import { largestDifference } from "./support/goldens.ts";

const folder = fileURLToPath(new URL("goldens/llama", import.meta.url));

describe.each([
  "llama",
  "eight-heads",
  "llama3",
  "linear",
  "dynamic",
  "longrope",
  "yarn",
  "mistral",
  "mistral-window",
  "qwen2",
  "qwen2-window",
  "qwen3",
  "qwen3-window",
])("%s equals transformers", (name) => decoderEquals(`${folder}/${name}`));

describe("rotary positions", () => {
  const { llama } = families;
  const read = (name: string, scaling: object = {}): ModelConfig => {
    const config = JSON.parse(readFileSync(`${folder}/${name}/model/config.json`, "utf8"));
    return llama!.parseConfig({ ...config, rope_parameters: { ...config.rope_parameters, ...scaling } }, "here");
  };

  test.each([
    [{ rope_type: "spiral" }, "here: rope_parameters: rope_type: "],
    [{ rope_theta: 0 }, "here: rope_parameters: rope_theta: expected number to be >0, got 0"],
    [{ long_factor: [1, 2] }, "here: rope_parameters: long_factor: expected 4 factors, got [1,2]"],
    [{ short_factor: [1, 2, 0, 4] }, "here: rope_parameters: short_factor.2"],
  ])("%o is refused", (scaling, message) => {
    expect(() => read("longrope", scaling)).toThrow(message);
  });

  test("rows may be as long as the trained length is stretched, and no longer", () => {
    const rows = (tokens: number): { ids: number[][] } => ({ ids: [Array.from({ length: tokens }, () => 4)] });
    for (const name of ["linear", "dynamic"]) {
      expect(llama!.cache!(read(name)).maxTokens).toBe(32);
      expect(makeBatch(rows(32), read(name)).tokens).toBe(32);
      expect(() => makeBatch(rows(33), read(name))).toThrow("expected at most 32 a row, got 33");
    }
    for (const name of ["llama3", "yarn", "longrope"]) expect(llama!.cache!(read(name)).maxTokens).toBe(64);
  });

  test("the trained length may stand beside rope_parameters, and factors follow from it", () => {
    const { rope_parameters, ...config } = read("yarn") as ModelConfig & { rope_parameters: Record<string, unknown> };
    const { factor: _, original_max_position_embeddings, ...scaling } = rope_parameters;
    const onnxOf = (json: object): Uint8Array => toOnnx(scoringGraph(llama!, llama!.parseConfig(json, "here")));
    const beside = onnxOf({ ...config, original_max_position_embeddings, rope_parameters: scaling });
    expect(beside).toEqual(onnxOf({ ...config, rope_parameters }));
  });
});

describe("windows", () => {
  const config = JSON.parse(readFileSync(`${folder}/qwen3-window/model/config.json`, "utf8"));
  const { mistral, qwen3 } = families;
  const seen = (fields: object): unknown => {
    const parsed = qwen3!.parseConfig({ ...config, ...fields }, "here");
    return qwen3!.debug(parsed);
  };

  test.each([
    [{ layer_types: ["full_attention"] }, "here: layer_types: expected 2, as num_hidden_layers says, got 1"],
    [{ use_sliding_window: false }, "here: layer_types: expected full_attention alone, got sliding_attention"],
    [{ sliding_window: null }, "here: layer_types: expected full_attention alone, got sliding_attention"],
    [{ layer_types: ["full_attention", "chunked_attention"] }, "here: layer_types.1"],
  ])("%o is refused", (fields, message) => {
    expect(() => seen(fields)).toThrow(message);
  });

  test.each([
    { layer_types: null, max_window_layers: null },
    { layer_types: null, use_sliding_window: null },
  ])("%o is read", (fields) => {
    expect(seen(fields)).toMatchObject({ num_hidden_layers: 2 });
  });

  test("a model that looks back over few tokens takes as many as it has positions", () => {
    const { sizes, cache } = mistral!;
    expect(cache!(sizes["mistral-7b"]!).maxTokens).toBe(32_768);
  });

  test("packed documents get the losses that each has alone", async () => {
    const { family, config: small, entries } = await openModelFolder(`${folder}/mistral-window/model`);
    const texts = [17, 9].map((length, row) => Array.from({ length }, (_, i) => 4 + ((7 * i + 5 * row) % 37)));
    const lossesOf = async (rows: number[][], documents: number[][]): Promise<number[]> => {
      const graph = lossGraph(family, small, { packed: true, each: true, gradients: false });
      await using session = await createSession(toOnnx(graph), { threads: 1 });
      const parameters = await readParameters(graph, entries, "mistral-window");
      const labels = rows.map((row, r) =>
        row.map((_, t) => (documents[r]![t] === documents[r]![t + 1] ? row[t + 1]! : -1)),
      );
      const columns = rows[0]!.length;
      const outputs = await session.run({
        ids: int64(rows, columns),
        documents: int64(documents, columns),
        labels: int64(labels, columns),
        scale: tensor("float32", [], Float32Array.of(1)),
        ...Object.fromEntries(parameters.tensors),
      });
      return Array.from(outputs["losses"]!.data, Number);
    };
    const numbers = texts.map((text, i) => text.map(() => i));
    const packed = await lossesOf([texts.flat()], [numbers.flat()]);
    const alone = await Promise.all(texts.map((text, i) => lossesOf([text], [numbers[i]!])));
    expect(largestDifference(packed, alone.flat())).toBeLessThan(1e-5);
  });
});

describe("sizes have the published numbers of parameters", () => {
  const count = (size: string): number => {
    const [family, config] = Object.values(families).flatMap((one): [Family, ModelConfig][] =>
      Object.hasOwn(one.sizes, size) ? [[one, one.sizes[size]!]] : [],
    )[0]!;
    return parameterCount(scoringGraph(family, config));
  };
  test.each([
    ["llama-nano", 15_735_168],
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
