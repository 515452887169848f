import { describe, expect, test } from "vitest";
import { canAnswer } from "./sentence.ts";

const inText = (text: string): boolean => canAnswer({ text, section: null });

describe("what can answer", () => {
  test.each([
    "Apixaban reduced intracranial bleeding by 42 % in atrial fibrillation.",
    "Zinc supplementation reduces diarrhoea: in a trial of 900 children it did so by a fifth.",
    "It was evaluated in two trials, and lowered blood pressure - by 4 mmHg - in both.",
    "The rate of eradication was 92 %.",
  ])("%s", (text) => expect(inText(text)).toBe(true));

  test("a title that says what was found", () => {
    expect(canAnswer({ text: "Aspirin reduces colorectal cancer: a randomized trial", section: "TITLE" })).toBe(true);
  });
});

describe("what cannot", () => {
  test.each([
    ["an objective", "Determine the rate of eradication of Helicobacter pylori after three drugs."],
    ["an objective with its number", "OBJECTIVES: I. Evaluate the toxicity of this regimen in patients with lymphoma."],
    ["an entry of a list of references", "Aspirin for primary prevention of cardiovascular disease: a meta-analysis."],
    ["criteria without full stops", "Inclusion criteria: - age above 18 - written consent - no heart failure."],
  ])("%s", (_, text) => expect(inText(text)).toBe(false));

  test("a title that names a question", () => {
    const text = "Zinc or Micronutrient Supplementation to Reduce Diarrhea in Children: A Randomized Controlled Trial";
    expect(canAnswer({ text, section: "TITLE" })).toBe(false);
    expect(canAnswer({ text: "Stem Cell Therapy in Heart Failure", section: "TITLE" })).toBe(false);
  });
});
