/** Questions with choices: which choice scores mean, and figures that can be worked out by hand. */
import { describe, expect, test } from "vitest";
import { valueOf } from "../metrics/report.ts";
import { type ChoiceAnswer, type ChoiceExample, lettered, multipleChoice, questionOfText } from "./multiple-choice.ts";

const settings = {
  name: "toy",
  version: "1",
  description: "Questions",
  read: async () => [],
  exampleOf: questionOfText,
  source: ({ text, choices }: ChoiceExample) => `${text}\n${lettered(choices)}Answer:`,
};
const texts = ["Warfarin", "Zinc", "Iron", "Heparin"];
const lettersToy = multipleChoice<ChoiceExample>({
  ...settings,
  labels: ["A", "B", "C", "D"],
  texts: ({ choices }) => choices,
});
const wordsToy = multipleChoice<ChoiceExample>({ ...settings, labels: ["yes", "no", "maybe"] });
const example = (gold: string, id = "1"): ChoiceExample => ({ id, text: "Which?", gold, choices: texts });

describe("scores of choices", () => {
  test("mean the likeliest, and the likeliest a character", () => {
    // A character: −1, −1.25, −0.8.
    const answer = wordsToy.choices!.answer(example("no"), [-3, -2.5, -4]) as Exclude<ChoiceAnswer, "failed">;
    expect(answer).toMatchObject({ choice: "no", byLength: "maybe" });
    expect(answer.probabilities!.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
    expect(answer.probabilities![1]! / answer.probabilities![0]!).toBeCloseTo(Math.exp(0.5), 12);
  });

  test("mean the first of equals", () => {
    expect(wordsToy.choices!.answer(example("no"), [-2, -2, -9])).toMatchObject({ choice: "yes" });
  });

  test("are asked for with a blank before each label, and for likeness with what letters stand for", () => {
    expect(lettersToy.choices!.of(example("A"))).toEqual([" A", " B", " C", " D"]);
    expect(lettersToy.choices!.texts!(example("A"))).toEqual(texts);
    expect(wordsToy.choices).not.toHaveProperty("texts");
    expect([lettersToy.target(example("C")), lettersToy.plain!(example("C"))]).toEqual([" C", "Which?"]);
  });
});

describe("figures", () => {
  const gold = ["A", "B", "A", "A"];
  const examples = gold.map((one, i) => example(one, `${i}`));
  const scored = (choice: string, byLength: string): ChoiceAnswer => ({
    choice,
    byLength,
    probabilities: ["A", "B", "C", "D"].map((label) => (label === choice ? 0.7 : 0.1)),
  });

  test("are accuracies with the sample's standard error, beside the commonest answer and chance", () => {
    const answers = [scored("A", "A"), scored("B", "C"), scored("A", "B"), scored("C", "A")];
    const report = lettersToy.evaluate(examples, answers);
    expect(report).toMatchObject({ primary: "acc", failed: 0 });
    // 1, 1, 1, 0: a variance of 0.25, over the root of four.
    expect(valueOf(report, "acc")).toBe(0.75);
    expect(valueOf(report, "acc_stderr")).toBeCloseTo(0.25, 12);
    expect(valueOf(report, "acc_norm")).toBe(0.5);
    expect(valueOf(report, "majority_acc")).toBe(0.75);
    expect(valueOf(report, "random_acc")).toBe(0.25);
    // What is believed at 0.7 is right in three of four.
    expect(valueOf(report, "calibration_error")).toBeCloseTo(0.05, 12);
    expect(lettersToy.scores!(examples, answers)).toEqual([1, 1, 1, 0]);
  });

  test("of written answers have no accuracy by length and no calibration, and count what could not be read", () => {
    const report = lettersToy.evaluate(examples, ["failed", { choice: "B" }, { choice: "A" }, { choice: "A" }]);
    expect(report.failed).toBe(1);
    expect(valueOf(report, "acc")).toBe(0.75);
    const names = report.figures.map(({ name }) => name);
    expect(names).not.toContain("acc_norm");
    expect(names).not.toContain("calibration_error");
  });

  test("of one answer have a standard error of 0, and answers must be as many as examples", () => {
    expect(valueOf(lettersToy.evaluate(examples.slice(0, 1), ["failed"]), "acc_stderr")).toBe(0);
    expect(() => lettersToy.evaluate(examples, [])).toThrow(/toy: expected 4 predictions, one an example, got 0/);
  });

  test("of the baseline are those of training's commonest answer", () => {
    expect(lettersToy.baseline!.answers(examples, examples.slice(0, 2))).toEqual([{ choice: "A" }, { choice: "A" }]);
  });
});

test("a written answer is read with its prompt before it, and without", () => {
  const one = example("B");
  expect(lettersToy.parse(`${lettersToy.source(one)} B`, one)).toEqual({ choice: "B" });
  expect(lettersToy.parse("It is zinc.", one)).toEqual({ choice: "B" });
  expect(lettersToy.parse("I do not know.", one)).toBe("failed");
  // The prompt's own letters are no answer.
  expect(lettersToy.parse(lettersToy.source(one), one)).toBe("failed");
});

test("a text of a user's own is a question and four choices between tabs", () => {
  expect(questionOfText("7", "Which? \tone\ttwo\tthree\tfour")).toEqual({
    id: "7",
    text: "Which?",
    gold: "",
    choices: ["one", "two", "three", "four"],
  });
  for (const text of ["Which?", "\ta\tb\tc\td", "Which?\ta\tb\tc", "Which?\ta\tb\tc\td\te"]) {
    expect(() => questionOfText("7", text)).toThrow(/text 7: expected a question and 4 choices, tabs between them/);
  }
});
