/**
 * GGUF of other networks than LLaMA's, GPT-2's and encoders': what comes back from a file, and, where node-llama-cpp is
 * installed (`npm install --no-save node-llama-cpp@3.22.1`), what llama.cpp computes of it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertModel } from "../src/convert.ts";
import { openLlamaCpp } from "../src/llama-cpp.ts";
import type { GalenError } from "../src/errors.ts";
import { loadModel } from "../src/model.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { openScorer } from "../src/retrieval/scorers.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import type { PairTokenizer } from "../src/tokenizers/pairs.ts";
import type { Tokenizer } from "../src/tokenizers/tokenizer.ts";
import { tinyTexts } from "./support/tiny-llama.ts";
import { writeTinyModel } from "./support/tiny-model.ts";

const name = "node-llama-cpp";
const library = await import(name).catch(() => undefined);
if (library === undefined) console.warn(`skipped: ${name} is not installed`);

const folder = mkdtempSync(join(tmpdir(), "galen-gguf-families-"));
afterAll(() => rmSync(folder, { recursive: true }));
const texts = [...tinyTexts, "Unseen words, naïve: 1234567 (IL-2)"];
const types = ["f32", "f16", "q8_0"] as const;

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  largest(Array.from(a, (value, i) => value - b[i]!));

describe.each([
  ["GPT-2", {}],
  ["a GPT-2 whose scores are divided by the layer's number, as BioMedLM's", { scale_attn_by_inverse_layer_idx: true }],
])("%s", (_, config) => {
  const source = mkdtempSync(join(folder, "gpt2-"));
  const pathOf = (type: string): string => join(source, `${type}.gguf`);
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await writeTinyModel(source, "gpt2", { size: "gpt2", tokenizer: "byte-bpe", config });
  });

  test.each(types)("in %s comes back with its tokenizer", async (type) => {
    const [path, back] = [pathOf(type), join(source, type)];
    const { parity } = await convertModel({ source, output: path, type });
    if (type === "f32") expect(parity.difference).toBeLessThan(1e-4 * parity.largest);
    expect(parity.largest).toBeGreaterThan(1);
    expect((await convertModel({ source: path, output: back })).parity.difference).toBe(0);
    for (const place of [path, back]) {
      const found = await loadTokenizer(place);
      for (const text of texts) expect(found.encodeIds(text)).toEqual(tokenizer.encodeIds(text));
    }
  });

  test.runIf(library).each(["f32", "f16"] as const)("in %s gives llama.cpp's logits and greedy ids", async (type) => {
    await using own = await loadModel(pathOf(type), { threads: 1, weights: "float32" });
    const { decoder } = await own.generator();
    await using theirs = await openLlamaCpp(pathOf(type), decoder, { threads: 1, cache: "float32" });
    for (const text of texts) {
      const ids = tokenizer.encodeIds(text);
      const { data } = (await own.forward({ ids: [ids] })).logits;
      using decoding = theirs.start({ rows: 1, capacity: 64 });
      const { scores } = await decoding.prefill([ids], true);
      const found = scores[0]!.flatMap(({ logits }) => [...logits]);
      // GELU is a table of float16's in llama.cpp.
      expect(farthest(found, data)).toBeLessThan((type === "f32" ? 1e-3 : 1e-2) * largest(data));
    }
    await using engine = await loadModel(pathOf(type), { threads: 1, engine: "llama.cpp" });
    const options = { prompts: texts.slice(0, 2), maxNewTokens: 12, eosTokenId: [] };
    expect((await engine.generate(options)).sequences).toEqual((await own.generate(options)).sequences);
  });
});

/** A Sentence Transformers directory with that network. */
async function writeSentences(
  source: string,
  ...model: Parameters<typeof writeTinyModel> extends [string, ...infer R] ? R : never
): Promise<Tokenizer> {
  const tokenizer = await writeTinyModel(source, ...model);
  const module = (idx: number, type: string, path: string): object => ({
    idx,
    name: `${idx}`,
    path,
    type: `sentence_transformers.models.${type}`,
  });
  const modules = [
    module(0, "Transformer", ""),
    module(1, "Pooling", "1_Pooling"),
    module(2, "Normalize", "2_Normalize"),
  ];
  writeFileSync(join(source, "modules.json"), JSON.stringify(modules));
  mkdirSync(join(source, "1_Pooling"));
  writeFileSync(join(source, "1_Pooling/config.json"), JSON.stringify({ pooling_mode_cls_token: true }));
  return tokenizer;
}

const long = `${texts.join(" ")} ${texts.join(" ")}`;

describe.each([
  ["BERT", "bert", { size: "biomedbert-small", tokenizer: "bert", config: { architectures: ["BertModel"] } }],
  ["a BERT with a head", "bert", { size: "biomedbert-small", tokenizer: "bert" }],
  [
    "ModernBERT",
    "modernbert",
    { size: "modernbert-base", tokenizer: "byte-bpe", config: { architectures: ["ModernBertModel"], pad_token_id: 0 } },
  ],
] as const)("%s", (_, modelType, model) => {
  const source = mkdtempSync(join(folder, "sentences-"));
  const pathOf = (type: string): string => join(source, `${type}.gguf`);
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await writeSentences(source, modelType, model);
  });

  test.each(types)("in %s comes back with its tokenizer, and gives the directory's vectors", async (type) => {
    const [path, back] = [pathOf(type), join(source, `back-${type}`)];
    const { parity, notes } = await convertModel({ source, output: path, type });
    if (type === "f32") expect(parity.difference).toBe(0);
    const isHeaded = !("config" in model);
    expect(notes.some((note) => note.includes("head for masked tokens"))).toBe(isHeaded);
    expect((await convertModel({ source: path, output: back })).parity.difference).toBe(0);
    for (const place of [path, back]) {
      const found = await loadTokenizer(place);
      for (const text of texts) expect(found.encodeIds(text)).toEqual(tokenizer.encodeIds(text));
    }
    await using directory = await loadEmbedder(source, { threads: 1 });
    await using file = await loadEmbedder(path, { threads: 1 });
    const [a, b] = [await directory.embed([...texts, long]), await file.embed([...texts, long])];
    const most = { f32: 1e-6, f16: 2e-3, q8_0: 2e-2 }[type];
    for (const [i, vector] of a.entries()) expect(farthest(vector, b[i]!)).toBeLessThan(most);
    expect(farthest(a[0]!, a[1]!)).toBeGreaterThan(0.05);
    // What comes back is a Sentence Transformers directory again, and both score pairs.
    await using again = await loadEmbedder(back, { threads: 1, weights: "float32" });
    await using wide = await loadEmbedder(path, { threads: 1, weights: "float32" });
    const [c, d] = [await again.embed(texts), await wide.embed(texts)];
    for (const [i, vector] of c.entries()) expect(farthest(vector, d[i]!)).toBeLessThan(1e-6);
    await using scorer = await openScorer(path, { threads: 1 });
    expect(scorer.kind).toBe("embeddings");
    expect((await scorer.pairs([[texts[0]!, texts[0]!]]))[0]).toBeCloseTo(1, 4);
  });

  test.runIf(library).each(["f32", "f16"] as const)("in %s gives llama.cpp's vectors", async (type) => {
    const llama = await library.getLlama({
      gpu: false,
      build: "never",
      skipDownload: true,
      logLevel: "error",
      maxThreads: 1,
    });
    const loaded = await llama.loadModel({ modelPath: pathOf(type), gpuLayers: 0 });
    const context = await loaded.createEmbeddingContext({ contextSize: 512, batchSize: 512, threads: 1 });
    await using file = await loadEmbedder(pathOf(type), { threads: 1, weights: "float32" });
    for (const text of [...texts, long]) {
      const [own] = await file.embed([text]);
      const { vector } = await context.getEmbeddingFor(text);
      const length = Math.hypot(...vector);
      // GELU is the tanh's approximation there, from a table of float16's.
      expect(
        farthest(
          vector.map((value: number) => value / length),
          own!,
        ),
      ).toBeLessThan(type === "f32" ? 2e-3 : 5e-3);
    }
    await llama.dispose();
  });
});

test("an encoder's frame of byte pairs comes back: [CLS], [SEP], and the mask", async () => {
  const source = mkdtempSync(join(folder, "framed-"));
  const config = { architectures: ["ModernBertModel"], pad_token_id: 0 };
  await writeTinyModel(source, "modernbert", { size: "modernbert-base", tokenizer: "byte-bpe", config });
  const path = join(source, "tokenizer.json");
  const json = JSON.parse(readFileSync(path, "utf8"));
  const names = ["[CLS]", "[SEP]", "[MASK]"];
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const first = Object.keys(json.model.vocab).length;
  json.added_tokens = [...json.added_tokens, ...names.map((content, i) => ({ id: first + i, content, ...flags }))];
  const special = (id: string, type_id: number): object => ({ SpecialToken: { id, type_id } });
  const text = (id: string, type_id: number): object => ({ Sequence: { id, type_id } });
  json.post_processor = {
    type: "TemplateProcessing",
    single: [special("[CLS]", 0), text("A", 0), special("[SEP]", 0)],
    pair: [special("[CLS]", 0), text("A", 0), special("[SEP]", 0), text("B", 1), special("[SEP]", 1)],
    special_tokens: Object.fromEntries(names.map((id, i) => [id, { id, ids: [first + i], tokens: [id] }])),
  };
  json.normalizer = { type: "NFC" };
  writeFileSync(path, JSON.stringify(json));
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    cls_token: "[CLS]",
    sep_token: "[SEP]",
    mask_token: "[MASK]",
  };
  writeFileSync(join(source, "tokenizer_config.json"), JSON.stringify(settings));
  await convertModel({ source, output: join(source, "framed.gguf"), type: "f32" });
  const [before, after] = [
    await loadTokenizer(source),
    await loadTokenizer(join(source, "framed.gguf")),
  ] as PairTokenizer[];
  for (const one of [...texts, "e\u0301 [MASK]"]) {
    expect(after!.encodeIds(one)).toEqual(before!.encodeIds(one));
    expect(after!.encodePair(one, texts[0]!).ids).toEqual(before!.encodePair(one, texts[0]!).ids);
  }
  expect(after!.encodeIds("cells").at(-1)).toBe(first + 1);
});

test("a GPT-2 with the two older files of its tokenizer is written with it", async () => {
  const source = mkdtempSync(join(folder, "two-files-"));
  await writeTinyModel(source, "gpt2", { size: "gpt2", tokenizer: "byte-bpe" });
  const { model } = JSON.parse(readFileSync(join(source, "tokenizer.json"), "utf8"));
  const merges = model.merges.map((pair: string | string[]) => (typeof pair === "string" ? pair : pair.join(" ")));
  writeFileSync(join(source, "vocab.json"), JSON.stringify(model.vocab));
  writeFileSync(join(source, "merges.txt"), `${["#version: 0.2", ...merges].join("\n")}\n`);
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) rmSync(join(source, name), { force: true });
  const output = join(source, "two.gguf");
  expect((await convertModel({ source, output })).tokenizer).toBe(true);
  const [before, after] = [await loadTokenizer(source), await loadTokenizer(output)];
  for (const text of texts) expect(after.encodeIds(text)).toEqual(before.encodeIds(text));
});

test("what llama.cpp has no network for is refused with what it has", async () => {
  const source = join(import.meta.dirname, "goldens/biogpt/model");
  const error = await convertModel({ source, output: join(folder, "biogpt.gguf") }).catch(
    (one: unknown) => one as GalenError,
  );
  expect((error as GalenError).message).toMatch(
    /to: expected a format that biogpt has besides its own \(fairseq\), got gguf/,
  );
  expect((error as GalenError).hint).toMatch(/gguf has .*bert.*gpt2.*llama.*; write safetensors for the rest/);
});

test("a module that llama.cpp has not is refused, and a file without pooling gives no vectors", async () => {
  const source = mkdtempSync(join(folder, "modules-"));
  const model = { size: "biomedbert-small", tokenizer: "bert", config: { architectures: ["BertModel"] } } as const;
  await writeSentences(source, "bert", model);
  writeFileSync(join(source, "1_Pooling/config.json"), JSON.stringify({ pooling_mode_max_tokens: true }));
  await expect(convertModel({ source, output: join(source, "a.gguf") })).rejects.toThrow(
    /one Pooling \(mean, cls, lasttoken\).*, got max/,
  );
  rmSync(join(source, "modules.json"));
  await convertModel({ source, output: join(source, "b.gguf") });
  await expect(loadEmbedder(join(source, "b.gguf"))).rejects.toThrow(
    /bert\.pooling_type: expected 1 \(mean\).*, got none/,
  );
});
