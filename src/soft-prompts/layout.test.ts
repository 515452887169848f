import { describe, expect, test } from "vitest";
import { trainBioGptTokenizer } from "../tokenizers/index.ts";
import { fitTruncation } from "./formats.ts";
import { createLayout, layoutExample, layoutSource } from "./layout.ts";
import { findPromptIds, growVocabulary } from "./prompt-rows.ts";

const tokenizer = await trainBioGptTokenizer(["a b c d e f g h ... a b"], { numMerges: 20 });
const size = tokenizer.vocabSize;
const grown = growVocabulary(tokenizer, size, 2);
const layout = createLayout({ name: "x" }, grown.tokenizer, {
  promptIds: grown.promptIds,
  truncation: { maxPositions: 12, maxSourceTokens: 5, marker: "..." },
});
const name = (ids: readonly number[]): string =>
  ids.map((id) => grown.tokenizer.tokenOf(id)?.replace("</w>", "")).join(" ");

describe("layout", () => {
  test("is </s> source prompt target </s>, the prompt put in by id", () => {
    expect(grown.promptIds).toEqual([size, size + 1]);
    expect(name(layoutExample(layout, "a b", "c d").ids)).toBe("</s> a b learned1 learned2 c d </s>");
    expect(grown.tokenizer.decode([...grown.promptIds])).toBe("learned1 learned2");
    expect(layoutExample(layout, "a b", "c d").size).toBe(5);
  });

  test("a source beyond its budget keeps the budget's tokens, the last of them the marker", () => {
    expect(name(layoutExample(layout, "a b c d e", "a").ids)).toBe("</s> a b c d e learned1 learned2 a </s>");
    const cut = layoutExample(layout, "a b c d e f", "a");
    expect([name(cut.ids), cut.cutSource]).toEqual(["</s> a b c d ... learned1 learned2 a </s>", true]);
    expect(name(layoutSource(layout, "a b c d e f").ids)).toBe("</s> a b c d ... learned1 learned2");
  });

  test("a target beyond what source and prompt leave ends with the marker and </s>, and the model's input fits", () => {
    const whole = layoutExample(layout, "a b c d e f", "a b c d");
    expect([name(whole.ids.slice(-6)), whole.cutTarget]).toEqual(["learned2 a b c d </s>", false]);
    const cut = layoutExample(layout, "a b c d e f", "a b c d e");
    expect([name(cut.ids.slice(-6)), cut.cutTarget]).toEqual(["learned2 a b c ... </s>", true]);
    expect(cut.ids.length - 1).toBe(12); // the last </s> is a label only
  });

  test("a shorter model cuts in the same proportion", () => {
    const published = { maxPositions: 1024, maxSourceTokens: 640, marker: "..." };
    expect(fitTruncation(published, 2048)).toEqual(published);
    expect(fitTruncation(published, 512)).toEqual({ maxPositions: 512, maxSourceTokens: 320, marker: "..." });
    expect(() =>
      createLayout({ name: "x" }, tokenizer, {
        promptIds: [1, 2],
        truncation: { ...published, maxSourceTokens: 1020 },
      }),
    ).toThrow(/x: expected room for a target, got 1024 positions/);
  });
});

describe("prompt rows", () => {
  test("rows that the embedding has beyond the tokenizer are found where their number is the prompt's", () => {
    expect(findPromptIds(tokenizer, size + 9, 9)).toEqual(Array.from({ length: 9 }, (_, i) => size + i));
    expect(findPromptIds(tokenizer, size + 9, 8)).toBeUndefined();
    const found = growVocabulary(tokenizer, size + 9, 9);
    expect([found.vocabSize, found.tokenizer.vocabSize, found.promptIds[8]]).toEqual([size + 9, size + 9, size + 8]);
  });

  test("rows that are there are used again, fewer of them too; more are refused", () => {
    expect(growVocabulary(grown.tokenizer, size + 2, 2)).toMatchObject({
      vocabSize: size + 2,
      promptIds: [size, size + 1],
    });
    expect(growVocabulary(grown.tokenizer, size + 2, 1)).toMatchObject({ vocabSize: size + 2, promptIds: [size] });
    expect(() => growVocabulary(grown.tokenizer, size + 2, 3)).toThrow(/learned1 already, but not all 3/);
  });

  test("rows without a piece get names, so that vocab.json has no holes", () => {
    const { tokenizer: named, promptIds, vocabSize } = growVocabulary(tokenizer, size + 3, 2);
    expect([promptIds, vocabSize, named.vocabSize]).toEqual([[size + 3, size + 4], size + 5, size + 5]);
    expect(new Set(Array.from({ length: vocabSize }, (_, id) => named.tokenOf(id))).size).toBe(vocabSize);
    expect(() => growVocabulary(tokenizer, size - 1, 2)).toThrow(/expected at most/);
  });
});
