/** SentencePiece's models of byte pair encoding, read and written, against the ids that its library gives. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { loadTokenizer } from "../files.ts";
import { readTokenizer } from "../registry.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { messageWriter } from "./protobuf.ts";
import { filesOfSentencePiece, sentencePieceModel } from "./sentencepiece.ts";
import { trainByteBpe, trainMetaspaceBpe } from "./train.ts";

const { sentencepiece: golden, learned } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/bpe-tokenizers.json", import.meta.url), "utf8"),
) as {
  sentencepiece: { texts: string[]; ids: number[][][]; models: string[] };
  learned: { corpus: string[] };
};
const [plain, own] = golden.models.map((model) => Uint8Array.from(Buffer.from(model, "base64")));

/** A model of one piece, with these settings of trainer and normalizer. */
function small(trainer: readonly [number, number][], normalizer: readonly [number, number][] = [[4, 0]]): Uint8Array {
  const message = (fields: readonly [number, number][]): Uint8Array => {
    const writer = messageWriter();
    for (const [number, value] of fields) writer.varint(number, value);
    return writer.done();
  };
  const piece = messageWriter();
  piece.bytes(1, "a");
  const file = messageWriter();
  file.bytes(1, piece.done());
  file.bytes(2, message(trainer));
  file.bytes(3, message(normalizer));
  return file.done();
}

const readModel = (bytes: Uint8Array, config: object = {}): Tokenizer =>
  readTokenizer(filesOfSentencePiece(bytes, new Map([["tokenizer_config.json", JSON.stringify(config)]]), "here/"));

describe("filesOfSentencePiece", () => {
  test("gives the library's ids", () => {
    const tokenizer = readModel(plain!, { add_bos_token: false });
    expect(golden.texts.map((text) => tokenizer.encodeIds(text))).toEqual(golden.ids[0]);
    expect(tokenizer.special).toEqual({ unk: 0, bos: 1, eos: 2 });
  });

  test("and with pieces of the user's", () => {
    const tokenizer = readModel(own!, { add_bos_token: false });
    expect(golden.texts.map((text) => tokenizer.encodeIds(text))).toEqual(golden.ids[1]);
    expect(tokenizer.special).toEqual({ unk: 0, bos: 1, eos: 2, pad: 3 });
    expect(tokenizer.encodeIds("<drug>")).toEqual([tokenizer.idOf("<drug>")]);
  });

  test("frames texts as its configuration says", () => {
    expect(readModel(plain!).frame).toEqual({ before: [1], after: [] });
    expect(readModel(plain!, { add_bos_token: false, add_eos_token: true }).frame).toEqual({ before: [], after: [2] });
    const after = (config: object): (string | undefined)[] => {
      const tokenizer = readModel(plain!, config);
      return tokenizer.encodeIds("a</s>a").map((id) => tokenizer.tokenOf(id));
    };
    expect(after({ legacy: false })).toEqual(["<s>", "▁a", "</s>", "a"]);
    expect(after({})).toEqual(["<s>", "▁a", "</s>", "▁a"]);
  });

  test("refuses what is no model of byte pair encoding, by name", () => {
    const expected = /^here\/tokenizer\.model: expected a BPE model, got unigram/;
    expect(() => readModel(small([]))).toThrow(expected);
    expect(() => readModel(small([[3, 1]]))).toThrow(expected);
    expect(() => readModel(small([[3, 3]]))).toThrow(/got word/);
    expect(() => readModel(small([[3, 2]], []))).toThrow(/normalizer_spec: .*, got one that changes spaces/);
    expect(() => readModel(new Uint8Array())).toThrow(/expected a SentencePiece model with pieces, got none/);
    expect(() => readModel(plain!.subarray(0, 1000))).toThrow(
      /expected a protocol buffer, got a field of \d+ bytes at/,
    );
    expect(() => readModel(new TextEncoder().encode("IQ== 0\nIg== 1\n"))).toThrow(/with pieces, got none/);
  });
});

describe("sentencePieceModel", () => {
  test("writes what is read as the same tokenizer", () => {
    for (const model of [plain!, own!]) {
      const tokenizer = readModel(model);
      const again = readModel(sentencePieceModel(tokenizer.files()));
      for (const text of golden.texts) expect(again.encodeIds(text)).toEqual(tokenizer.encodeIds(text));
      expect(again.special).toEqual(tokenizer.special);
    }
  });

  test("writes what was learned here, and refuses words of bytes", async () => {
    const tokenizer = await trainMetaspaceBpe(learned.corpus, { vocabSize: 500 });
    const again = readModel(sentencePieceModel(tokenizer.files()));
    for (const text of [...golden.texts, ...learned.corpus]) {
      expect(again.encodeIds(text)).toEqual(tokenizer.encodeIds(text));
    }
    const ofBytes = await trainByteBpe(learned.corpus, { vocabSize: 300 });
    expect(() => sentencePieceModel(ofBytes.files())).toThrow(/got one whose words are bytes/);
    const json = JSON.parse(tokenizer.files().get("tokenizer.json")!) as { model: { merges: unknown[] } };
    json.model.merges.reverse();
    const files = new Map([["tokenizer.json", JSON.stringify(json)]]);
    expect(() => sentencePieceModel(files)).toThrow(/got \d+ merges where its pieces have \d+, or in another order/);
  });
});

test("a folder with tokenizer.model alone is a tokenizer", async () => {
  const folder = mkdtempSync(join(tmpdir(), "galen-sentencepiece-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "tokenizer.model"), plain!);
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.family).toBe("metaspace-bpe");
  expect(tokenizer.encodeIds("Aspirin").slice(1)).toEqual(readModel(plain!).encodeIds("Aspirin").slice(1));
  expect([...tokenizer.files().keys()]).toEqual(["tokenizer.json", "tokenizer_config.json"]);
});

test.skipIf(!hasShared("data/tokenizers/llama-2"))("LLaMA 2's tokenizer.model is its tokenizer.json", async () => {
  const folder = shared("data/tokenizers/llama-2");
  const json = await loadTokenizer(folder);
  const tokenizer = readTokenizer(filesOfSentencePiece(readFileSync(join(folder, "tokenizer.model")), new Map()));
  for (const text of [...golden.texts, ...learned.corpus]) {
    // Of one no-break space the published JSON has made a space.
    if (!text.includes("\u00a0")) expect(tokenizer.encodeIds(text)).toEqual(json.encodeIds(text));
  }
});
