/** Learned byte pair encoding against the trainer of Hugging Face tokenizers. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { trainTokenizer } from "../registry.ts";
import { trainByteBpe, trainMetaspaceBpe } from "./train.ts";

const { learned } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/bpe-tokenizers.json", import.meta.url), "utf8"),
) as { learned: { corpus: string[]; "byte-bpe": string[]; "metaspace-bpe": string[] } };

describe.each([
  ["byte-bpe", 400],
  ["metaspace-bpe", 560],
] as const)("%s", (kind, vocabSize) => {
  test("has the reference's vocabulary, in its order", async () => {
    const tokenizer = await trainTokenizer(learned.corpus, { kind, vocabSize });
    const products = new Set(learned[kind].map((merge) => merge.replace(" ", "")));
    const first = vocabSize - products.size;
    expect(Array.from(products, (_, i) => tokenizer.tokenOf(first + i))).toEqual([...products]);
    expect([tokenizer.family, tokenizer.vocabSize]).toEqual([kind, vocabSize]);
  });

  test("gives a tokenizer whose texts begin with its first token and come back", async () => {
    const tokenizer = await trainTokenizer(learned.corpus, { kind, vocabSize });
    expect(tokenizer.frame).toEqual({ before: [tokenizer.special.bos], after: [] });
    for (const text of [...learned.corpus, "new: ✓ 🧪 \u0000"]) {
      expect(tokenizer.decode(tokenizer.encodeIds(text), { skipSpecialTokens: true })).toBe(text);
    }
  });
});

test("byte pair encoding of bytes has the reference's merges too", async () => {
  const tokenizer = await trainByteBpe(learned.corpus, { vocabSize: 400 });
  const { model } = JSON.parse(tokenizer.files().get("tokenizer.json")!) as { model: { merges: string[][] } };
  expect(model.merges.map((merge) => merge.join(" "))).toEqual(learned["byte-bpe"]);
});

test("a vocabulary that cannot hold the bytes is refused with what it takes", async () => {
  await expect(trainByteBpe(["a"], { vocabSize: 256 })).rejects.toThrow(/vocabSize: expected at least 257, got 256/);
  await expect(trainMetaspaceBpe(["ab"], { vocabSize: 100 })).rejects.toThrow(/expected at least 262, got 100/);
  await expect(trainByteBpe(["a"], { vocabSize: 1.5 })).rejects.toThrow(/vocabSize: expected a whole number/);
});
