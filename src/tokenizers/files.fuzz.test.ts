/** Any contents of a tokenizer's files: a tokenizer whose ids are its own, or a GalenError of a readable length. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzRuns } from "../../test/support/fuzz.ts";
import { mutatedJson, mutatedText } from "../../test/support/mutations.ts";
import { GalenError } from "../errors.ts";
import { trainBertTokenizer } from "./bert/train.ts";
import { trainBioGptTokenizer } from "./biogpt/train.ts";
import { filesOfSentencePiece, sentencePieceModel } from "./pipeline/sentencepiece.ts";
import { trainByteBpe, trainMetaspaceBpe } from "./pipeline/train.ts";
import { readTokenizer } from "./registry.ts";

const texts = ["The IC50 of aspirin was 5.2 ± 0.3 μM.", "COVID-19 <drug>aspirin</drug> [MASK] 中 🧪"];
const added = { content: "<drug>", lstrip: true, rstrip: false, single_word: false, normalized: true, special: false };

/** The files of a tokenizer whose configuration adds tokens. */
function withAdded(files: Map<string, string>, size: number, special: object): Map<string, string> {
  const config = JSON.parse(files.get("tokenizer_config.json")!) as { added_tokens_decoder?: object };
  const decoder = { ...config.added_tokens_decoder, [String(size)]: added, [String(size + 1)]: { content: "</drug>" } };
  const written = { ...config, ...special, added_tokens_decoder: decoder, extra_special_tokens: ["<x>"] };
  return new Map([...files, ["tokenizer_config.json", JSON.stringify(written)]]);
}

const bert = await trainBertTokenizer(texts, { vocabSize: 90 });
const bioGpt = await trainBioGptTokenizer(texts, { numMerges: 30 });
const plain = (files: Map<string, string>, names: readonly string[]): Map<string, string> =>
  new Map([...files].filter(([name]) => names.includes(name)));
const byteBpe = await trainByteBpe(texts, { vocabSize: 280 });
const characterBpe = await trainMetaspaceBpe(texts, { vocabSize: 310 });
/** With components that learned tokenizers do not have. */
const richer = ((): Map<string, string> => {
  const json = JSON.parse(byteBpe.files().get("tokenizer.json")!) as Record<string, unknown>;
  const regex = "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+(?!\\S)|\\s+";
  const split = { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
  const digits = { type: "Digits", individual_digits: true };
  const byteLevel = { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: false };
  const richer = {
    ...json,
    normalizer: {
      type: "Sequence",
      normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { String: "μ" }, content: "µg" }],
    },
    pre_tokenizer: { type: "Sequence", pretokenizers: [split, digits, byteLevel] },
    post_processor: { type: "Sequence", processors: [byteLevel, json["post_processor"]] },
  };
  return new Map([...byteBpe.files(), ["tokenizer.json", JSON.stringify(richer)]]);
})();
const folders: [name: string, files: Map<string, string>][] = [
  [
    "BERT's, by tokenizer.json",
    withAdded(plain(bert.files(), ["tokenizer.json", "tokenizer_config.json"]), bert.vocabSize, {}),
  ],
  [
    "BERT's, by vocab.txt",
    withAdded(plain(bert.files(), ["vocab.txt", "tokenizer_config.json"]), bert.vocabSize, { mask_token: added }),
  ],
  [
    "BERT's, with the older files",
    new Map([
      ...plain(bert.files(), ["vocab.txt", "special_tokens_map.json"]),
      ["added_tokens.json", JSON.stringify({ "<drug>": bert.vocabSize })],
    ]),
  ],
  ["byte pair encoding of bytes", withAdded(byteBpe.files(), byteBpe.vocabSize, {})],
  ["byte pair encoding of many components", withAdded(richer, byteBpe.vocabSize, {})],
  ["byte pair encoding of characters", withAdded(characterBpe.files(), characterBpe.vocabSize, {})],
  [
    "GPT-2's layout",
    new Map([
      [
        "vocab.json",
        JSON.stringify(
          Object.fromEntries(Array.from({ length: byteBpe.vocabSize }, (_, id) => [byteBpe.tokenOf(id)!, id])),
        ),
      ],
      ["merges.txt", "#version: 0.2\n"],
      [
        "tokenizer_config.json",
        JSON.stringify({
          tokenizer_class: "GPT2Tokenizer",
          add_bos_token: true,
          added_tokens_decoder: { [byteBpe.vocabSize]: added },
        }),
      ],
    ]),
  ],
  ["BioGPT's", withAdded(bioGpt.files(), bioGpt.vocabSize, { mask_token: "<mask>" })],
  [
    "BioGPT's, with the older files",
    new Map([
      ...plain(bioGpt.files(), ["vocab.json", "merges.txt", "special_tokens_map.json"]),
      ["added_tokens.json", JSON.stringify({ "<drug>": bioGpt.vocabSize })],
    ]),
  ],
];

test.each(folders)("%s", (_name, files) => {
  const whole = readTokenizer(files);
  expect(whole.encodeIds(texts[1]!)).toContain(whole.idOf("<drug>"));
  const names = [...files.keys()];
  const changes = names.map((name) => {
    const text = files.get(name)!;
    const inJson = name.endsWith(".json")
      ? mutatedJson(JSON.parse(text)).map((json) => JSON.stringify(json) ?? "")
      : undefined;
    return (inJson === undefined ? mutatedText(text) : fc.oneof(inJson, inJson, mutatedText(text))).map(
      (contents) => [name, contents] as const,
    );
  });
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(...changes), ([name, contents]) => {
      try {
        const tokenizer = readTokenizer(new Map(files).set(name, contents), "here/");
        for (const text of texts) {
          const { ids, offsets } = tokenizer.encode(text);
          expect(tokenizer.encodeIds(text)).toEqual(ids);
          expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize)).toBe(true);
          expect(offsets.every(([start, end]) => start >= 0 && start <= end && end <= text.length)).toBe(true);
          tokenizer.decode(ids, { skipSpecialTokens: true });
        }
        const again = readTokenizer(tokenizer.files());
        expect(again.encodeIds(texts[1]!)).toEqual(tokenizer.encodeIds(texts[1]!));
        read += 1;
      } catch (error) {
        if (!(error instanceof GalenError)) throw error;
        expect(error.message.length).toBeLessThan(2000);
      }
    }),
    fuzzRuns(1000),
  );
  expect(read).toBeGreaterThan(0);
});

test("SentencePiece's models", () => {
  const whole = sentencePieceModel(characterBpe.files());
  const change = fc.record({ at: fc.nat(whole.length - 1), kind: fc.nat(3), byte: fc.nat(255) });
  let read = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let bytes = Uint8Array.from(whole);
      for (const { at, kind, byte } of changes) {
        if (kind < 2 && at < bytes.length) bytes[at] = kind === 0 ? byte : bytes[at]! ^ (1 << (byte & 7));
        else if (kind === 2) bytes = bytes.slice(0, at);
        else bytes = Uint8Array.of(...bytes.slice(0, at), byte, ...bytes.slice(at));
      }
      try {
        const tokenizer = readTokenizer(filesOfSentencePiece(bytes, new Map(), "here/"), "here/");
        for (const text of texts) {
          const ids = tokenizer.encodeIds(text);
          expect(ids.every((id) => id >= 0 && id < tokenizer.vocabSize)).toBe(true);
          tokenizer.decode(ids);
        }
        read += 1;
      } catch (error) {
        if (!(error instanceof GalenError)) throw error;
        expect(error.message.length).toBeLessThan(2000);
      }
    }),
    fuzzRuns(2000),
  );
  expect(read).toBeGreaterThan(0);
});
