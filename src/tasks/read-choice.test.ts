/** What written answers mean, and which mean nothing that could be counted. */
import { expect, test } from "vitest";
import { readChoice } from "./read-choice.ts";

const letters = ["A", "B", "C", "D"];
const texts = ["Warfarin", "Vitamin C", "A beta blocker", "A beta blocker and warfarin"];
const read = (answer: string): string | undefined => readChoice(answer, letters, texts);

test.each([
  ["B", "B"],
  [" b", "B"],
  ["(B)", "B"],
  ["B.", "B"],
  ["B) Vitamin C", "B"],
  ["**B**", "B"],
  ["B. Vitamin C\n\nQuestion: Which of these?\nA. One", "B"],
  ["The answer is B", "B"],
  ["The answer is (B).", "B"],
  ["the correct answer is: **C**", "C"],
  ["The correct option is D, since A and B are wrong.", "D"],
  ["Answer: A", "A"],
  ["The final answer is $\\boxed{C}$.", "C"],
  ["The answer to this question would be option D.", "D"],
  ["The answer is b.", "B"],
  ["The answer is A because the others are not.", "A"],
  ["A is wrong and so is B. The answer is B? No: the answer is C.", "C"],
  ["Let us think. The answer is D. Option A is wrong.", "D"],
  ["It could be (A), but only (A) fits.", "A"],
  ["I would take option C", "C"],
  ["Warfarin", "A"],
  ["It is vitamin c.", "B"],
  ["The answer is a beta blocker", "C"],
  ["The answer is a beta blocker and warfarin.", "D"],
  ["We reason at length.\nSo:\nC", "C"],
])("%j is %s", (answer, label) => expect(read(answer)).toBe(label));

test.each([
  [""],
  ["A 45-year-old man comes to the physician."],
  ["The answer is not given."],
  ["The answer is B or C."],
  ["The answer is (A) and (D)."],
  ["Both (A) and (B) are right."],
  ["Warfarin or vitamin C"],
  ["I do not know."],
  ["C reactive protein"],
  ["The answer is C reactive protein."],
  ["E"],
])("%j is nothing", (answer) => expect(read(answer)).toBeUndefined());

test("labels may be words", () => {
  const answers = ["yes", "no", "maybe"];
  const of = (answer: string): string | undefined => readChoice(answer, answers);
  expect(["Yes, it does.", "no", "Maybe.", "**No**"].map(of)).toEqual(["yes", "no", "maybe", "no"]);
  expect(of("There was no difference, so the answer is yes.")).toBe("yes");
  expect(of("the answer to the question given the context is maybe.")).toBe("maybe");
  expect(["There was no difference.", "not at all", "nobody knows", ""].map(of)).toEqual(Array(4).fill(undefined));
});
