/** WordPiece training against Hugging Face's trainer (test/goldens/bert-tokenizer.json), and by hand. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../errors.ts";
import { bertTokenizerFromFiles } from "./bert.ts";
import { trainWordPiece } from "./wordpiece-train.ts";

interface Training {
  counts: { [word: string]: number };
  special: string[];
  cases: { vocabSize: number; minFrequency: number; limitAlphabet: number; size: number; sha256: string }[];
}

const goldenFile = new URL("../../../test/goldens/bert-tokenizer.json", import.meta.url);
const golden = (JSON.parse(readFileSync(goldenFile, "utf8")) as { training: Training }).training;

describe("WordPiece training", () => {
  it.each(golden.cases)("gives the reference's tokens and ids for %o", ({ size, sha256, ...options }) => {
    const counts = new Map(Object.entries(golden.counts));
    const tokens = trainWordPiece(counts, { ...options, specialTokens: golden.special });
    expect(tokens.length).toBe(size);
    expect(createHash("sha256").update(tokens.join("\n")).digest("hex")).toBe(sha256);
  });

  it("merges the most frequent pairs first, after special tokens and the alphabet", () => {
    const tokens = trainWordPiece(
      new Map([
        ["abc", 5],
        ["ab", 4],
        ["xbc", 2],
      ]),
      { vocabSize: 13 },
    );
    expect(tokens).toEqual([
      "[PAD]",
      "[UNK]",
      "[CLS]",
      "[SEP]",
      "[MASK]",
      "a",
      "b",
      "c",
      "x",
      "##b",
      "##c",
      "ab",
      "abc",
    ]);
  });

  it("does not depend on the order of the words", () => {
    const words = Object.entries(golden.counts);
    const options = { vocabSize: 300 };
    expect(trainWordPiece(new Map(words.toReversed()), options)).toEqual(trainWordPiece(new Map(words), options));
  });

  it("gives a vocabulary that tokenizes the words it was learned from", () => {
    const words = Object.keys(golden.counts);
    const tokens = trainWordPiece(new Map(Object.entries(golden.counts)), { vocabSize: 200 });
    const config = JSON.stringify({ do_lower_case: false, tokenize_chinese_chars: false });
    const tokenizer = bertTokenizerFromFiles(
      new Map([
        ["vocab.txt", tokens.join("\n")],
        ["tokenizer_config.json", config],
      ]),
    );
    for (const word of words) expect(tokenizer.encodeIds(word)).not.toContain(tokenizer.special.unk);
  });

  it("refuses a size that is no number", () => {
    expect(() => trainWordPiece(new Map(), { vocabSize: Number.NaN })).toThrow(ConfigError);
  });

  it("learns from a word of a million characters in time that grows with its length", { timeout: 10_000 }, () => {
    const tokens = trainWordPiece(new Map([["acgt".repeat(250_000), 1]]), { vocabSize: 30 });
    expect(tokens).toContain("##acgtacgtacgtacgt");
  });
});
