/** Byte pair encoding of every form in a tokenizer.json, against what Hugging Face tokenizers answered. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { createTextStream } from "../../generate/stream.ts";
import { loadTokenizer } from "../files.ts";
import type { PairTokenizer } from "../pairs.ts";
import { readTokenizer } from "../registry.ts";
import { bpeTokenizerFromFiles } from "./bpe-tokenizer.ts";

interface Variant {
  readonly name: string;
  readonly model: string;
  readonly settings: object;
  readonly rest: { readonly pre_tokenizer: unknown };
  /** For each text: ids; each token's start, from that of the one before, and length; the ids decoded. */
  readonly cases: readonly (readonly [ids: number[], places: number[], decoded: string])[];
  readonly pair: readonly [ids: number[], typeIds: number[]];
}

const golden = JSON.parse(
  readFileSync(new URL("../../../test/goldens/bpe-tokenizers.json", import.meta.url), "utf8"),
) as { texts: string[]; models: Record<string, object>; variants: Variant[] };

function filesOf({ model, settings, rest }: Variant): Map<string, string> {
  return new Map([["tokenizer.json", JSON.stringify({ ...rest, model: { ...golden.models[model], ...settings } })]]);
}

function variant(name: string): Variant {
  return golden.variants.find((one) => one.name === name)!;
}

const read = (name: string): PairTokenizer => bpeTokenizerFromFiles(filesOf(variant(name)));

describe.each(golden.variants)("$name", (one) => {
  const tokenizer = readTokenizer(filesOf(one)) as PairTokenizer;

  test("has the reference's ids, offsets and decoded texts", () => {
    golden.texts.forEach((text, i) => {
      const [ids, places, decoded] = one.cases[i]!;
      let start = 0;
      const offsets = ids.map((_, token) => [(start += places[2 * token]!), start + places[2 * token + 1]!]);
      const encoding = tokenizer.encode(text);
      expect({ text, ids: encoding.ids, offsets: encoding.offsets }).toEqual({ text, ids, offsets });
      expect(tokenizer.encodeIds(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    });
    const pair = tokenizer.encodePair("Aspirin", "warfarin 3");
    expect([pair.ids, pair.typeIds]).toEqual(one.pair);
  });

  test("is of the kind that its pre-tokenizer says, and is written as it was read", () => {
    const isBytes = JSON.stringify(one.rest.pre_tokenizer).includes("ByteLevel");
    expect(tokenizer.family).toBe(isBytes ? "byte-bpe" : "metaspace-bpe");
    expect(tokenizer.files()).toEqual(filesOf(one));
  });
});

describe("what a directory's files say", () => {
  const vocab = { "!": 0, a: 1, b: 2, Ġ: 3, ab: 4, Ġa: 5, "<|endoftext|>": 6, "<s>": 7 };
  const layout = (config?: object): Map<string, string> =>
    new Map([
      ["vocab.json", JSON.stringify(vocab)],
      ["merges.txt", "#version: 0.2\na b\nĠ a\n"],
      ...(config === undefined ? [] : [["tokenizer_config.json", JSON.stringify(config)] as const]),
    ]);

  test("GPT-2's layout has GPT-2's pipeline and tokens", () => {
    const tokenizer = readTokenizer(layout());
    expect(tokenizer.special).toEqual({ bos: 6, eos: 6, unk: 6 });
    expect(tokenizer.encodeIds("ab a<|endoftext|>a")).toEqual([4, 5, 6, 1]);
    expect(tokenizer.decode([4, 5, 6], { skipSpecialTokens: true })).toBe("ab a");
    expect(tokenizer.files()).toEqual(layout());
  });

  test("add_bos_token and add_eos_token count where there is no tokenizer.json", () => {
    const config = { tokenizer_class: "GPT2Tokenizer", bos_token: "<s>", add_bos_token: true, add_eos_token: true };
    const tokenizer = readTokenizer(layout(config)) as PairTokenizer;
    expect(tokenizer.frame).toEqual({ before: [7], after: [6] });
    expect(tokenizer.encodePair("a", "b").ids).toEqual([7, 1, 6, 7, 2, 6]);
    const json = { ...variant("GPT-2").rest, added_tokens: [], model: { type: "BPE", vocab, merges: [] } };
    const files = new Map([
      ["tokenizer.json", JSON.stringify(json)],
      ["tokenizer_config.json", JSON.stringify(config)],
    ]);
    expect(readTokenizer(files).frame).toEqual({ before: [], after: [] });
  });

  test("Qwen's class has its own words and tokens, and a token that is missing comes behind the vocabulary", () => {
    const tokenizer = readTokenizer(layout({ tokenizer_class: "Qwen2Tokenizer", eos_token: "<end>" }));
    expect(tokenizer.special).toEqual({ eos: 8, unk: 6, pad: 6 });
    // One word with the space before it: Qwen's expression takes any character there.
    expect(tokenizer.encodeIds("!ab")).toEqual([0, 4]);
    expect(tokenizer.encodeIds("<end>")).toEqual([8]);
  });

  test.each<[name: string, change: (files: Map<string, string>) => void, message: RegExp]>([
    [
      "a merge that is none",
      (files) => files.set("merges.txt", "a b c\n"),
      /merges\.txt, line 1: expected "left right"/,
    ],
    [
      "a merge of what is no token",
      (files) => files.set("merges.txt", "a x\n"),
      /model\.merges\[0\]: expected tokens of/,
    ],
    ["an id that comes twice", (files) => files.set("vocab.json", '{"a":0,"b":1,"ab":1,"Ġ":2,"Ġa":3}'), /id of "ab"/],
    [
      "a flag that is none",
      (files) => files.set("tokenizer_config.json", '{"add_bos_token":"yes"}'),
      /add_bos_token: expected true or false/,
    ],
  ])("refuses %s", (_name, change, message) => {
    const files = layout();
    change(files);
    expect(() => bpeTokenizerFromFiles(files, "here/")).toThrow(message);
  });

  test.each<[part: string, value: unknown, message: RegExp]>([
    ["normalizer", { type: "NFKC" }, /normalizer\.type: expected .*"NFC", got "NFKC"/],
    [
      "normalizer",
      { type: "Replace", pattern: { Regex: "a" }, content: "b" },
      /normalizer\.pattern: expected a String/,
    ],
    ["pre_tokenizer", { type: "Whitespace" }, /pre_tokenizer\.type: expected .*, got "Whitespace"/],
    [
      "pre_tokenizer",
      { type: "Split", pattern: { Regex: "(a+)+b" }, behavior: "Isolated" },
      /a repeated group in \(a\+\)\+b/,
    ],
    ["pre_tokenizer", { type: "Split", pattern: { Regex: "a*+" }, behavior: "Isolated" }, /\*\+ in a\*\+/],
    ["pre_tokenizer", { type: "Split", pattern: { Regex: "\\w+" }, behavior: "Isolated" }, /\\w in/],
    [
      "pre_tokenizer",
      { type: "Split", pattern: { Regex: "a*" }, behavior: "Isolated" },
      /a match of no characters in a\*/,
    ],
    [
      "pre_tokenizer",
      { type: "Split", pattern: { String: "a" }, behavior: "Random" },
      /behavior: expected one of Removed/,
    ],
    ["decoder", { type: "WordPiece" }, /decoder\.type: expected .*, got "WordPiece"/],
    ["post_processor", { type: "Other" }, /post_processor\.type: expected/],
    ["model", { type: "BPE", vocab, merges: [], dropout: 0.1 }, /model\.dropout: expected null, got 0\.1/],
    [
      "model",
      { type: "BPE", vocab, merges: [], unk_token: "<unk>" },
      /model\.unk_token: expected a token of the vocabulary/,
    ],
  ])("names what is not understood in %s %j", (part, value, message) => {
    const json = {
      ...variant("GPT-2").rest,
      added_tokens: [],
      model: { type: "BPE", vocab, merges: [] },
      [part]: value,
    };
    expect(() => bpeTokenizerFromFiles(new Map([["tokenizer.json", JSON.stringify(json)]]), "here/")).toThrow(message);
  });
});

describe("what else a tokenizer does", () => {
  test("words are known by their mark, and go on from piece to piece", () => {
    for (const name of ["GPT-2", "Metaspace first"]) {
      const tokenizer = read(name);
      const wordsOf = (text: string): number => {
        const ids = tokenizer.encodeIds(text).slice(tokenizer.frame.before.length);
        return ids.filter((id, at) => at === 0 || !tokenizer.continuesWord(ids[at - 1]!, id)).length;
      };
      expect(wordsOf("warfarin and heparin mmHg")).toBe(4);
      expect(wordsOf("dose/weight?!")).toBe(4);
      expect(wordsOf("one\ntwo")).toBe(3);
      expect(tokenizer.tokenOf(tokenizer.idOfWord("and")!)).toMatch(/^[Ġ▁]and$/);
      expect(tokenizer.idOfWord("heparin")).toBeUndefined();
    }
  });

  test("rows behind the vocabulary are no word of a text, and are written", () => {
    for (const name of ["Qwen2", "LLaMA 2"]) {
      const plain = read(name);
      const grown = plain.withRows!(["row1", "rów2"]);
      expect([grown.idOfWord("row1"), grown.idOfWord("rów2")]).toEqual([plain.vocabSize, plain.vocabSize + 1]);
      const again = readTokenizer(grown.files());
      expect([again.vocabSize, again.idOfWord("rów2")]).toEqual([plain.vocabSize + 2, plain.vocabSize + 1]);
      for (const one of [grown, again]) {
        for (const text of [...golden.texts, "row1 rów2"]) expect(one.encodeIds(text)).toEqual(plain.encodeIds(text));
      }
    }
    expect(read("Llama 3").withRows).toBeUndefined();
  });

  test("tokens are added behind the vocabulary, and are written", () => {
    const plain = read("SmolLM2");
    const grown = plain.addTokens(["thrombin", { content: "<e1>", special: true }]);
    const again = readTokenizer(grown.files());
    for (const one of [grown, again]) {
      expect(one.encodeIds("a thrombin<e1>").slice(-2)).toEqual([plain.vocabSize, plain.vocabSize + 1]);
      expect(one.decode(one.encodeIds("a thrombin<e1>"), { skipSpecialTokens: true })).toBe("a thrombin");
    }
    expect(() => plain.addTokens([""])).toThrow(/a token that is text/);
  });

  test("an unpaired surrogate counts as U+FFFD", () => {
    const tokenizer = read("GPT-2");
    expect(tokenizer.encode("a\ud800b")).toEqual(tokenizer.encode("a\ufffdb"));
  });

  test("pieces of a character come out as text once it is whole", () => {
    for (const name of ["GPT-2", "LLaMA 2"]) {
      const tokenizer = read(name);
      const stream = createTextStream([], (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }));
      const ids = tokenizer.encodeIds("a 🧪 é 患者 x");
      const parts = ids.map((_, i) => stream({ ids: ids.slice(0, i + 1), ended: i + 1 === ids.length }));
      expect(parts.join("")).toBe("a 🧪 é 患者 x");
      expect(parts.some((part) => part.includes("\ufffd"))).toBe(false);
    }
  });
});

describe.skipIf(!hasShared("data/tokenizers/llama-2"))("LLaMA 2", () => {
  const folder = shared("data/tokenizers/llama-2");

  test("has the ids of the published cases", async () => {
    const tokenizer = await loadTokenizer(folder);
    const texts = readFileSync(`${folder}/cases.inp`, "utf8").split("\n__ggml_vocab_test__\n");
    const lines = readFileSync(`${folder}/cases.out`, "utf8").split("\n").slice(0, texts.length);
    expect(texts.length).toBe(47);
    const expected = lines.map((line) => line.trim().split(/\s+/).filter(Boolean).map(Number));
    expect(texts.map((text) => tokenizer.encodeIds(text))).toEqual(expected.map((ids) => [1, ...ids]));
    expect(tokenizer.special).toEqual({ bos: 1, eos: 2, unk: 0 });
    expect(tokenizer.frame).toEqual({ before: [1], after: [] });
  });
});
