import { describe, expect, test } from "vitest";
import { rouge } from "./rouge.ts";

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
