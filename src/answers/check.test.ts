import { describe, expect, test } from "vitest";
import { brokenRule, checkSentence } from "./check.ts";
import { directionsIn, namesIn, numbersIn } from "./claims.ts";

const passage =
  "In 1,204 patients, apixaban 5 mg reduced stroke by 21 % (HR 0.79) compared with warfarin, but CYP2C9 carriers did benefit.";

describe("what a sentence claims", () => {
  test("numbers are read with their units, in any spelling", () => {
    expect(numbersIn("1,204 patients got 0.50 mg/kg, −2 percent, in two years")).toEqual([
      { value: "1204", unit: "patient" },
      { value: "0.5", unit: "mg/kg" },
      { value: "-2", unit: "%" },
      { value: "2", unit: "" },
    ]);
    expect(numbersIn("CYP2D6 and HbA1c")).toEqual([]);
  });

  test("names are codes and words with capitals inside", () => {
    expect(namesIn("Apixaban and CYP2C9 in HbA1c and TNF-α of men")).toEqual(["CYP2C9", "HbA1c", "TNF-α"]);
  });

  test("directions are told apart", () => {
    expect(directionsIn("lower risk and better survival")).toEqual(["down", "better"]);
  });
});

describe("a written sentence", () => {
  test.each([
    ["Apixaban reduced stroke by 21 % compared with warfarin.", undefined],
    ["Apixaban reduced stroke by 40 %.", "the passage does not say 40 %"],
    ["Apixaban 5 g reduced stroke.", 'the passage does not say 5 of "g"'],
    ["The study showed that patients had a reduced stroke risk.", 'the passage does not say "risk"'],
    ["Dabigatran reduced stroke compared with warfarin.", 'the passage does not say "dabigatran"'],
    ["Apixaban reduced dementia compared with warfarin.", 'the passage does not say "dementia"'],
    ["CYP3A4 carriers did benefit.", "the passage does not name CYP3A4"],
    ["Apixaban did not reduce stroke.", "it denies, and the passage does not"],
    ["Apixaban increased stroke.", "the passage does not say that anything goes up"],
    ["Stroke was reduced (PMID 12345678).", 'a model has no sources to name, and wrote "PMID"'],
    ["Stroke was reduced [1].", 'a model has no sources to name, and wrote "[1]"'],
    ["Did apixaban reduce stroke?", "it asks, and says nothing"],
    ["", "nothing was written, or the passage is too long for the model"],
  ])("%s", (written, reason) => {
    expect(brokenRule(written, passage)).toBe(reason);
  });

  test("of two directions each belongs to its own words", () => {
    const both = "Statins reduced stroke in diabetes, but increased myalgia among older women.";
    expect(brokenRule("Statins increased stroke in diabetes.", both)).toBe("the passage says it the other way round");
    expect(brokenRule("Statins increased myalgia among older women.", both)).toBeUndefined();
  });

  test("a denial that it leaves out is found", () => {
    expect(brokenRule("Statins lowered mortality.", "Statins did not lower mortality.")).toBe(
      "the passage denies, and it does not",
    );
  });

  test("a comparison that the passage does not make is found", () => {
    expect(brokenRule("A is as safe as B.", "A and B are safe.")).toBe("it compares, and the passage does not");
  });

  test("of other words it is withheld, with the share", async () => {
    const { reason } = await checkSentence(
      "The study showed evidence of significant treatment effects: stroke.",
      passage,
    );
    expect(reason).toMatch(/% of its words do not stand in the passage/);
  });

  test("the checker has the last word, and says its number", async () => {
    const says = (probability: number) => ({ supports: async () => [probability] });
    const written = "Apixaban reduced stroke by 21 %.";
    expect(await checkSentence(written, passage, says(0.9))).toEqual({ support: 0.9 });
    expect((await checkSentence(written, passage, says(0.2))).reason).toBe("the checker gives it 0.20, below 0.5");
  });
});
