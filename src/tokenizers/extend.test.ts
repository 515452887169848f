/** Vocabularies learned on from texts, of every kind: what they give is held to what the base gives. */
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { filesOfSentencePiece, sentencePieceModel, withPieces } from "./pipeline/sentencepiece.ts";
import { textWith } from "./reach.ts";
import { extendTokenizer, readTokenizer, tokenizerKinds, trainTokenizer } from "./registry.ts";
import type { Extended, Tokenizer } from "./tokenizer.ts";

const general = [
  "The house at the end of the road was old, and its doors had not been opened for 12 years.",
  "She read the letter twice; then she put it into the fire and went home, as she had said that she would.",
  "in the on at of a an is are was were to from with without, 1 2 3 4 5 6 7 8 9 0 - / ( ) % . ; : A B C D E F G H I J K L M N O P Q R S T U V W X Y Z é ü μ xabcdefghijklmnopqrstuvwxyzéμx",
];
const domain = [
  "Thrombin and prothrombin: thrombin cleaves fibrinogen, prothrombin is cleaved to thrombin by factor 10a (fibrinogen-bound).",
  "Anti-thrombin inhibits thrombin; fibrinogen 12mg, thrombin2 and ΜΜ-thrombinogen, naïve fibrinogenesis μmol.",
  "Fibrinogenolysis, thrombocytes, thrombocytosis, thrombosis and thrombi are about thrombin and fibrinogen.",
  "Heparin and warfarin: heparin binds antithrombin, warfarin does not; heparinised patients, unheparinised ones.",
];
const vocabSize: Readonly<Record<string, number>> = { biogpt: 140, bert: 130, "byte-bpe": 290, "metaspace-bpe": 340 };
const fragment = fc.constantFrom(
  ..."thrombin prothrombin Fibrinogen fibrinogenolysis thrombi thro mbin the house letter fire 12 2 - , . ( ) μ é ▁ Ġ ## 🧪 ́".split(
    " ",
  ),
  " ",
  "  ",
  "\n",
);
const anyText = fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join(""));

const isNew = (base: Tokenizer, id: number): boolean => id >= base.vocabSize;

describe.each(tokenizerKinds.map(({ name }) => name))("%s", (kind) => {
  let base: Tokenizer;
  let extended: Extended;
  beforeAll(async () => {
    base = await trainTokenizer(general, { kind, vocabSize: vocabSize[kind]! });
    extended = await extendTokenizer(base, domain, { tokens: 20 });
  });

  test("gains the tokens asked for behind its own, which stay", () => {
    const { tokenizer, added } = extended;
    expect(tokenizer.vocabSize).toBe(base.vocabSize + 20);
    expect(added.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => base.vocabSize + i));
    for (let id = 0; id < base.vocabSize; id++) expect(tokenizer.tokenOf(id)).toBe(base.tokenOf(id));
    for (const { id, token } of added) expect(tokenizer.tokenOf(id)).toBe(token);
    expect(added.map(({ text }) => text).join(" ")).toMatch(/throm|nog/);
  });

  test("merges nothing across digits, punctuation and words", () => {
    for (const { text } of extended.added) expect(text).toMatch(/^[\p{L}\p{M}]+$/u);
  });

  test("gives every token for some text", () => {
    const { tokenizer, added } = extended;
    const counts = new Map<number, number>();
    for (const text of domain) for (const id of tokenizer.encodeIds(text)) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const piece of added) {
      expect(piece.count).toBe(counts.get(piece.id) ?? 0);
      expect(textWith(tokenizer, piece), piece.token).toBeDefined();
    }
  });

  test("gives a text without new tokens the ids that it had, and every text back as before", () => {
    const { tokenizer } = extended;
    fc.assert(
      fc.property(anyText, (text) => {
        const [before, now] = [base.encodeIds(text), tokenizer.encodeIds(text)];
        if (!now.some((id) => isNew(base, id))) expect(now).toEqual(before);
        expect(tokenizer.decode(now)).toBe(base.decode(before));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  test("cuts a new token into the pieces that it takes the place of", () => {
    const { tokenizer, added } = extended;
    const cut = tokenizer.piecesAmong!(base.vocabSize);
    for (const { id } of added) {
      expect(cut(id).length).toBeGreaterThan(1);
      expect(cut(id).every((piece) => !isNew(base, piece))).toBe(true);
    }
    // A word's longest piece may end where none of the others did.
    if (kind === "bert") return;
    fc.assert(
      fc.property(anyText, (text) => {
        const now = tokenizer.encodeIds(text);
        expect(now.flatMap((id) => (isNew(base, id) ? cut(id) : [id]))).toEqual(base.encodeIds(text));
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  test("is the same tokenizer when its files are read again", () => {
    const again = readTokenizer(extended.tokenizer.files());
    expect(again.family).toBe(kind);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(again.encodeIds(text)).toEqual(extended.tokenizer.encodeIds(text));
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  test("can be learned on again", async () => {
    const { tokenizer } = await extendTokenizer(extended.tokenizer, domain, { tokens: 2 });
    expect(tokenizer.vocabSize).toBe(base.vocabSize + 22);
  });

  test("says so where the texts are too few", async () => {
    await expect(extendTokenizer(base, ["thrombin thrombin"], { tokens: 99 })).rejects.toThrow(
      /^texts: expected enough to learn 99 tokens from, got \d+$/m,
    );
    await expect(extendTokenizer(base, domain, { tokens: 0 })).rejects.toThrow(
      /tokens: expected a whole number from 1/,
    );
  });
});

test("a SentencePiece model with the same pieces gives the same ids", async () => {
  const base = await trainTokenizer(general, { kind: "metaspace-bpe", vocabSize: 340 });
  const { tokenizer, added } = await extendTokenizer(base, domain, { tokens: 20 });
  const model = withPieces(
    sentencePieceModel(base.files()),
    added.map(({ token }) => token),
  );
  const read = readTokenizer(filesOfSentencePiece(model, new Map()));
  expect(read.vocabSize).toBe(tokenizer.vocabSize);
  for (const text of [...general, ...domain]) expect(read.encodeIds(text)).toEqual(tokenizer.encodeIds(text));
  // The extended tokenizer's merges are those that SentencePiece would make of its pieces.
  expect(() => sentencePieceModel(tokenizer.files())).not.toThrow();
});

test("GPT-2's two files are extended as tokenizer.json is", async () => {
  const base = await trainTokenizer(general, { kind: "byte-bpe", vocabSize: 290 });
  const json = JSON.parse(base.files().get("tokenizer.json")!) as {
    model: { vocab: Record<string, number>; merges: [string, string][] };
  };
  const merges = json.model.merges.map((pair) => pair.join(" "));
  const older = readTokenizer(
    new Map([
      ["vocab.json", JSON.stringify(json.model.vocab)],
      ["merges.txt", ["#version: 0.2", ...merges].join("\n")],
      ["tokenizer_config.json", JSON.stringify({ tokenizer_class: "GPT2Tokenizer", add_bos_token: true })],
    ]),
  );
  const [ofJson, ofTwo] = [
    await extendTokenizer(base, domain, { tokens: 20 }),
    await extendTokenizer(older, domain, { tokens: 20 }),
  ];
  expect([...ofTwo.tokenizer.files().keys()].sort()).toEqual(["merges.txt", "tokenizer_config.json", "vocab.json"]);
  expect(ofTwo.added).toEqual(ofJson.added);
  for (const text of [...general, ...domain]) {
    expect(ofTwo.tokenizer.encodeIds(text)).toEqual(ofJson.tokenizer.encodeIds(text));
  }
});

test("tokens that were added behind a vocabulary keep their ids", async () => {
  for (const kind of ["byte-bpe", "bert"] as const) {
    const learned = await trainTokenizer(general, { kind, vocabSize: vocabSize[kind]! });
    const base = (learned as Tokenizer & { addTokens(tokens: string[]): Tokenizer }).addTokens(["<drug>", "<dose>"]);
    const { tokenizer } = await extendTokenizer(base, domain, { tokens: 10 });
    expect(tokenizer.idOf("<dose>")).toBe(learned.vocabSize + 1);
    expect(readTokenizer(tokenizer.files()).encodeIds("a <drug>")).toEqual(base.encodeIds("a <drug>"));
    const { model } = JSON.parse(tokenizer.files().get("tokenizer.json")!) as { model: { vocab: object } };
    expect(Object.keys(model.vocab)).toHaveLength(tokenizer.vocabSize);
  }
});
