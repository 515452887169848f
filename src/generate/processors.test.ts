/** Logits processors on literal vectors; expected values computed with transformers 5.3.0's classes. */
import { describe, expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import {
  badWords,
  kthLargest,
  minimumLength,
  minP,
  namedTokens,
  noRepeatNgrams,
  type Processor,
  repetitionPenalty,
  temperature,
  topK,
  topP,
} from "./processors.ts";
import { bestContinuations, draw, logSumExp } from "./scores.ts";

const scores = [1.5, -0.5, 0.25, 3, -2, 0.25, 1, 2];
const ids = [1, 3, 5, 1, 3];
const no = -Infinity;

function expectScores(processors: readonly Processor[], expected: readonly number[]): void {
  const actual = Float32Array.from(scores);
  for (const process of processors) process(ids, actual);
  actual.forEach((score, i) => {
    if (expected[i] === no) expect(score, `token ${i}`).toBe(no);
    else expect(score, `token ${i}`).toBeCloseTo(expected[i]!, 4);
  });
}

describe("processors give what transformers gives", () => {
  const cases: [string, Processor[], number[]][] = [
    ["temperature", [temperature(0.7)], [2.14286, -0.71429, 0.35714, 4.28571, -2.85714, 0.35714, 1.42857, 2.85714]],
    ["top-k", [topK(3)], [1.5, no, no, 3, no, no, no, 2]],
    ["top-k with ties at the edge", [topK(6)], [1.5, no, 0.25, 3, no, 0.25, 1, 2]],
    ["top-k beyond the vocabulary", [topK(50)], scores],
    ["top-p", [topP(0.8)], [1.5, no, no, 3, no, no, no, 2]],
    ["top-p below the most likely token", [topP(0.3)], [no, no, no, 3, no, no, no, no]],
    ["top-p keeping two", [topP(0.3, 2)], [no, no, no, 3, no, no, no, 2]],
    ["min-p", [minP(0.2)], [1.5, no, no, 3, no, no, no, 2]],
    ["repetition penalty", [repetitionPenalty(1.3)], [1.5, -0.65, 0.25, 2.30769, -2, 0.19231, 1, 2]],
    ["no repeated 1-grams", [noRepeatNgrams(1)], [1.5, no, 0.25, no, -2, no, 1, 2]],
    ["no repeated 2-grams", [noRepeatNgrams(2)], [1.5, -0.5, 0.25, 3, -2, no, 1, 2]],
    ["no repeated 3-grams", [noRepeatNgrams(3)], [1.5, -0.5, 0.25, 3, -2, no, 1, 2]],
    ["no repeated 7-grams", [noRepeatNgrams(7)], scores],
    [
      "bad words",
      [badWords([[2], [7], [3, 6], [1, 3, 0], [5, 4], [1, 1, 3, 5, 1, 3]], [2])],
      [no, -0.5, 0.25, 3, -2, 0.25, no, no],
    ],
    ["minimum length not reached", [minimumLength(6, [2])], [1.5, -0.5, no, 3, -2, 0.25, 1, 2]],
    ["minimum length reached", [minimumLength(5, [2])], scores],
    [
      "repetition penalty, temperature, top-k and top-p in this order",
      [repetitionPenalty(1.3), temperature(0.7), topK(5), topP(0.85)],
      [2.14286, no, no, 3.2967, no, no, no, 2.85714],
    ],
  ];
  test.each(cases)("%s", (_name, processors, expected) => expectScores(processors, expected));
});

test.each([1e-37, 1e-45, 5e-324])(
  "a temperature of %s, at which scores overflow, takes the most likely token",
  (value) => {
    for (const row of [
      [1.5, -0.5, 3, 2],
      [-7, -5, -6],
      [12, -Infinity, 13],
    ]) {
      const scores = Float32Array.from(row);
      for (const process of [temperature(value), topK(3), topP(0.9), minP(0.1)]) process([], scores);
      expect(scores.some(Number.isNaN)).toBe(false);
      for (let i = 0; i < 20; i++) expect(row[draw(scores, random(i))]).toBe(Math.max(...row));
    }
  },
);

test("scores that a penalty made infinite are drawn from, not summed", () => {
  const scores = Float32Array.of(1, 2, 3, 0.5);
  repetitionPenalty(1e-300)([1], scores);
  expect(draw(scores, random(1))).toBe(1);
});

describe("arithmetic over scores", () => {
  test("the k-th largest value is that of the sorted list", () => {
    const numbers = random(7);
    for (let round = 0; round < 50; round++) {
      const values = Float32Array.from({ length: 40 }, () => Math.round(8 * numbers.normal()) + 0.5);
      const sorted = values.toSorted().toReversed();
      for (const k of [1, 2, 17, 39, 40]) expect(kthLargest(values, k)).toBe(sorted[k - 1]);
    }
  });

  test("the best continuations are those of the sorted list", () => {
    const numbers = random(8);
    const rows = [0, 1, 2].map(() => Float32Array.from({ length: 30 }, () => numbers.normal()));
    const offsets = [-1, 0.5, 0];
    const all = rows.flatMap((row, r) => [...row].map((score, id) => ({ row: r, id, score: score + offsets[r]! })));
    all.sort((a, b) => b.score - a.score);
    const found = bestContinuations(rows, offsets, 8);
    expect(found.map(({ row, id }) => [row, id])).toEqual(all.slice(0, 8).map(({ row, id }) => [row, id]));
  });

  test("draws follow the distribution", () => {
    const row = Float32Array.from(scores);
    const normaliser = logSumExp(row);
    const counts = Array<number>(row.length).fill(0);
    const total = 20_000;
    for (let i = 0; i < total; i++) counts[draw(row, random(3, i))]!++;
    const chi = counts.reduce((sum, count, i) => {
      const expected = total * Math.exp(row[i]! - normaliser);
      return sum + (count - expected) ** 2 / expected;
    }, 0);
    expect(chi).toBeLessThan(24.3); // 7 degrees of freedom, one in a thousand
  });

  test("draws without replacement give the first draw its probability", () => {
    const row = Float32Array.from(scores);
    const normaliser = logSumExp(row);
    const total = 5000;
    let first = 0;
    for (let i = 0; i < total; i++) {
      const found = bestContinuations([row], [0], 3, random(4, i));
      expect(new Set(found.map(({ id }) => id)).size).toBe(3);
      if (found[0]!.id === 3) first++;
    }
    expect(Math.abs(first / total - Math.exp(3 - normaliser))).toBeLessThan(0.03);
  });
});

test("rows that no token has are never chosen, and nothing is done where there are none", () => {
  expectScores(namedTokens(8, { vocabSize: 6 }), [...scores.slice(0, 6), no, no]);
  expect(namedTokens(8, { vocabSize: 8 })).toEqual([]);
  expect(namedTokens(8, {})).toEqual([]);
});
