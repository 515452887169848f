/** Sentence embeddings against sentence-transformers (scripts/goldens/retrieval.py), both schemas, written and read. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readTensor } from "../src/checkpoints/safetensors.ts";
import { cosines, loadEmbedder } from "../src/retrieval/embedder.ts";
import { saveSentenceFolder } from "../src/retrieval/sentence-write.ts";

const folder = fileURLToPath(new URL("goldens/retrieval", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const texts = goldens.texts as string[];
const options = { threads: 1 } as const;
const scratch = await mkdtemp(join(tmpdir(), "galen-embedder-"));
afterAll(() => rm(scratch, { recursive: true }));

function largestDifference(rows: readonly Float32Array[], expected: readonly number[]): number {
  const actual = rows.flatMap((row) => [...row]);
  expect(actual.length).toBe(expected.length);
  return Math.max(...actual.map((x, i) => Math.abs(x - expected[i]!)));
}

/** A copy of a golden directory with JSON files replaced. */
async function changed(name: string, files: Record<string, unknown>): Promise<string> {
  const copy = await mkdtemp(join(scratch, name));
  await cp(`${folder}/${name}`, copy, { recursive: true });
  for (const [path, json] of Object.entries(files)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), JSON.stringify(json));
  }
  return copy;
}

describe("vectors equal sentence-transformers'", () => {
  test.each(["mean", "every", "prompt"])("%s", async (name) => {
    await using embedder = await loadEmbedder(`${folder}/${name}`, options);
    for (const batchSize of [1, 3, 32]) {
      const vectors = await embedder.embed(texts, { batchSize });
      expect(vectors[0]!.length).toBe(embedder.width);
      expect(largestDifference(vectors, goldens.embeddings[name])).toBeLessThan(1e-4);
    }
  });

  test("without the default prompt", async () => {
    await using embedder = await loadEmbedder(`${folder}/prompt`, options);
    const vectors = await embedder.embed(texts, { prompt: "" });
    expect(largestDifference(vectors, goldens.embeddings["prompt, none"])).toBeLessThan(1e-4);
    const named = await embedder.embed(texts, { promptName: "document" });
    expect(largestDifference(named, goldens.embeddings["prompt, none"])).toBeLessThan(1e-4);
    await expect(embedder.embed(texts, { promptName: "passage" })).rejects.toThrow(
      'one of query, document, got "passage"',
    );
  });
});

describe("linear layers in eight bits", () => {
  const cosinesOf = async (name: string, batchSize: number, order = texts): Promise<ReturnType<typeof cosines>> => {
    await using exact = await loadEmbedder(`${folder}/${name}`, options);
    await using int8 = await loadEmbedder(`${folder}/${name}`, { ...options, weights: "int8" });
    return cosines(await exact.embed(texts), restored(await int8.embed(order, { batchSize }), order));
  };
  const restored = (vectors: Float32Array[], order: readonly string[]): Float32Array[] =>
    texts.map((text) => vectors[order.indexOf(text)]!);

  test.each(["mean", "every", "prompt"])("%s: the vectors are those of float32 but for rounding", async (name) => {
    const { least, texts: count } = await cosinesOf(name, 32);
    expect(count).toBe(texts.length);
    expect(least).toBeGreaterThan(0.99);
    expect(least).toBeLessThan(1 - 1e-9); // it is not the float32 network
  });

  test("in any order and batch, within 0.99 of the float32 vectors", async () => {
    for (const batchSize of [1, 3]) expect((await cosinesOf("mean", batchSize)).least).toBeGreaterThan(0.99);
    expect((await cosinesOf("mean", 2, texts.toReversed())).least).toBeGreaterThan(0.99);
  });

  test("a device without eight-bit products is refused", async () => {
    await expect(loadEmbedder(`${folder}/mean`, { weights: "int8", device: "webgpu" })).rejects.toThrow(
      "weights in int8: expected device cpu, got webgpu",
    );
  });
});

const newTypes = (...names: [path: string, type: string][]): unknown =>
  [["", "base.modules.transformer.Transformer"], ...names].map(([path, type], idx) => ({
    idx,
    name: String(idx),
    path,
    type: `sentence_transformers.${type}`,
  }));
const newTransformer = {
  transformer_task: "feature-extraction",
  modality_config: { text: { method: "forward", method_output_name: "last_hidden_state" } },
  module_output_name: "token_embeddings",
};

describe("the schema from 5.4 gives the same vectors", () => {
  test("one mode, a dense layer, normalisation", async () => {
    const dense = JSON.parse(await readFile(`${folder}/mean/2_Dense/config.json`, "utf8"));
    const tokenizer = JSON.parse(await readFile(`${folder}/mean/tokenizer_config.json`, "utf8"));
    const copy = await changed("mean", {
      "modules.json": newTypes(
        ["1_Pooling", "sentence_transformer.modules.pooling.Pooling"],
        ["2_Dense", "base.modules.dense.Dense"],
        ["3_Normalize", "sentence_transformer.modules.normalize.Normalize"],
      ),
      "sentence_bert_config.json": newTransformer,
      "tokenizer_config.json": { ...tokenizer, model_max_length: 24 },
      "1_Pooling/config.json": { embedding_dimension: 32, pooling_mode: "mean", include_prompt: true },
      "2_Dense/config.json": {
        ...dense,
        module_input_name: "sentence_embedding",
        module_output_name: "sentence_embedding",
      },
      "3_Normalize/config.json": { module_input_name: "sentence_embedding", module_output_name: "sentence_embedding" },
    });
    await using embedder = await loadEmbedder(copy, options);
    expect(largestDifference(await embedder.embed(texts), goldens.embeddings["mean"])).toBeLessThan(1e-4);
  });

  test("several modes are concatenated in the order given", async () => {
    const modes = ["lasttoken", "weightedmean", "mean_sqrt_len_tokens", "mean", "max", "cls"];
    const copy = await changed("every", {
      "modules.json": newTypes(["1_Pooling", "sentence_transformer.modules.pooling.Pooling"]),
      "sentence_bert_config.json": newTransformer,
      "1_Pooling/config.json": { embedding_dimension: 32, pooling_mode: modes },
    });
    await using embedder = await loadEmbedder(copy, options);
    const vectors = await embedder.embed(texts);
    const order = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"];
    const restored = vectors.map((row) =>
      Float32Array.from(
        order.flatMap((mode) => [...row.subarray(32 * modes.indexOf(mode), 32 * (modes.indexOf(mode) + 1))]),
      ),
    );
    expect(largestDifference(restored, goldens.embeddings["every"])).toBeLessThan(1e-4);
  });
});

test("a directory written here gives the same vectors and the same files' meaning", async () => {
  for (const name of ["mean", "every", "prompt"]) {
    await using embedder = await loadEmbedder(`${folder}/${name}`, options);
    const { model, stages, entries, maxTokens, prompts, defaultPrompt } = embedder.folder;
    const parameters = new Map(
      await Promise.all([...entries].map(async ([key, entry]) => [key, await readTensor(entry)] as const)),
    );
    const copy = join(scratch, `written-${name}`);
    const description = { stages, width: 32, maxTokens, prompts, defaultPrompt };
    await saveSentenceFolder(copy, { config: model.config, tokenizer: embedder.tokenizer, parameters }, description);
    await using again = await loadEmbedder(copy, options);
    expect(again.folder.stages).toEqual(stages);
    expect(largestDifference(await again.embed(texts), goldens.embeddings[name])).toBeLessThan(1e-4);
  }
});

describe("what is not understood is refused, never skipped", () => {
  const modules = (type: string, path = "1_X"): unknown => [
    { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
    { idx: 1, name: "1", path, type },
  ];
  test.each([
    ["a module", "modules.json", modules("sentence_transformers.models.LSTM"), "got sentence_transformers.models.LSTM"],
    ["code of one's own", "modules.json", modules("custom.Pooling"), "got custom.Pooling"],
    ["a path outside", "modules.json", modules("sentence_transformers.models.Pooling", "../x"), 'got "../x"'],
    [
      "an activation",
      "2_Dense/config.json",
      { in_features: 32, out_features: 20, activation_function: "os.system" },
      "got os.system",
    ],
    [
      "a width",
      "2_Dense/config.json",
      { in_features: 16, out_features: 20 },
      "expected 32, the width before it, got 16",
    ],
    ["a mode", "1_Pooling/config.json", { pooling_mode: "median" }, "pooling_mode"],
    ["no mode", "1_Pooling/config.json", { word_embedding_dimension: 32 }, "expected one of cls"],
    [
      "wiring",
      "2_Dense/config.json",
      { in_features: 32, out_features: 20, module_input_name: "token_embeddings" },
      "expected sentence_embedding here",
    ],
    ["a task", "sentence_bert_config.json", { transformer_task: "text-generation" }, "transformer_task"],
  ])("%s", async (_, path, json, message) => {
    await expect(loadEmbedder(await changed("mean", { [path]: json }), options)).rejects.toThrow(message);
  });
});
