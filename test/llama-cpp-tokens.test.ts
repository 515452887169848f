/**
 * Vocabularies that are written into GGUF, by llama.cpp's own tokenizers: the ids that ours gives. Skips where
 * node-llama-cpp is not installed (`npm install --no-save node-llama-cpp@3.22.1`).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertModel } from "../src/convert.ts";
import { readTexts } from "../src/corpus/texts.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import type { Tokenizer } from "../src/tokenizers/tokenizer.ts";
import { hasShared, shared } from "./support/shared.ts";
import { writeTinyModel } from "./support/tiny-model.ts";

const name = "node-llama-cpp";
const library = await import(name).catch(() => undefined);
if (library === undefined) console.warn(`skipped: ${name} is not installed`);
const isReady = library !== undefined && hasShared("data/tokenizers");

const folder = mkdtempSync(join(tmpdir(), "galen-llama-cpp-tokens-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hard = [
  "It’s 37 °C: naïve T-cells (CD4+) died.\n\n\tDONE  at 12345678 mg/kg, p<0.001…",
  "  two spaces,\ttab\r\nand a line; don't, I'LL, we'Ve",
  "αβγ-catenin ﬁbrosis 漢字 かな العربية हिन्दी 🧬🏥",
  "x".repeat(70),
  "IL-2/IL-6: 1,000.5 ± 0.3 µg·mL⁻¹ (95% CI: −1.2 to 3.4)",
  " ",
  "\n\n\n",
];
/** llama.cpp composes nothing, where Qwen's tokenizer does, and takes no Hangul apart, where BERT's does. */
const composed = ["e\u0301\u200b", "한국어"];
const corpora = ["abstracts", "clinical-dialogues", "nursing-textbooks", "pmc-mixed"];
const texts = [...hard];

beforeAll(async () => {
  for (const corpus of isReady ? corpora : []) {
    let count = 0;
    for await (const { text } of readTexts(shared(`data/corpus/${corpus}.jsonl.zst`))) {
      texts.push(text.slice(0, 1500));
      if (++count === 40) break;
    }
  }
});

/** A model's tokenizer, and llama.cpp's of the GGUF file made of it. */
async function both(
  source: string,
): Promise<{ own: Tokenizer; theirs: (text: string) => number[]; end: () => Promise<void> }> {
  const path = join(source, "words.gguf");
  await convertModel({ source, output: path, type: "f16" });
  const llama = await library.getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: "error",
    maxThreads: 1,
  });
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0, vocabOnly: true });
  return { own: await loadTokenizer(path), theirs: (text) => model.tokenize(text), end: () => llama.dispose() };
}

function bare({ frame }: Tokenizer, ids: readonly number[]): number[] {
  return ids.slice(frame.before.length, ids.length - frame.after.length);
}

describe.runIf(isReady)("llama.cpp's tokenizers", () => {
  test("SentencePiece's pieces, LLaMA 2's", async () => {
    const source = join(folder, "pieces");
    const place = shared("data/tokenizers/llama-2");
    await writeTinyModel(source, "llama", { size: "llama-nano", tokenizer: place });
    const { own, theirs, end } = await both(source);
    const cases = readFileSync(join(place, "cases.inp"), "utf8").split("\n__ggml_vocab_test__\n");
    for (const text of [...texts, ...composed, ...cases]) {
      if (text !== "") expect({ text, ids: theirs(text) }).toEqual({ text, ids: bare(own, own.encodeIds(text)) });
    }
    await end();
  });

  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const words = (digits: string): string =>
    String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
  const split = (Regex: string): object => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
  test.each([
    ["GPT-2's words", { ...bytes, use_regex: true }],
    [
      "SmolLM's words",
      {
        type: "Sequence",
        pretokenizers: [
          { type: "Digits", individual_digits: true },
          { ...bytes, use_regex: true },
        ],
      },
    ],
    [
      "Llama 3's words",
      { type: "Sequence", pretokenizers: [split(words(String.raw`\p{N}{1,3}`)), { ...bytes, use_regex: false }] },
    ],
    [
      "Qwen's words",
      { type: "Sequence", pretokenizers: [split(words(String.raw`\p{N}`)), { ...bytes, use_regex: false }] },
    ],
  ])("bytes in %s", async (words, pre_tokenizer) => {
    const isComposed = words.startsWith("Qwen");
    const source = mkdtempSync(join(folder, "bytes-"));
    await writeTinyModel(source, "gpt2", { size: "gpt2", tokenizer: "byte-bpe", texts: texts.slice(hard.length) });
    const path = join(source, "tokenizer.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), pre_tokenizer, normalizer: null }));
    const { own, theirs, end } = await both(source);
    for (const text of isComposed ? texts : [...texts, ...composed])
      expect({ text, ids: theirs(text) }).toEqual({ text, ids: bare(own, own.encodeIds(text)) });
    await end();
  });

  test("WordPiece, BERT's", async () => {
    const source = join(folder, "words");
    await writeTinyModel(source, "bert", {
      size: "biomedbert-small",
      tokenizer: shared("data/tokenizers/pubmedbert"),
    });
    const { own, theirs, end } = await both(source);
    for (const text of texts)
      expect({ text, ids: theirs(text) }).toEqual({ text, ids: bare(own, own.encodeIds(text)) });
    await end();
  });
});
