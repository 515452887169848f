/** Damaged, hostile and unsupported tokenizer files end in an error that names the file and the field. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../errors.ts";
import type { PairTokenizer } from "../pairs.ts";
import { bertTokenizerFromFiles } from "./bert.ts";

const vocabulary = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  "cell",
  "##s",
  "10",
  "##0",
  "toString",
  "__proto__",
  ".",
];
const text = vocabulary.join("\n");

function load(files: { [name: string]: string }): PairTokenizer {
  return bertTokenizerFromFiles(new Map(Object.entries(files)));
}

const whole = load({ "vocab.txt": text }).files().get("tokenizer.json")!;

/** tokenizer.json with the value at `path` replaced; undefined takes the field out. */
function changed(path: string, value: unknown): string {
  const root = JSON.parse(whole) as { [key: string]: unknown };
  const names = path.split("/");
  let at = root;
  for (const name of names.slice(0, -1)) at = at[name] as { [key: string]: unknown };
  const last = names.at(-1)!;
  if (value === undefined) delete at[last];
  else Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
  return JSON.stringify(root);
}

describe("reading tokenizer.json", () => {
  it.each<[path: string, value: unknown, message: RegExp]>([
    ["version", "2.0", /version: expected "1\.0", got "2\.0"/],
    ["surprise", 1, /surprise: expected no such field, got 1/],
    ["__proto__", { admin: true }, /__proto__: expected no such field/],
    ["model", undefined, /model: expected an object, got nothing/],
    ["model/type", "BPE", /model\.type: expected "WordPiece", got "BPE"/],
    ["model/vocab", [], /model\.vocab: expected an object, got \[\]/],
    ["model/vocab/cell", 4, /id of "cell": expected an id of its own, not that of "\[MASK\]", got 4/],
    ["model/vocab/cell", "5", /model\.vocab\["cell"\]: expected an id, a whole number from 0, got "5"/],
    ["model/vocab/cell", -1, /got -1/],
    ["model/vocab/cell", 1e9, /id of "cell": expected ids 0 to 11 for 12 tokens, got 1000000000/],
    ["model/vocab/cell", undefined, /expected ids 0 to 10 for 11 tokens, got 11/],
    ["model/vocab/[CLS]", 3, /added token "\[CLS\]": expected id 3, as in the vocabulary, got 2/],
    ["model/vocab/\ud800", 12, /expected a token that is text/],
    ["model/unk_token", "<unk>", /token "<unk>": expected it in the vocabulary/],
    ["model/max_input_chars_per_word", 1.5, /max_input_chars_per_word: expected a whole number from 0, got 1\.5/],
    ["model/dropout", 0.1, /model\.dropout: expected no such field/],
    [
      "normalizer",
      { type: "Sequence", normalizers: [] },
      /normalizer\.type: expected "BertNormalizer", got "Sequence"/,
    ],
    ["normalizer/lowercase", "yes", /normalizer\.lowercase: expected true or false, got "yes"/],
    ["normalizer/strip_accents", 1, /normalizer\.strip_accents: expected true or false, got 1/],
    ["normalizer/strip_dots", true, /normalizer\.strip_dots: expected no such field/],
    ["pre_tokenizer/type", "ByteLevel", /pre_tokenizer\.type: expected "BertPreTokenizer", got "ByteLevel"/],
    ["pre_tokenizer", null, /pre_tokenizer: expected an object, got null/],
    [
      "post_processor/type",
      "RobertaProcessing",
      /post_processor\.type: expected "TemplateProcessing" or "BertProcessing"/,
    ],
    ["post_processor/single", [], /post_processor\.single: expected the sequences A, once each, got ""/],
    [
      "post_processor/single/0",
      { SpecialToken: { id: "[BOS]", type_id: 0 } },
      /expected a token of special_tokens, got "\[BOS\]"/,
    ],
    ["post_processor/special_tokens/[CLS]/ids", [7], /expected the id of "\[CLS\]" in the vocabulary \(2\), got 7/],
    ["post_processor/special_tokens/[CLS]/ids", null, /expected ids and tokens, lists of one length/],
    ["padding", 8, /padding: expected an object, got 8/],
    ["decoder/type", "ByteLevel", /decoder\.type: expected "WordPiece"/],
    ["added_tokens", null, /added_tokens: expected a list, got null/],
    ["added_tokens/0/content", "", /added_tokens\[0\]\.content: expected a token that is text/],
    ["added_tokens/0/id", "0", /added_tokens\[0\]\.id: expected a whole number/],
    ["added_tokens/1/content", "[PAD]", /added token "\[PAD\]": expected id 0, as in the vocabulary, got 1/],
  ])("refuses %s = %o", (path, value, message) => {
    const read = () => load({ "tokenizer.json": changed(path, value) });
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^tokenizer\.json: [^]*\nHint: /);
  });

  it("refuses every truncation of the file", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(() => load({ "tokenizer.json": whole.slice(0, length) })).toThrow(DataError);
      }),
    );
  });

  it("reads a file with one value changed, or refuses it with a DataError", () => {
    const spots = [...whole.matchAll(/: ("[^"]*"|\d+|true|false|null|\[|\{)/g)].map((match) => match.index + 2);
    const values = fc.constantFrom('"x"', "-1", "null", "true", "7", "1e99", "[]", "{}", '{"__proto__": 1}', "");
    fc.assert(
      fc.property(fc.constantFrom(...spots), values, (spot, value) => {
        const rest = whole.slice(spot).replace(/^("[^"]*"|\d+|true|false|null)/, "");
        try {
          load({ "tokenizer.json": whole.slice(0, spot) + value + rest }).encode("cells 100 [MASK].");
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes tokens named like properties of objects for what they are", () => {
    const tokenizer = load({ "tokenizer.json": whole });
    expect(tokenizer.idOf("__proto__")).toBe(10);
    expect(tokenizer.idOf("constructor")).toBeUndefined();
    expect(load({ "tokenizer.json": whole }).files().get("tokenizer.json")).toBe(whole);
  });

  it("reads BertProcessing, files without a model type, and files without normalizer, template and decoder", () => {
    const processing = { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] };
    expect(load({ "tokenizer.json": changed("post_processor", processing) }).encodeIds("cells")).toEqual([2, 5, 6, 3]);
    expect(load({ "tokenizer.json": changed("model/type", undefined) }).encodeIds("cells")).toEqual([2, 5, 6, 3]);
    const bare = JSON.parse(whole) as { [key: string]: unknown };
    const plain = load({
      "tokenizer.json": JSON.stringify({ ...bare, normalizer: null, post_processor: null, decoder: null }),
    });
    expect(plain.encodeIds("cells Cell")).toEqual([5, 6, 1]);
    expect(plain.encodePair("cell", "10").typeIds).toEqual([0, 1]);
    expect(plain.decode([5, 6])).toBe("cell ##s");
  });
});

describe("reading vocab.txt and configurations", () => {
  it.each<[files: { [name: string]: string }, message: RegExp]>([
    [{}, /expected tokenizer\.json or vocab\.txt, got no file/],
    [{ "vocab.txt": "" }, /^vocab\.txt: token "\[UNK\]": expected it in the vocabulary/],
    [{ "vocab.txt": text.slice(0, 12) }, /^vocab\.txt: token "\[CLS\]": expected it in the vocabulary/],
    [{ "vocab.txt": text.replace("cell", "") }, /^vocab\.txt: line 6: expected a token, got "an empty line"/],
    [
      { "vocab.txt": text.replace("cell", "10") },
      /^vocab\.txt: line 8: expected a token that is not on line 6 already, got "10"/,
    ],
    [{ "vocab.txt": `\uFEFF${text}` }, /^vocab\.txt: line 1: expected a token, got "a byte order mark"/],
    [{ "vocab.txt": text, "tokenizer_config.json": "{" }, /^tokenizer_config\.json: expected JSON/],
    [
      { "vocab.txt": text, "tokenizer_config.json": "[]" },
      /^tokenizer_config\.json: the file: expected an object, got \[\]/,
    ],
    [
      { "vocab.txt": text, "tokenizer_config.json": '{"do_lower_case": "no"}' },
      /do_lower_case: expected true or false, got "no"/,
    ],
    [
      { "vocab.txt": text, "tokenizer_config.json": '{"__proto__": {"do_lower_case": false}}' },
      /__proto__: expected no such field/,
    ],
    [{ "vocab.txt": text, "tokenizer_config.json": '{"cls_token": 3}' }, /cls_token: expected a token, got 3/],
    [
      { "vocab.txt": text, "tokenizer_config.json": '{"added_tokens_decoder": {"40": {"content": "x"}}}' },
      /id of "x": expected ids 0 to 12/,
    ],
    [
      { "vocab.txt": text, "tokenizer_config.json": '{"added_tokens_decoder": {"x": {"content": "x"}}}' },
      /id: expected a whole number/,
    ],
    [
      { "vocab.txt": text, "special_tokens_map.json": '{"unk_token": "<unk>"}' },
      /token "<unk>": expected it in the vocabulary/,
    ],
    [{ "vocab.txt": text, "added_tokens.json": '{"x": "12"}' }, /^added_tokens\.json: x\.id: expected a whole number/],
    [
      { "tokenizer.json": whole, "tokenizer_config.json": '{"do_lower_case": false}' },
      /do_lower_case: expected true, as in tokenizer\.json/,
    ],
  ])("refuses %j", (files, message) => {
    expect(() => load(files)).toThrow(DataError);
    expect(() => load(files)).toThrow(message);
  });

  it("follows tokenizer_config.json, and writes what gives the same tokenizer", () => {
    const config = {
      do_lower_case: false,
      model_max_length: 512,
      cls_token: { content: "[MASK]", lstrip: false },
      added_tokens_decoder: { "12": { content: "[ENT]", special: true, lstrip: true } },
    };
    const tokenizer = load({ "vocab.txt": text, "tokenizer_config.json": JSON.stringify(config) });
    expect(tokenizer.encodeIds("cell [ENT] Cell")).toEqual([4, 5, 12, 1, 3]);
    const files = tokenizer.files();
    expect(JSON.parse(files.get("tokenizer_config.json")!)).toMatchObject({
      do_lower_case: false,
      model_max_length: 512,
    });
    for (const without of ["tokenizer.json", "vocab.txt"]) {
      const again = bertTokenizerFromFiles(new Map([...files].filter(([name]) => name !== without)));
      expect(again.encode("cell [ENT] Cell")).toEqual(tokenizer.encode("cell [ENT] Cell"));
      expect(again.files()).toEqual(files);
    }
  });

  it("reads the older added_tokens.json", () => {
    const tokenizer = load({ "vocab.txt": text, "added_tokens.json": '{"[q] ": 12}' });
    expect(tokenizer.encodeIds("[Q] cell")).toEqual([2, 12, 5, 3]);
    expect(tokenizer.vocabSize).toBe(13);
  });
});
