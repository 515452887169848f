import { describe, expect, test } from "vitest";
import { ConfigError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";
import { maskingVocabulary, maskRow, type MaskingVocabulary } from "./masking.ts";

// Ids 0-4 are special; above, every third piece continues a word.
const vocabulary: MaskingVocabulary = maskingVocabulary({
  vocabSize: 1000,
  special: { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
  continuesWord: (_before, id) => id > 4 && id % 3 === 0,
});

function row(length: number, seed: number): number[] {
  const numbers = random(seed);
  const body = Array.from({ length: length - 2 }, () => 5 + numbers.integer(995));
  return [2, ...body, 3];
}

const rows = Array.from({ length: 2000 }, (_, i) => row(66, i));

describe.each([false, true])("masking, whole words %s", (wholeWords) => {
  const results = rows.map((ids, i) => maskRow(ids, vocabulary, [7, 3, i], { wholeWords }));

  test("predicts 15 % of the tokens that are not special", () => {
    const share = results.reduce((sum, { at }) => sum + at.length, 0) / (rows.length * 64);
    expect(share).toBeGreaterThan(0.148);
    expect(share).toBeLessThan(0.152);
  });

  test("makes 80 % of them [MASK], 10 % a random piece and leaves 10 %", () => {
    const counts = { mask: 0, same: 0, random: 0 };
    for (const { ids, at, labels } of results) {
      at.forEach((place, i) => {
        if (ids[place] === 4) counts.mask++;
        else if (ids[place] === labels[i]) counts.same++;
        else counts.random++;
      });
    }
    const total = counts.mask + counts.same + counts.random;
    expect(Math.abs(counts.mask / total - 0.8)).toBeLessThan(0.01);
    expect(Math.abs(counts.random / total - 0.1)).toBeLessThan(0.01);
  });

  test("leaves special tokens and every other place as they are, and keeps the labels", () => {
    results.forEach(({ ids, at, labels }, i) => {
      const restored = Array.from(ids);
      at.forEach((place, k) => (restored[place] = labels[k]!));
      expect(restored).toEqual(rows[i]);
      expect(labels.some((label) => vocabulary.special.has(label))).toBe(false);
      expect(at.some((place) => ids[place] !== 4 && vocabulary.special.has(ids[place]!))).toBe(false);
    });
  });

  test("reaches every place equally often", () => {
    const hits = Array.from({ length: 66 }, () => 0);
    for (const { at } of results) for (const place of at) hits[place]! += 1;
    expect(hits[0]! + hits[65]!).toBe(0);
    const mean = hits.reduce((sum, count) => sum + count, 0) / 64;
    for (const count of hits.slice(1, 65)) expect(Math.abs(count - mean)).toBeLessThan(5.5 * Math.sqrt(mean));
  });
});

test("whole words: pieces of a word are predicted together", () => {
  rows.forEach((ids, i) => {
    const at = new Set(maskRow(ids, vocabulary, [7, 3, i], { wholeWords: true }).at);
    for (let place = 2; place < 65; place++) {
      if (vocabulary.continues(ids[place - 1]!, ids[place]!)) expect(at.has(place)).toBe(at.has(place - 1));
    }
  });
});

test("is a function of seed, step and row, each of which changes it", () => {
  const at = (...key: [number, number, number]): string => maskRow(rows[0]!, vocabulary, key).at.join();
  expect(at(1, 2, 3)).toBe(at(1, 2, 3));
  expect(new Set([at(1, 2, 3), at(2, 2, 3), at(1, 3, 3), at(1, 2, 4)]).size).toBe(4);
});

test("a row of special tokens alone is left, a single token is predicted", () => {
  expect(maskRow([2, 3, 0], vocabulary, [1, 1, 1])).toEqual({ ids: Int32Array.of(2, 3, 0), at: [], labels: [] });
  expect(maskRow([2, 9, 3], vocabulary, [1, 1, 1]).labels).toEqual([9]);
});

test("a tokenizer without a mask token is refused", () => {
  const tokenizer = { vocabSize: 5, special: { pad: 0 }, continuesWord: () => false };
  expect(() => maskingVocabulary(tokenizer)).toThrow(ConfigError);
});
