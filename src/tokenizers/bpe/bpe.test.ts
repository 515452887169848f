import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { learnBpe } from "./learn.ts";
import { type Merge, compareCodePoints, countPieces, createBpe } from "./bpe.ts";

/** Lowest rank first, all its occurrences from left to right, written without any bookkeeping. */
function referenceSplit(word: string, merges: readonly Merge[]): string[] {
  let symbols = Array.from(word);
  if (symbols.length === 0) return [];
  symbols[symbols.length - 1] += "</w>";
  for (;;) {
    const rank = merges.findIndex(([left, right]) => symbols.some((s, i) => s === left && symbols[i + 1] === right));
    if (rank < 0) return symbols;
    const [left, right] = merges[rank]!;
    const next: string[] = [];
    for (let index = 0; index < symbols.length; index++) {
      if (symbols[index] === left && symbols[index + 1] === right) {
        next.push(left + right);
        index++;
      } else next.push(symbols[index]!);
    }
    symbols = next;
  }
}

/** Counts all pairs again before every merge; ties as documented. */
function referenceLearn(words: ReadonlyMap<string, number>, numMerges: number): Merge[] {
  const sequences = [...words].map(([word, count]) => ({ symbols: referenceSplit(word, []), count }));
  const ages = [...new Set(sequences.flatMap(({ symbols }) => symbols))].sort(compareCodePoints);
  const merges: Merge[] = [];
  while (merges.length < numMerges) {
    const counts = new Map<string, number>();
    for (const { symbols, count } of sequences) {
      for (let index = 0; index + 1 < symbols.length; index++) {
        const key = `${ages.indexOf(symbols[index]!)} ${ages.indexOf(symbols[index + 1]!)}`;
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
    }
    const best = [...counts]
      .map(([key, count]) => [...key.split(" ").map(Number), count] as [left: number, right: number, count: number])
      .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])[0];
    if (!best) break;
    const merge: Merge = [ages[best[0]]!, ages[best[1]]!];
    merges.push(merge);
    if (!ages.includes(merge.join(""))) ages.push(merge.join(""));
    for (const sequence of sequences) {
      const next: string[] = [];
      for (let index = 0; index < sequence.symbols.length; index++) {
        if (sequence.symbols[index] === merge[0] && sequence.symbols[index + 1] === merge[1]) {
          next.push(merge.join(""));
          index++;
        } else next.push(sequence.symbols[index]!);
      }
      sequence.symbols = next;
    }
  }
  return merges;
}

const marked = { wordEnd: "</w>" };
const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "é", "𝛼"), minLength: 1, maxLength: 14 });
const wordCounts = fc.array(fc.tuple(word, fc.integer({ min: 1, max: 9 })), { maxLength: 12 }).map((e) => new Map(e));

describe("createBpe", () => {
  test("merges the pair of lowest rank first and marks the end of the word", () => {
    const merges: Merge[] = [
      ["e", "r</w>"],
      ["l", "o"],
      ["lo", "w"],
    ];
    const bpe = createBpe(merges, marked);
    expect(bpe.split("lower")).toEqual(["low", "er</w>"]);
    expect(bpe.split("r")).toEqual(["r</w>"]);
    expect(bpe.split("")).toEqual([]);
    expect(bpe.split("low")).toEqual(["lo", "w</w>"]);
  });

  test("leaves the end of the word as it is where the vocabulary has no mark", () => {
    const merges: Merge[] = [
      ["l", "o"],
      ["lo", "w"],
    ];
    const bpe = createBpe(merges, { vocabulary: ["low", "e", "r"] });
    expect(bpe.split("lower")).toEqual(["low", "e", "r"]);
    expect(bpe.split("low")).toEqual(["low"]);
    expect(bpe.encode("lowlower", 9)).toEqual([0, 0, 1, 2]);
  });

  test("gives indices of the vocabulary, and the unknown one for pieces outside it", () => {
    const bpe = createBpe([["a", "b"]], { ...marked, vocabulary: ["ab", "c</w>"] });
    expect(bpe.encode("abac", 7)).toEqual([0, 7, 1]);
  });

  test("agrees with merging symbol by symbol, whatever the order of merges", () => {
    const part = fc.constantFrom("a", "b", "c", "ab", "ba", "aa", "abc", "𝛼", "a</w>", "b</w>", "c</w>");
    const merge = fc.tuple(part, part).filter(([left]) => !left.endsWith("</w>"));
    const merges = fc.uniqueArray(merge, { selector: (pair) => pair.join(" "), maxLength: 12 });
    fc.assert(
      fc.property(merges, word, (merges, word) => {
        expect(createBpe(merges, marked).split(word)).toEqual(referenceSplit(word, merges));
      }),
      { numRuns: 3000 },
    );
  });
});

describe("learnBpe", () => {
  test("learns the most frequent pair first and stops when nothing is left to merge", () => {
    const words = new Map(Object.entries({ low: 5, lower: 2, newest: 6, widest: 3 }));
    const { merges, counts } = learnBpe(words, 100, marked);
    expect(merges.slice(0, 3)).toEqual([
      ["e", "s"],
      ["es", "t</w>"],
      ["l", "o"],
    ]);
    expect(counts.slice(0, 3)).toEqual([9, 9, 7]);
    expect(merges.length).toBeLessThan(100);
    expect(learnBpe(words, 2).merges).toEqual([
      ["e", "s"],
      ["es", "t"],
    ]);
  });

  test("agrees with counting all pairs again before every merge", () => {
    fc.assert(
      fc.property(wordCounts, fc.integer({ min: 0, max: 20 }), (words, numMerges) => {
        expect(learnBpe(words, numMerges, marked).merges).toEqual(referenceLearn(words, numMerges));
      }),
      { numRuns: 500 },
    );
  });

  test("does not depend on the order of the words", () => {
    fc.assert(
      fc.property(wordCounts, (words) => {
        expect(learnBpe(new Map([...words].reverse()), 15)).toEqual(learnBpe(words, 15));
      }),
    );
  });

  test("leaves pairs below the least frequency alone and refuses senseless settings", () => {
    expect(learnBpe(new Map([["ab", 1]]), 5, { minCount: 2 }).merges).toEqual([]);
    expect(() => learnBpe(new Map(), -1)).toThrow("numMerges expected a whole number of 0 or more, got -1");
    expect(() => learnBpe(new Map(), 1, { minCount: 0.5 })).toThrow("minCount");
  });
});

describe("countPieces", () => {
  test("sorts by frequency, then by code point and not by UTF-16 unit", () => {
    const words = new Map(Object.entries({ "\u{1d6fc}": 2, "\uffee": 2, ab: 3 }));
    expect([...countPieces(words, createBpe([], marked))]).toEqual([
      ["a", 3],
      ["b</w>", 3],
      ["\uffee</w>", 2],
      ["\u{1d6fc}</w>", 2],
    ]);
  });
});
