import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { porterStem } from "./porter.ts";
import { rouge } from "./rouge.ts";

type Figures = [precision: number, recall: number, f1: number];
type Pair = { text: string; reference: string } & Record<"rouge-1" | "rouge-2" | "rouge-l", Figures>;

interface Golden {
  stems: Record<string, string>;
  pairs: Pair[];
  several: { text: string; references: string[]; "rouge-l": number }[];
}

const file = new URL("../../test/goldens/rouge.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;

describe("rouge", () => {
  test("counts what Lin's paper counts", () => {
    const reference = "police killed the gunman";
    // "police kill the gunman": bigram "the gunman" of three; longest common subsequence of three words of four.
    expect(rouge("rouge-2", "police kill the gunman", [reference]).recall).toBeCloseTo(1 / 3);
    expect(rouge("rouge-l", "police kill the gunman", [reference]).f1).toBeCloseTo(3 / 4);
    // Unigrams: 3 of 4. Pairs: police-the, police-gunman, the-gunman of six.
    expect(rouge("rouge-su4", "police kill the gunman", [reference]).recall).toBeCloseTo(6 / 10);
    expect(rouge("rouge-l", "the gunman police killed", [reference]).f1).toBeCloseTo(2 / 4);
  });

  test("a repeated word is found as often as the reference has it", () => {
    const { precision, recall, f1 } = rouge("rouge-2", "a b a b a b", ["a b c"]);
    expect([precision, recall]).toEqual([1 / 5, 1 / 2]);
    expect(f1).toBeCloseTo(2 / 7);
  });

  test("takes the reference that fits best, and gives zeros for nothing", () => {
    expect(rouge("rouge-2", "x y", ["no match here", "x y"]).f1).toBe(1);
    expect(rouge("rouge-su4", "", ["x y"]).f1).toBe(0);
    expect(rouge("rouge-l", "x", []).f1).toBe(0);
  });
});

describe("equal to its Python references (scripts/goldens/rouge.py)", () => {
  test("stems are NLTK's", () => {
    const words = Object.keys(golden.stems);
    expect(words.length).toBeGreaterThan(2000);
    expect(Object.fromEntries(words.map((word) => [word, porterStem(word)]))).toEqual(golden.stems);
  });

  test("precision, recall and F1 of stemmed texts are rouge-score's", () => {
    expect(golden.pairs.some((one) => one["rouge-2"][2] > 0)).toBe(true);
    for (const { text, reference, ...kinds } of golden.pairs) {
      for (const kind of ["rouge-1", "rouge-2", "rouge-l"] as const) {
        const { precision, recall, f1 } = rouge(kind, text, [reference], { stemmed: true });
        [precision, recall, f1].forEach((one, i) => expect(one).toBeCloseTo(kinds[kind][i]!, 12));
      }
    }
  });

  test("of several references the best counts", () => {
    for (const { text, references, ...best } of golden.several) {
      expect(rouge("rouge-l", text, references, { stemmed: true }).f1).toBeCloseTo(best["rouge-l"], 12);
    }
  });
});
