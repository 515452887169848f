/** Runs of words that texts and documents share, against a search through all pairs of places. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexNgrams, leastWords, type SharedRun } from "./ngram-index.ts";

const wordsOf = (text: string): string[] =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

/** Every run that can be made no longer at either end. */
function search(texts: readonly string[], document: string): SharedRun[] {
  const there = wordsOf(document);
  return texts.flatMap((one, text) => {
    const here = wordsOf(one);
    return here.flatMap((_, start) =>
      there.flatMap((__, at) => {
        if (start > 0 && at > 0 && here[start - 1] === there[at - 1]) return [];
        let words = 0;
        while (start + words < here.length && at + words < there.length && here[start + words] === there[at + words])
          words++;
        return words < leastWords ? [] : [{ text, start, words }];
      }),
    );
  });
}

const sorted = (runs: readonly SharedRun[]): string[] => runs.map((one) => JSON.stringify(one)).toSorted();

describe("an index of runs of words", () => {
  // Few words, so that long runs come about, also several times in one text.
  const text = fc
    .array(fc.constantFrom("a", "b"), { maxLength: 40 })
    .map((words) => words.join(" "))
    .filter((one) => one.length < 100);

  test("finds the runs that a search through all places finds", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), text, (texts, document) => {
        expect(sorted(indexNgrams(texts).find(document))).toEqual(sorted(search(texts, document)));
      }),
      { seed: 14, numRuns: 400 },
    );
  });

  test("reads words as people do: case, marks, white space and forms of the same letter do not count", () => {
    const text = "The β-blocker (5 mg/kg) lowered systolic pressure in café-goers by ﬁve points.";
    const index = indexNgrams([text, ""]);
    expect([...index.words]).toEqual([15, 0]);
    const other =
      "Indeed, the\tβ blocker 5 MG kg lowered\n systolic pressure in cafe\u0301 goers by five points, they say";
    expect(index.find(other)).toEqual([{ text: 0, start: 0, words: 15 }]);
    expect(index.find(other.replace("lowered", "raised"))).toEqual([{ text: 0, start: 7, words: 8 }]);
    expect(index.find(other.replace("systolic pressure", "rates"))).toEqual([]);
  });

  test("tells texts apart, and never joins the end of one to the beginning of the next", () => {
    const index = indexNgrams(["a b c d e f", "g h i j k l m n", "g h i j k l m n"]);
    expect(index.find("a b c d e f g h i j k l m n")).toEqual([
      { text: 2, start: 0, words: 8 },
      { text: 1, start: 0, words: 8 },
    ]);
    expect(index.find("a b c d e f g h")).toEqual([]);
  });

  test("finds each of many texts of random words, and none of others", () => {
    const word = (i: number): string => `w${(i * 7919) % 5003}`;
    const texts = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: 20 }, (__, j) => word(i * 31 + j * j)).join(" "),
    );
    const index = indexNgrams(texts);
    for (const [i, one] of texts.entries()) {
      expect(index.find(`before ${one} after`).some(({ text, words }) => text === i && words === 20)).toBe(true);
      expect(index.find(one.split(" ").toReversed().join(" "))).toEqual([]);
    }
  });
});
