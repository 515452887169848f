/** Pairs of sampled answers: the best against the worst of a question, where that says something. */
import { expect, test } from "vitest";
import { isSampled, pairOfSampled } from "./sampled-answers.ts";

/** Scores that agree to a share with the reference, and state or contradict so many percent of it. */
function scored(agrees: number, comprehensive: number, hallucination: number): object {
  const parts = ["rouge1_f1", "rouge2_f1", "rougel_f1", "bleurt", "bert_score_f1"].map((name) => [name, agrees]);
  return { ...Object.fromEntries(parts), comprehensive, hallucination };
}
const line = (answers: readonly string[], scores: readonly object[]): object => ({
  Question: "Is asthma curable?",
  sample_predictions: answers,
  prediction_scores: scores,
});

test("the best answer is chosen against the worst, without the prompt that some begin with", () => {
  const value = line(
    ["Yes.", "Is asthma curable?assistant\n\nNo, but it can be controlled.\n", "Perhaps."],
    [scored(0.2, 0, 50), scored(0.4, 80, 0), scored(0.3, 20, 0)],
  );
  expect(isSampled(value)).toBe(true);
  expect(isSampled({ prompt: "", chosen: "", rejected: "" })).toBe(false);
  expect(pairOfSampled(value, "a:1")).toEqual({
    prompt: "Is asthma curable?",
    chosen: " No, but it can be controlled.",
    rejected: " Yes.",
  });
});

test("answers that are as good, or the same, are no pair", () => {
  expect(pairOfSampled(line(["No.", "Yes."], [scored(0.3, 20, 0), scored(0.32, 24, 0)]), "a:1")).toBeUndefined();
  expect(pairOfSampled(line(["No.", "No."], [scored(0.3, 20, 0), scored(0.3, 90, 0)]), "a:1")).toBeUndefined();
});

test("what is amiss is said with its place", () => {
  expect(() => pairOfSampled(line(["No.", "Yes."], [scored(0.3, 20, 0)]), "a:7")).toThrow(
    "a:7: expected as many sample_predictions as prediction_scores, got 2 and 1",
  );
  expect(() => pairOfSampled(line(["No.", "Yes."], [scored(0.3, 20, 0), scored(3, 0, 0)]), "a:7")).toThrow(
    /a:7: prediction_scores\[?\.?1\]?\.rouge1_f1: expected/,
  );
});
