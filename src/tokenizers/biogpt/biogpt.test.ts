import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { DataError } from "../../errors.ts";
import { bioGptPartsFromFiles, fairseqFiles } from "./files.ts";
import { trainBioGptTokenizer } from "./train.ts";
import { type BioGptTokenizer, createBioGptTokenizer } from "./biogpt.ts";
import { loadTokenizer, saveTokenizer } from "../files.ts";

const sentences = [
  "The IC50 of trastuzumab was 5.2 ± 0.3 μM (n = 3), e.g. in TNF-α-treated cells.",
  "Patients' responses weren't significant [p<0.05]; see Fig. 2 & the \"controls\".",
  "COVID-19 is caused by SARS-CoV-2, a coronavirus.",
];

let tokenizer: BioGptTokenizer;
beforeAll(async () => {
  tokenizer = await trainBioGptTokenizer([...sentences, ...sentences], { numMerges: 120 });
});

const fromFiles = (files: Map<string, string>): BioGptTokenizer => createBioGptTokenizer(bioGptPartsFromFiles(files));

describe("a trained BioGPT tokenizer", () => {
  test("starts every text with </s> and appends nothing", () => {
    expect(tokenizer.encodeIds("")).toEqual([2]);
    const { ids, tokens, offsets } = tokenizer.encode("the COVID-19");
    expect(tokens[0]).toBe("</s>");
    expect(tokens.slice(1).join("").replaceAll("</w>", " ")).toBe("the COVID @-@ 19 ");
    expect(offsets[0]).toEqual([0, 0]);
    expect(ids).toEqual(tokenizer.encodeIds("the COVID-19"));
    expect(tokenizer.special).toEqual({ bos: 0, pad: 1, eos: 2, unk: 3, sep: 2 });
  });

  test("turns special strings in a text into their ids, and what it does not know into <unk>", () => {
    const { ids, tokens, offsets } = tokenizer.encode("a</s> 中 <unk>");
    expect(ids.slice(-3)).toEqual([2, 3, 3]);
    expect(tokens.slice(-3)).toEqual(["</s>", "中</w>", "<unk>"]);
    expect(offsets.slice(-3)).toEqual([
      [1, 5],
      [6, 7],
      [8, 13],
    ]);
    expect(tokenizer.encodeIds("a</s> 中 <unk>")).toEqual(ids);
  });

  test("decodes as Hugging Face does: specials stick to the word that follows, unknown ids are <unk>", () => {
    const ids = tokenizer.encodeIds(sentences[2]!);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(sentences[2]);
    expect(tokenizer.decode([...ids, 2])).toBe(`</s>${sentences[2]} </s>`);
    expect(tokenizer.decode([2, 3, 9_999_999])).toBe("</s><unk><unk>");
    expect(tokenizer.decode([2, 3], { skipSpecialTokens: true })).toBe("");
  });

  test("gives offsets that cover the text in order, and the ids of the fast path", () => {
    const parts = fc.constantFrom(
      "cells",
      "'s",
      " ",
      ".",
      "-",
      "&",
      "<",
      "</s>",
      "α",
      "𝛼",
      "\u0000",
      "...",
      "[5]",
      ",",
    );
    const text = fc.array(parts, { maxLength: 20 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (text) => {
        const { ids, tokens, offsets } = tokenizer.encode(text);
        expect(tokenizer.encodeIds(text)).toEqual(ids);
        const covered = new Set<number>();
        for (const [index, [start, end]] of offsets.entries()) {
          if (index > 0) expect(end).toBeGreaterThan(start);
          const bare = tokens[index]!.replace("</w>", "");
          if (/^[a-z]+$/.test(bare) && !/\0/.test(text)) expect(text.slice(start, end)).toMatch(RegExp(`${bare}|[&<]`));
          for (let offset = start; offset < end; offset++) covered.add(offset);
        }
        const lost = [...text].filter((character) => character !== " " && character !== "\u0000");
        expect(covered.size).toBeGreaterThanOrEqual(lost.join("").length);
      }),
      { numRuns: 1000 },
    );
  });

  test("is the same after its files were written and read, in either layout", async () => {
    const folder = await mkdtemp(join(tmpdir(), "galen-tokenizer-"));
    try {
      await saveTokenizer(tokenizer, folder);
      const loaded = await loadTokenizer(folder);
      expect(loaded.files()).toEqual(tokenizer.files());
      const fairseq = fromFiles(fairseqFiles(tokenizer.parts));
      expect(fairseq.parts).toEqual(tokenizer.parts);
      for (const sentence of sentences) {
        expect(loaded.encode(sentence)).toEqual(tokenizer.encode(sentence));
        expect(fairseq.encode(sentence)).toEqual(tokenizer.encode(sentence));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("is padded to a multiple, or to the size asked for", async () => {
    expect(tokenizer.vocabSize % 8).toBe(0);
    const sized = await trainBioGptTokenizer(sentences, { vocabSize: 200 });
    expect(sized.vocabSize).toBe(200);
    expect(sized.encodeIds(sentences[0]!)).not.toContain(3);
    await expect(trainBioGptTokenizer(sentences, { vocabSize: 20 })).rejects.toThrow(/vocabSize expected at least \d+/);
    await expect(trainBioGptTokenizer(sentences, {})).rejects.toThrow("one of vocabSize and numMerges");
  });
});

describe("hostile tokenizer files", () => {
  const pair = (vocabulary: string, merges: string): Map<string, string> =>
    new Map([
      ["vocab.json", vocabulary],
      ["merges.txt", merges],
    ]);
  const good = '{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"b</w>":5,"ab</w>":6}';

  test("a merge without a line feed at its end counts, as do Windows line ends", () => {
    expect(fromFiles(pair(good, "a b</w>")).encodeIds("ab")).toEqual([2, 6]);
    expect(fromFiles(pair(good, "a b</w> 12\r\n")).encodeIds("ab")).toEqual([2, 6]);
  });

  test("a piece named __proto__ is a piece", () => {
    const files = pair(good.replace("}", ',"__proto__":7}'), "a b</w>\n");
    expect(fromFiles(files).idOf("__proto__")).toBe(7);
    expect(fromFiles(files).idOf("toString")).toBeUndefined();
  });

  const bad: [name: string, files: Map<string, string>, message: RegExp][] = [
    ["truncated JSON", pair(good.slice(0, 30), "a b</w>\n"), /vocab\.json: expected JSON, got/],
    ["an array", pair("[1]", "a b</w>\n"), /vocab\.json: expected an object of piece → id, got "\[1\]"/],
    ["null", pair("null", "a b</w>\n"), /vocab\.json: expected an object/],
    ["a hole", pair(good.replace(":6", ":7"), "a b</w>\n"), /id of "ab<\/w>" expected .* from 0 to 6.*, got "7"/],
    ["an id twice", pair(good.replace(":6", ":5"), "a b</w>\n"), /id 5 expected one piece, got "b<\/w>" and "ab<\/w>"/],
    ["a fraction", pair(good.replace(":6", ":5.5"), "a b</w>\n"), /got "5\.5"/],
    ["a string", pair(good.replace(":6", ':"6"'), "a b</w>\n"), /id of "ab<\/w>"/],
    ["a piece twice", pair(good.replace("}", ',"a":7}'), "a b</w>\n"), /id of "a" expected .*got "7"/],
    ["no <pad>", pair(good.replace("<pad>", "pad"), "a b</w>\n"), /expected the special token <pad>/],
    ["one field", pair(good, "a b</w>\nab\n"), /merges\.txt, line 2: expected "left right", got "ab"/],
    ["an empty line", pair(good, "a b</w>\n\n"), /merges\.txt, line 2: expected "left right", got ""/],
    ["four fields", pair(good, "a b</w> 3 4\n"), /merges\.txt, line 1: expected/],
    ["a merge twice", pair(good, "a b</w>\na b</w>\n"), /line 2: expected a pair that no line above has/],
    [
      "an endless line",
      pair(good, `a ${"b".repeat(100_000)}\n`),
      /line 1: expected at most 4096 characters, got 100002/,
    ],
    ["no merges", pair(good, ""), /merges\.txt: expected lines, got an empty file/],
    ["truncated merges", pair(good, "b b</w>\n"), /vocab\.json: expected the piece "bb<\/w>", which merges\.txt makes/],
    [
      "a missing merge",
      pair(good.replace("}", ',"c</w>":7,"ac</w>":8}'), "a c</w>\n"),
      /merges\.txt: expected a merge that makes the piece "ab<\/w>", got none/,
    ],
    ["GPT-2's pieces", pair(good.replaceAll("</w>", "Ġ"), "a bĠ\n"), /expected pieces that end in <\/w>, got none/],
    ["half a pair", new Map([["vocab.json", good]]), /expected vocab\.json and merges\.txt, .* got vocab\.json/],
    [
      "a word without count",
      new Map([
        ["dict.txt", "a@@ 3\nb\n"],
        ["bpecodes", "a b</w> 1\n"],
      ]),
      /dict\.txt, line 2/,
    ],
    [
      "a word twice",
      new Map([
        ["dict.txt", "a 3\na 3\n"],
        ["bpecodes", "a b</w> 1\n"],
      ]),
      /dict\.txt, line 2/,
    ],
    [
      "codes without count",
      new Map([
        ["dict.txt", "a 3\n"],
        ["bpecodes", "a b</w>\n"],
      ]),
      /bpecodes, line 1/,
    ],
  ];
  test.each(bad)("%s is refused with file, expectation and finding", (_name, files, message) => {
    expect(() => bioGptPartsFromFiles(files)).toThrow(DataError);
    expect(() => bioGptPartsFromFiles(files)).toThrow(message);
  });

  test("any mutation of a good file is read or refused, never anything else", async () => {
    const { parts } = await trainBioGptTokenizer(sentences, { numMerges: 20 });
    const files = [...createBioGptTokenizer(parts).files()].concat([...fairseqFiles(parts)]);
    const mutation = fc.tuple(fc.nat(3), fc.nat(4000), fc.nat(20), fc.string({ unit: "binary", maxLength: 5 }));
    fc.assert(
      fc.property(mutation, ([which, at, removed, inserted]) => {
        const names = which < 2 ? ["vocab.json", "merges.txt"] : ["dict.txt", "bpecodes"];
        const mutated = new Map(files.filter(([name]) => names.includes(name)));
        const text = mutated.get(names[which % 2]!)!;
        const start = at % text.length;
        mutated.set(names[which % 2]!, text.slice(0, start) + inserted + text.slice(start + removed));
        try {
          const made = fromFiles(mutated);
          expect(made.encodeIds(sentences[0]!).every((id) => id >= 0 && id < made.vocabSize)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("a directory without tokenizer files, or with bytes that are not UTF-8, is refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "galen-tokenizer-"));
    try {
      await expect(loadTokenizer(join(folder, "absent"))).rejects.toThrow(/absent: expected a directory/);
      await expect(loadTokenizer(folder)).rejects.toThrow(/expected vocab\.json and merges\.txt, .*; got nothing/);
      await writeFile(join(folder, "dict.txt"), Uint8Array.of(0x61, 0xff));
      await writeFile(join(folder, "bpecodes"), "a b</w> 1\n");
      await expect(loadTokenizer(folder)).rejects.toThrow(/dict\.txt: expected UTF-8 text/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

const models = ["biogpt", "biogpt-large"] as const;

describe.skipIf(!hasShared("data/tokenizers/biogpt"))("Microsoft's BioGPT tokenizers", () => {
  const load = (name: string): Promise<BioGptTokenizer> =>
    loadTokenizer(shared(`data/tokenizers/${name}`)) as Promise<BioGptTokenizer>;

  test("have the sizes of the files on the Hub when written, and come back byte for byte", async () => {
    const sizes = { biogpt: [927_059, 455_533], "biogpt-large": [1_241_302, 565_613] };
    for (const name of models) {
      const loaded = await load(name);
      const files = loaded.files();
      const written = ["vocab.json", "merges.txt"].map((file) => Buffer.byteLength(files.get(file)!));
      expect(written).toEqual(sizes[name]);
      const fairseq = fairseqFiles(loaded.parts);
      for (const file of ["dict.txt", "bpecodes"]) {
        expect(fairseq.get(file) === readFileSync(shared(`data/tokenizers/${name}/${file}`), "utf8"), file).toBe(true);
      }
      expect(fromFiles(files).encodeIds(sentences[0]!)).toEqual(loaded.encodeIds(sentences[0]!));
    }
    // On the Hub the base model's merges.txt is its bpecodes with the counts.
    expect(Buffer.byteLength(readFileSync(shared("data/tokenizers/biogpt/bpecodes")))).toBe(696_298);
  });

  test.skipIf(!hasShared("fixtures"))("give the recorded pieces, ids and round trips", async () => {
    const vectors = JSON.parse(readFileSync(shared("fixtures/tokenizer_vectors.json"), "utf8")) as Vector[];
    expect(vectors.length).toBeGreaterThan(5);
    const [base, large] = [await load("biogpt"), await load("biogpt-large")];
    for (const vector of vectors) {
      const { ids, tokens } = base.encode(vector.text);
      expect(ids, vector.text).toEqual(vector.ids_base);
      expect(tokens.slice(1), vector.text).toEqual(vector.tokens);
      expect(base.encodeIds(vector.text)).toEqual(vector.ids_base);
      expect(large.encodeIds(vector.text), vector.text).toEqual(vector.ids_large);
      expect(base.decode(ids, { skipSpecialTokens: true })).toBe(vector.roundtrip);
    }
  });

  test.skipIf(!hasShared("data/corpus/abstracts.jsonl.zst"))(
    "give the ids and texts of Hugging Face's tokenizer on 2,000 abstracts",
    async () => {
      const golden = JSON.parse(readFileSync("test/goldens/biogpt-tokenizer.json", "utf8")) as Golden;
      const raw = zstdDecompressSync(readFileSync(shared("data/corpus/abstracts.jsonl.zst"))).toString();
      const texts = raw
        .split("\n")
        .slice(0, 2000)
        .map((line) => (JSON.parse(line) as { text: string }).text);
      for (const name of models) {
        const loaded = await load(name);
        const ids = texts.map((text) => loaded.encodeIds(text));
        const decoded = ids.map((row) => loaded.decode(row, { skipSpecialTokens: true }));
        expect(batches(ids)).toEqual(golden[name].ids);
        expect(batches(decoded)).toEqual(golden[name].decoded);
        expect(ids.reduce((sum, row) => sum + row.length, 0)).toBe(golden[name].tokens);
      }
    },
  );
});

function batches(values: readonly unknown[]): string[] {
  return Array.from({ length: values.length / 200 }, (_, index) =>
    createHash("sha256")
      .update(JSON.stringify(values.slice(200 * index, 200 * index + 200)))
      .digest("hex"),
  );
}

interface Vector {
  readonly text: string;
  readonly tokens: string[];
  readonly ids_base: number[];
  readonly ids_large: number[];
  readonly roundtrip: string;
}

type Golden = Record<(typeof models)[number], { ids: string[]; decoded: string[]; tokens: number }>;
