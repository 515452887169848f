/** BERT's tokenizer against Hugging Face tokenizers: test/goldens/bert-tokenizer.json, and the invariants of encoding. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import type { Side, Truncation } from "../layout.ts";
import type { PairTokenizer, TextOrPair } from "../pairs.ts";
import { bertTokenizerFromFiles } from "./bert.ts";

interface Golden {
  vocabulary: string[];
  texts: string[];
  encoded: { ids: number[]; offsets: number[] }[];
  settings: {
    lower?: boolean;
    strip?: boolean;
    clean?: boolean;
    chinese?: boolean;
    texts: string;
    /** Where this setting was tried on every code point. */
    codePoints?: string;
  }[];
  added: {
    added: {
      content: string;
      special?: boolean;
      normalized?: boolean;
      lstrip?: boolean;
      rstrip?: boolean;
      single_word?: boolean;
    }[];
    texts: string[];
    ids: number[][];
    offsets: number[][];
    decoded: string[];
  }[];
  pairs: {
    first: string;
    second: string;
    truncation: Truncation;
    maxLength: number;
    side: Side;
    error?: boolean;
    ids: number[];
    typeIds: number[];
    specialTokensMask: number[];
    offsets: number[];
  }[];
  batches: {
    texts: string[];
    truncateTo: number | null;
    length: number | null;
    side: Side;
    multiple: number | null;
    ids: number[][];
    mask: number[][];
    typeIds: number[][];
  }[];
  windows: { text: string; maxLength: number; stride: number; ids: number[][]; offsets: number[][] }[];
  decoding: { extra: string[]; cases: { ids: number[]; kept: string; skipped: string }[] };
  real: { count: number } & { [name: string]: { abstracts: string; generated: string; cased: string } };
}

const goldenFile = new URL("../../../test/goldens/bert-tokenizer.json", import.meta.url);
const golden = JSON.parse(readFileSync(goldenFile, "utf8")) as Golden;

function own(config: object = {}, extra: readonly string[] = []): PairTokenizer {
  const vocabulary = [...golden.vocabulary, ...extra].map((token) => `${token}\n`).join("");
  return bertTokenizerFromFiles(
    new Map([
      ["vocab.txt", vocabulary],
      ["tokenizer_config.json", JSON.stringify(config)],
    ]),
  );
}

/** With the settings that only a tokenizer.json can say. */
function ownWith(setting: Golden["settings"][number]): PairTokenizer {
  const files = own().files();
  const json = JSON.parse(files.get("tokenizer.json")!) as { normalizer: object };
  json.normalizer = {
    type: "BertNormalizer",
    clean_text: setting.clean ?? true,
    handle_chinese_chars: setting.chinese ?? true,
    strip_accents: setting.strip ?? null,
    lowercase: setting.lower ?? true,
  };
  return bertTokenizerFromFiles(new Map([["tokenizer.json", JSON.stringify(json)]]));
}

function digest(tokenizer: PairTokenizer, texts: Iterable<string>): string {
  const hash = createHash("sha256");
  for (const text of texts) {
    const { ids, offsets } = tokenizer.encode(text);
    hash.update(`${ids.join(",")} ${offsets.join(",")}\n`);
  }
  return hash.digest("hex");
}

function* everyCodePoint(): Generator<string> {
  const blocks = Array.from({ length: 0x324 }, (_, i) => i * 256);
  for (const first of [...blocks, 0xe0000, 0xe0100, 0xf0000, 0xfff00, 0x100000, 0x10ff00]) {
    if (first >= 0xd800 && first < 0xe000) continue;
    yield Array.from({ length: 256 }, (_, i) => `a${String.fromCodePoint(first + i)}b`).join(" ");
  }
}

describe("encoding with the committed vocabulary", () => {
  const tokenizer = own();

  it("gives the reference's ids and offsets for generated strings of all scripts", () => {
    for (const [i, text] of golden.texts.entries()) {
      const { ids, offsets } = tokenizer.encode(text);
      expect({ text, ids, offsets: offsets.flat() }).toEqual({ text, ...golden.encoded[i]! });
      expect(tokenizer.encodeIds(text)).toEqual(ids);
    }
  });

  it.each(golden.settings)("gives the reference's ids and offsets with the normalizer %o", (setting) => {
    const other = ownWith(setting);
    expect(digest(other, golden.texts)).toBe(setting.texts);
    if (setting.codePoints !== undefined) expect(digest(other, everyCodePoint())).toBe(setting.codePoints);
  });

  it("reads half a surrogate pair as U+FFFD, which clean_text removes", () => {
    expect(tokenizer.encodeIds("a\ud83eb")).toEqual(tokenizer.encodeIds("ab"));
    expect(tokenizer.encode("a\udd99 b").offsets.slice(1, -1)).toEqual([
      [0, 1],
      [3, 4],
    ]);
  });

  it.each(golden.added)("finds added tokens where the reference does: $added", (example) => {
    const added = example.added.map(({ single_word: singleWord = false, ...token }) => ({ ...token, singleWord }));
    const other = tokenizer.addTokens(added);
    const again = bertTokenizerFromFiles(other.files());
    for (const [i, text] of example.texts.entries()) {
      const { ids, offsets } = other.encode(text);
      expect({ text, ids, offsets: offsets.flat() }).toEqual({
        text,
        ids: example.ids[i],
        offsets: example.offsets[i],
      });
      expect(other.decode(ids)).toBe(example.decoded[i]);
      expect(again.encode(text)).toEqual(other.encode(text));
    }
  });

  it("lays out and truncates pairs as the reference does", () => {
    for (const { first, second, truncation, maxLength, side, error, ...expected } of golden.pairs) {
      const encode = () => tokenizer.encodePair(first, second, { maxLength, truncation, truncationSide: side });
      if (error === true) {
        expect(encode).toThrow(/maxLength/);
        continue;
      }
      const { ids, typeIds, specialTokensMask, offsets } = encode();
      const got = { ids, typeIds, specialTokensMask, offsets: offsets.flat() };
      expect(got, `${truncation} ${maxLength} ${side}: ${first} | ${second}`).toEqual(expected);
    }
  });

  it("pads batches as the reference does", () => {
    for (const { texts, truncateTo, length, side, multiple, ...expected } of golden.batches) {
      const batch = tokenizer.encodeBatch(texts, {
        padding: length === null ? "longest" : "max_length",
        paddingSide: side,
        ...(multiple === null ? {} : { padToMultipleOf: multiple }),
        ...(truncateTo === null ? {} : { maxLength: truncateTo }),
      });
      expect(batch).toEqual(expected);
    }
  });

  it("cuts long texts into the reference's windows", () => {
    for (const { text, maxLength, stride, ids, offsets } of golden.windows) {
      const windows = tokenizer.encodeWindows(text, { maxLength, stride });
      expect(windows.map((window) => window.ids)).toEqual(ids);
      expect(windows.map((window) => window.offsets.flat())).toEqual(offsets);
    }
    expect(() => tokenizer.encodeWindows("a", { maxLength: 5, stride: 3 })).toThrow(/stride: expected/);
  });

  it("decodes as the reference does", () => {
    const other = own({}, golden.decoding.extra);
    for (const { ids, kept, skipped } of golden.decoding.cases) {
      expect(other.decode(ids)).toBe(kept);
      expect(other.decode(ids, { skipSpecialTokens: true })).toBe(skipped);
    }
  });
});

describe("invariants", () => {
  const tokenizer = own();
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc
      .array(fc.constantFrom("cells", " ", "é", "[MASK]", "中", "İ", "e\u0301", "-"), { maxLength: 12 })
      .map((x) => x.join("")),
  );

  it("gives offsets in order, within the text, and the same ids by both paths", () => {
    fc.assert(
      fc.property(text, (sample) => {
        const { ids, tokens, offsets } = tokenizer.encode(sample);
        expect(tokenizer.encodeIds(sample)).toEqual(ids);
        expect(tokens).toEqual(ids.map((id) => tokenizer.tokenOf(id)));
        let at = 0;
        for (const [start, end] of offsets.slice(1, -1)) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(sample.length);
          at = start;
        }
      }),
    );
  });

  it("truncates to a prefix or suffix of each text, and pads without changing it", () => {
    const strategies = fc.constantFrom<Truncation>("longest_first", "do_not_truncate");
    const sides = fc.constantFrom<Side>("left", "right");
    fc.assert(
      fc.property(
        text,
        text,
        fc.integer({ min: 3, max: 20 }),
        strategies,
        sides,
        (first, second, maxLength, truncation, side) => {
          const options = { maxLength, truncation, truncationSide: side };
          const whole = tokenizer.encodePair(first, second).ids;
          const { ids, sequenceIds } = tokenizer.encodePair(first, second, options);
          const expectedLength = truncation === "longest_first" ? Math.min(maxLength, whole.length) : whole.length;
          expect(ids.length).toBe(expectedLength);
          for (const [sequence, sample] of [first, second].entries()) {
            const all = tokenizer.encode(sample).ids.slice(1, -1);
            const kept = ids.filter((_, i) => sequenceIds[i] === sequence);
            expect(side === "right" ? all.slice(0, kept.length) : all.slice(all.length - kept.length)).toEqual(kept);
          }
          const rows: TextOrPair[] = [[first, second], "a", ""];
          const batch = tokenizer.encodeBatch(rows, { ...options, paddingSide: side });
          const width = batch.ids[0]!.length;
          for (const row of [...batch.ids, ...batch.mask, ...batch.typeIds]) expect(row.length).toBe(width);
          expect(batch.ids[0]!.filter((_, i) => batch.mask[0]![i] === 1)).toEqual(ids);
        },
      ),
    );
  });

  it("decodes the words of the vocabulary to themselves", () => {
    const words = golden.vocabulary.filter((token) => /^[a-z0-9]+$/.test(token));
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words)), (sample) => {
        const joined = sample.join(" ");
        expect(tokenizer.decode(tokenizer.encodeIds(joined), { skipSpecialTokens: true })).toBe(joined);
      }),
    );
  });
});

describe.skipIf(!hasShared("data/tokenizers"))("real vocabularies", () => {
  const load = (name: string): PairTokenizer => {
    const file = shared(`data/tokenizers/${name}/tokenizer.json`);
    return bertTokenizerFromFiles(new Map([["tokenizer.json", readFileSync(file, "utf8")]]));
  };
  const abstracts = (): string[] =>
    zstd(shared("data/corpus/abstracts.jsonl.zst"))
      .split("\n")
      .slice(0, golden.real.count)
      .map((line) => (JSON.parse(line) as { text: string }).text);

  it.each(["pubmedbert", "all-minilm-l6-v2"])("gives the reference's ids and offsets for abstracts with %s", (name) => {
    const tokenizer = load(name);
    const files = tokenizer.files();
    expect(digest(tokenizer, golden.texts)).toBe(golden.real[name]!.generated);
    expect(digest(tokenizer, abstracts())).toBe(golden.real[name]!.abstracts);
    const cased = files.get("tokenizer.json")!.replace('"lowercase": true', '"lowercase": false');
    const other = bertTokenizerFromFiles(new Map([["tokenizer.json", cased]]));
    expect(digest(other, abstracts())).toBe(golden.real[name]!.cased);
  });

  it("reads PubMedBERT's vocab.txt as its tokenizer.json, and writes both back", () => {
    const read = (name: string): [string, string] => {
      return [name, readFileSync(shared(`data/tokenizers/pubmedbert/${name}`), "utf8")];
    };
    const fromText = bertTokenizerFromFiles(
      new Map([read("vocab.txt"), read("tokenizer_config.json"), read("special_tokens_map.json")]),
    );
    const json = read("tokenizer.json");
    const fromJson = bertTokenizerFromFiles(new Map([json]));
    expect(digest(fromText, golden.texts)).toBe(golden.real["pubmedbert"]!.generated);
    expect(fromJson.files().get("vocab.txt")).toBe(read("vocab.txt")[1]);
    expect(fromJson.files().get("tokenizer.json")).toBe(json[1]);
    expect(JSON.parse(fromText.files().get("tokenizer.json")!)).toEqual({
      ...(JSON.parse(json[1]) as object),
      truncation: null,
      padding: null,
    });
  });

  it("gives the ids of llama.cpp's cases", () => {
    const tokenizer = load("all-minilm-l6-v2");
    const file = (name: string): string => readFileSync(shared(`data/tokenizers/all-minilm-l6-v2/${name}`), "utf8");
    const inputs = file("bert-cases.inp").split("\n__ggml_vocab_test__\n");
    const outputs = file("bert-cases.out").split("\n");
    for (const [i, input] of inputs.entries()) {
      const ids = tokenizer.encodeIds(input).slice(1, -1);
      expect({ input, ids }).toEqual({ input, ids: outputs[i]!.trim().split(" ").filter(Boolean).map(Number) });
    }
  });
});

function zstd(path: string): string {
  return zstdDecompressSync(readFileSync(path)).toString("utf8");
}
