/** How keys rank answers, as plain data. */
import { expect, test } from "vitest";
import { type Draft, draftOf, mark, pick, pickWord, rankWord, says, tie } from "../src/page/feedback-model.ts";

const blank = (answers: number): Draft => draftOf({ answers: Array.from({ length: answers }, () => ""), own: null });
/** "1 t 3": a draft of so many answers after these keys. */
const after = (answers: number, keys: string): Draft =>
  keys.split(" ").reduce((draft, key) => (key === "t" ? tie(draft) : pick(draft, Number(key) - 1)), blank(answers));

test.each([
  [2, "1", [1, 2]],
  [2, "1 2", [2, 1]],
  [2, "2 2", [2, 1]],
  [2, "t", [1, 1]],
  [2, "1 t", [1, 1]],
  [2, "t 2", [2, 1]],
  [3, "2", [null, 1, null]],
  [3, "2 3", [3, 1, 2]],
  [3, "2 3 t", [2, 1, 2]],
  [3, "2 t 3", [2, 1, 1]],
  [3, "2 t t 3", [3, 1, 2]],
  [3, "2 3 1", [1, null, null]],
  [4, "4 2", [null, 2, null, 1]],
  [4, "4 2 2", [null, 1, null, null]],
  [4, "t", [1, 1, 1, 1]],
  [4, "1 t 2 t 3", [1, 1, 1, 2]],
])("of %i answers, %s ranks them %j", (answers, keys, ranks) => {
  expect(after(answers, keys).ranks).toEqual(ranks);
});

test("words say what an answer is, and what a key would make of it", () => {
  expect([0, 1].map((place) => rankWord([2, 1], place))).toEqual(["worse", "better"]);
  expect([0, 1, 2].map((place) => rankWord([1, 1, null], place))).toEqual(["1st, equal", "1st, equal", ""]);
  expect([blank(2), blank(4), after(4, "1"), after(4, "1 t")].map(pickWord)).toEqual([
    "Better",
    "Best",
    "2nd?",
    "also 1st?",
  ]);
});

test("a mark is set and taken away; one alone says something", () => {
  expect(says(blank(2))).toBe(false);
  const marked = mark(blank(2), 1);
  expect([marked.wrong, says(marked)]).toEqual([[false, true], true]);
  expect(mark(marked, 1).wrong).toEqual([false, false]);
});
