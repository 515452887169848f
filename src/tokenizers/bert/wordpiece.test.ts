/** Longest match first over words, by hand. */
import { describe, expect, it } from "vitest";
import { wordPieces } from "./wordpiece.ts";

const tokens = ["[UNK]", "un", "##aff", "##able", "una", "##ffa", "##b", "a", "##a", "🦙", "##🦙", "##ff"];
const model = {
  vocabulary: new Map(tokens.map((token, id) => [token, id])),
  unknownToken: "[UNK]",
  prefix: "##",
  maxInputChars: 8,
};

function split(word: string): [token: string, end: number][] {
  const ids: number[] = [];
  const ends: number[] = [];
  wordPieces(model)(word, ids, ends);
  return ids.map((id, i) => [tokens[id]!, ends[i]!]);
}

describe("WordPiece", () => {
  it("takes the longest piece each time, even where a shorter one would cover the word", () => {
    expect(split("unaffa")).toEqual([
      ["una", 3],
      ["##ffa", 6],
    ]);
    expect(split("unaffable")).toEqual([["[UNK]", 9]]);
    expect(split("unab")).toEqual([
      ["una", 3],
      ["##b", 4],
    ]);
  });

  it("makes one unknown token of a word that it cannot cover", () => {
    expect(split("unx")).toEqual([["[UNK]", 3]]);
    expect(split("x")).toEqual([["[UNK]", 1]]);
  });

  it("counts the length limit in characters, not in UTF-16 units", () => {
    expect(split("🦙".repeat(8))).toHaveLength(8);
    expect(split("🦙".repeat(9))).toEqual([["[UNK]", 18]]);
    expect(split("a".repeat(9))).toEqual([["[UNK]", 9]]);
  });
});
