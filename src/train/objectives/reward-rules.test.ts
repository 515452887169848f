/** Each rule on answers that are right, half right and wrong. */
import { expect, test } from "vitest";
import { type SampledAnswer, rewardRule, ruleReward } from "./reward-rules.ts";

const answerOf = (text: string, more: Partial<SampledAnswer> = {}): SampledAnswer => ({
  prompt: "p",
  text,
  ids: [5, 6, 2],
  ended: true,
  fields: {},
  where: "prompts.jsonl:3",
  ...more,
});
const rewardOf = (rule: object, text: string, more?: Partial<SampledAnswer>): number =>
  ruleReward(rewardRule.parse(rule), answerOf(text, more));

test("length: 1 within the bounds, in proportion outside, 0 at none and from twice the most", () => {
  const rule = { rule: "length", least: 4, most: 10 };
  const words = (count: number): string => Array.from({ length: count }, () => "word").join(" ");
  expect([0, 2, 4, 10, 15, 20, 40].map((count) => rewardOf(rule, words(count)))).toEqual([0, 0.5, 1, 1, 0.5, 0, 0]);
  expect(rewardOf({ rule: "length", unit: "tokens", most: 2 }, "any", { ids: [1, 2, 3] })).toBe(0.5);
});

test("contains: the share of texts that stand there as whole words, in any case", () => {
  const rule = { rule: "contains", texts: ["aspirin", "platelet aggregation"] };
  expect(rewardOf(rule, "Aspirin stops platelet\naggregation.")).toBe(1);
  expect(rewardOf(rule, "ASPIRIN stops platelets.")).toBe(0.5);
  expect(rewardOf(rule, "Aspirins.")).toBe(0);
});

test("facts: the same of the facts in the prompt's line, which must be there", () => {
  const fields = { facts: ["100 mg", "warfarin"] };
  expect(rewardOf({ rule: "facts" }, "We gave 100 mg.", { fields })).toBe(0.5);
  expect(() => rewardOf({ rule: "facts" }, "We gave 100 mg.")).toThrow(/prompts\.jsonl:3: facts: expected/);
  expect(() => rewardOf({ rule: "facts" }, "x", { fields: { facts: [] } })).toThrow(/prompts\.jsonl:3: facts/);
});

test("choice: the answer is read as a letter, as the text behind it, or as a word", () => {
  const letters = { answer: "B", choices: ["Aspirin", "Warfarin"] };
  const read = (text: string, fields: SampledAnswer["fields"] = letters): number =>
    rewardOf({ rule: "choice" }, text, { fields });
  expect(["The answer is B.", "B", "(B) Warfarin", "It must be warfarin."].map((text) => read(text))).toEqual([
    1, 1, 1, 1,
  ]);
  expect(["The answer is A.", "Aspirin or warfarin.", ""].map((text) => read(text))).toEqual([0, 0, 0]);
  const named = { answer: "C", choices: { A: "one", C: "three" } };
  expect([read("Answer: C", named), read("Answer: A", named)]).toEqual([1, 0]);
  const words = { answer: "no", choices: ["yes", "no", "maybe"] };
  expect([read("No, it is not.", words), read("yes", words)]).toEqual([1, 0]);
  expect(() => read("B", { choices: ["a"] })).toThrow(/prompts\.jsonl:3: answer: expected/);
  expect(() => read("B", { answer: "E", choices: ["a", "b"] })).toThrow(/answer: expected one of A, B, got "E"/);
});

test("json: 1 for JSON, 0 for none, and of wanted fields the share that an object has", () => {
  expect(rewardOf({ rule: "json" }, ' {"dose": 100} ')).toBe(1);
  expect(rewardOf({ rule: "json" }, '```json\n{"dose": 100}\n```')).toBe(1);
  expect(rewardOf({ rule: "json" }, '{"dose": 100')).toBe(0);
  const rule = { rule: "json", fields: ["drug", "dose"] };
  expect(rewardOf(rule, '{"dose": 100}')).toBe(0.5);
  expect(rewardOf(rule, "[1]")).toBe(0);
  expect(rewardOf({ rule: "json", fields: ["toString"] }, "{}")).toBe(0);
});

test("ended: whether the end token was reached", () => {
  expect([true, false].map((ended) => rewardOf({ rule: "ended" }, "x", { ended }))).toEqual([1, 0]);
});

test("an unknown rule or field is refused, and the weight is 1 where none is given", () => {
  expect(() => rewardRule.parse({ rule: "lenght" })).toThrow();
  expect(() => rewardRule.parse({ rule: "ended", wieght: 2 })).toThrow();
  expect(rewardRule.parse({ rule: "ended" }).weight).toBe(1);
});
