import { describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { namesFocus } from "./question.ts";
import { canAnswer, sentencesOf } from "./sentence.ts";

const inText = (text: string): boolean => canAnswer({ text, section: null });

describe("what can answer", () => {
  test.each([
    "Apixaban reduced intracranial bleeding by 42 % in atrial fibrillation.",
    "Zinc supplementation reduces diarrhoea: in a trial of 900 children it did so by a fifth.",
    "It was evaluated in two trials, and lowered blood pressure - by 4 mmHg - in both.",
    "The rate of eradication was 92 %.",
    "More blood was needed after warfarin than after apixaban, and further surgery in one of ten.",
    "Larger tumours required surgery, while zinc was enough for others.",
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
    [
      "a hypothesis",
      "The hypothesis to be tested is whether aspirin and warfarin are equally effective in heart failure.",
    ],
    ["who was let in", "Subjects were eligible if they had a history of Lyme disease with arthritis or carditis."],
    ["what announces a list", "The ontology provides the following list of signs and symptoms for Lyme disease."],
    ["what is looked for", "Therefore, researchers are looking for another way to diagnose Cushing syndrome."],
    ["what is expected", "Based on pilot findings, we expect an improvement of fatigue after 12 weeks of exercise."],
    ["what a text will say", "The Pharmacologic Treatment section will pertain to heart failure with low output."],
    ["what a trial will do", "Zinc will be given to the children, and diarrhoea will be counted for two weeks."],
    ["what is not known yet", "It is not yet known whether oestrogen increases the risk of a second breast cancer."],
    ["an objective behind a dash", "OBJECTIVES: - Evaluate the safety of oestrogen in women with breast cancer."],
    ["a need", "There is an urgent need for measures which prevent falls among older people."],
    ["what is to be done", "However, larger trials of exercise in patients with cancer-related fatigue are needed."],
    ["criteria without full stops", "Inclusion criteria: - age above 18 - written consent - no heart failure."],
  ])("%s", (_, text) => expect(inText(text)).toBe(false));

  test("a title that names a question", () => {
    const text = "Zinc or Micronutrient Supplementation to Reduce Diarrhea in Children: A Randomized Controlled Trial";
    expect(canAnswer({ text, section: "TITLE" })).toBe(false);
    expect(canAnswer({ text: "Results of treatment of Wilson disease: own cases", section: "TITLE" })).toBe(false);
    expect(canAnswer({ text: "Stem Cell Therapy in Heart Failure", section: "TITLE" })).toBe(false);
    const asked = "Improving prescribing for pneumonia: does decision support achieve more? A time series analysis";
    expect(canAnswer({ text: asked, section: "TITLE" })).toBe(false);
  });
});

describe("what sentences stand under", () => {
  const headingsOf = (
    abstract: Parameters<typeof indexedDocument>[0]["abstract"],
  ): (readonly [string, string | null])[] =>
    sentencesOf(indexedDocument({ id: "1", title: "Hypothyroidism", abstract }))
      .filter(({ section }) => section !== "TITLE")
      .map(({ text, heading }) => [text, heading]);

  test("questions and short titles on lines of their own", () => {
    const page =
      "Question: What are the symptoms of it ?\nAnswer: Hair falls out. Is that all? It is not.\nTreatment\nHormones replace it.";
    expect(headingsOf(page)).toEqual([
      ["Question: What are the symptoms of it ?", "What are the symptoms of it ?"],
      ["Hair falls out.", "What are the symptoms of it ?"],
      ["Is that all?", "What are the symptoms of it ?"],
      ["It is not.", "What are the symptoms of it ?"],
      ["Treatment", "Treatment"],
      ["Hormones replace it.", "Treatment"],
    ]);
  });

  test("labels of sections", () => {
    const sections = [[null, "It is common."] as const, ["METHODS", "Hormones were measured."] as const];
    expect(headingsOf(sections)).toEqual([
      ["It is common.", null],
      ["Hormones were measured.", "METHODS"],
    ]);
  });

  test("name what is asked about, something else, or nothing", () => {
    expect(namesFocus("treatment", "Is there any treatment?")).toBe(true);
    expect(namesFocus("cause", "Who is at risk?")).toBe(true);
    expect(namesFocus("cause", "What are the symptoms?")).toBe(false);
    expect(namesFocus("cause", "METHODS")).toBeUndefined();
    expect(namesFocus("cause", null)).toBeUndefined();
  });
});
