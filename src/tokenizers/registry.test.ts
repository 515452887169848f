/** Which kind of tokenizer files are, by what they say; and that every other kind is refused by name. */
import { describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { trainBertTokenizer } from "./bert/train.ts";
import { trainBioGptTokenizer } from "./biogpt/train.ts";
import { encodesPairs } from "./pairs.ts";
import { learnableKinds, readTokenizer, trainTokenizer } from "./registry.ts";

const texts = ["Aspirin inhibits cyclooxygenase.", "Warfarin and aspirin raise the risk of bleeding."];
const bioGpt = await trainBioGptTokenizer(texts, { numMerges: 40 });
const bert = await trainBertTokenizer(texts, { vocabSize: 60 });

/** Some files of a tokenizer, and others. */
function filesOf(files: ReadonlyMap<string, string>, names: readonly string[], more: object = {}): Map<string, string> {
  const some = [...files].filter(([name]) => names.includes(name));
  const others = Object.entries(more).map(([name, json]) => [name, JSON.stringify(json)] as const);
  return new Map([...some, ...others]);
}

/** GPT-2's files: byte-level byte pair encoding, whose spaces are "Ġ". */
const gpt2 = new Map([
  ["vocab.json", '{"a":0,"b":1,"Ġa":2,"ab":3,"Ġ":4,"<|endoftext|>":5}'],
  ["merges.txt", "#version: 0.2\na b\nĠ a\n"],
]);
const gpt2Json = {
  version: "1.0",
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
  model: { type: "BPE", vocab: { a: 0, b: 1, Ġa: 2, ab: 3, Ġ: 4 }, merges: ["a b", ["Ġ", "a"]] },
};

describe("readTokenizer", () => {
  test("takes WordPiece for BERT's, by tokenizer.json or by vocab.txt alone", () => {
    for (const name of ["tokenizer.json", "vocab.txt"]) {
      const read = readTokenizer(filesOf(bert.files(), [name]));
      expect(read.family).toBe("bert");
      expect(read.encodeIds(texts[0]!)).toEqual(bert.encodeIds(texts[0]!));
    }
  });

  test("takes byte pair encoding that marks the ends of words for BioGPT's, in either layout", () => {
    for (const files of [filesOf(bioGpt.files(), ["vocab.json", "merges.txt"]), bioGpt.foreign!["fairseq"]!()]) {
      const read = readTokenizer(files);
      expect(read.family).toBe("biogpt");
      expect(read.encodeIds(texts[1]!)).toEqual(bioGpt.encodeIds(texts[1]!));
    }
  });

  test("goes by the class where a folder holds the files of both", () => {
    const both = new Map([
      ...filesOf(bioGpt.files(), ["vocab.json", "merges.txt"]),
      ...filesOf(bert.files(), ["vocab.txt"]),
    ]);
    const as = (tokenizer_class: string): string =>
      readTokenizer(new Map([...both, ["tokenizer_config.json", JSON.stringify({ tokenizer_class })]])).family;
    expect([as("BertTokenizerFast"), as("BioGptTokenizer")]).toEqual(["bert", "biogpt"]);
    const inModel = new Map([...both, ["config.json", JSON.stringify({ tokenizer_class: "BertTokenizer" })]]);
    expect(readTokenizer(inModel).family).toBe("bert");
  });

  test("takes the layout and the pipeline of GPT-2 for byte pair encoding of bytes", () => {
    const config = { "tokenizer_config.json": { tokenizer_class: "GPT2Tokenizer" } };
    for (const files of [
      gpt2,
      filesOf(gpt2, ["vocab.json", "merges.txt"], config),
      filesOf(gpt2, [], { "tokenizer.json": gpt2Json }),
    ]) {
      const read = readTokenizer(files);
      expect(read.family).toBe("byte-bpe");
      expect(read.encodeIds("ab a")).toEqual([3, 2]);
    }
  });

  test("goes by tokenizer.json where the class is of another pipeline", () => {
    const config = {
      "tokenizer_config.json": {
        tokenizer_class: "LlamaTokenizerFast",
        bos_token: "a",
        eos_token: "b",
        unk_token: "a",
      },
    };
    expect(readTokenizer(filesOf(gpt2, [], { "tokenizer.json": gpt2Json, ...config })).family).toBe("byte-bpe");
  });

  test("goes by tokenizer.json where the class says only that there is one", () => {
    const config = { "tokenizer_config.json": { tokenizer_class: "PreTrainedTokenizerFast" } };
    expect(readTokenizer(filesOf(bert.files(), ["tokenizer.json"], config)).family).toBe("bert");
  });

  test.each<[name: string, files: Map<string, string>, message: RegExp]>([
    [
      "a pre-tokenizer that is not understood",
      filesOf(gpt2, [], { "tokenizer.json": { ...gpt2Json, pre_tokenizer: { type: "BertPreTokenizer" } } }),
      /^here\/tokenizer\.json: pre_tokenizer\.type: expected "Sequence" or .*, got "BertPreTokenizer"/,
    ],
    [
      "one in a sequence",
      filesOf(gpt2, [], {
        "tokenizer.json": {
          ...gpt2Json,
          pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "UnicodeScripts" }, { type: "ByteLevel" }] },
        },
      }),
      /pre_tokenizer\.pretokenizers\[0\]\.type: expected .*, got "UnicodeScripts"/,
    ],
    [
      "a model that is not understood",
      filesOf(gpt2, [], { "tokenizer.json": { ...gpt2Json, model: { type: "Unigram", vocab: [] } } }),
      /^here\/tokenizer\.json: model\.type Unigram with pre_tokenizer\.type ByteLevel: not supported/,
    ],
    [
      "another class whose pieces end in </w>",
      filesOf(bioGpt.files(), ["vocab.json", "merges.txt"], { "config.json": { tokenizer_class: "CLIPTokenizer" } }),
      /^here\/config\.json: tokenizer_class: expected .*, got CLIPTokenizer/,
    ],
    [
      "BERT's class with another's pipeline",
      filesOf(gpt2, [], {
        "tokenizer.json": gpt2Json,
        "tokenizer_config.json": { tokenizer_class: "BertTokenizer" },
      }),
      /tokenizer\.json: model\.type: expected "WordPiece", got "BPE"/,
    ],
    [
      "no tokenizer",
      filesOf(gpt2, ["vocab.json"]),
      /^here\/: expected vocab\.json and merges\.txt, .*; got vocab\.json/,
    ],
    ["a damaged configuration", new Map([...gpt2, ["config.json", "{"]]), /^here\/config\.json: expected JSON/],
  ])("refuses %s", (_name, files, message) => {
    expect(() => readTokenizer(files, "here/")).toThrow(DataError);
    expect(() => readTokenizer(files, "here/")).toThrow(message);
  });
});

describe("what a tokenizer says of its pieces", () => {
  test("a piece continues a word by its own mark, or by that of the piece before", () => {
    const wordPieces = bert.encodeIds("aspirins inhibit");
    const words = (ids: readonly number[], { continuesWord }: typeof bert | typeof bioGpt): number =>
      ids.filter((id, i) => i > 0 && !continuesWord(ids[i - 1]!, id)).length;
    expect(bert.tokenOf(wordPieces[2]!)).toMatch(/^##/);
    expect(words(wordPieces, bert)).toBe(3); // two words and [SEP]
    const pieces = bioGpt.encodeIds(texts[0]!);
    expect(pieces.length).toBeGreaterThan(5);
    expect(words(pieces, bioGpt)).toBe(4); // three words and the full stop
  });

  test("whole words have ids, with the vocabulary's mark or without", () => {
    expect(bert.tokenOf(bert.idOfWord("aspirin")!)).toBe("aspirin");
    expect(bioGpt.tokenOf(bioGpt.idOfWord("aspirin")!)).toBe("aspirin</w>");
    expect([bert.idOfWord("heparin"), bioGpt.idOfWord("heparin")]).toEqual([undefined, undefined]);
  });

  test("rows are put behind the vocabulary and are no word of a text", () => {
    const grown = bioGpt.withRows!(["row1", "row2"]);
    expect([grown.idOfWord("row1"), grown.vocabSize]).toEqual([bioGpt.vocabSize, bioGpt.vocabSize + 2]);
    expect(grown.encodeIds("row1 row2").some((id) => id >= bioGpt.vocabSize)).toBe(false);
    expect(bert.withRows).toBeUndefined();
  });

  test("pairs are for those that have a template of them", () => {
    expect([encodesPairs(bert), encodesPairs(bioGpt)]).toEqual([true, false]);
  });
});

describe("trainTokenizer", () => {
  test.each(learnableKinds)("learns %s, which its files give back", async (kind) => {
    const tokenizer = await trainTokenizer(texts, { kind, vocabSize: 400 });
    expect(tokenizer.family).toBe(kind);
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(400);
    expect(readTokenizer(tokenizer.files()).encodeIds(texts[0]!)).toEqual(tokenizer.encodeIds(texts[0]!));
  });

  test.each(learnableKinds)("refuses to learn %s from nothing", async (kind) => {
    for (const blank of [[], ["", " \n"]]) {
      await expect(trainTokenizer(blank, { kind, vocabSize: 400 })).rejects.toThrow(/at least one that is not blank/);
    }
  });

  test("names the kinds where another is asked for", async () => {
    await expect(trainTokenizer(texts, { kind: "gpt2", vocabSize: 80 })).rejects.toThrow(
      /kind: expected one of biogpt, bert.*, got "gpt2"/,
    );
  });
});
