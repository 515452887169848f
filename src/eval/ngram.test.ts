import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { ngramPerplexity, trainNgrams } from "./ngram.ts";

const vocab = 7;
const numbers = random(5);
const ids = Array.from({ length: 300 }, () => Math.floor(vocab * numbers.next() ** 2));

test("after any context, seen or not, the probabilities of all tokens add up to one", () => {
  const model = trainNgrams(ids, vocab + 1); // the last token never occurs
  for (let a = 0; a <= vocab; a++) {
    for (let b = 0; b <= vocab; b++) {
      let sum = 0;
      for (let c = 0; c <= vocab; c++) sum += Math.exp(model.trigram(a, b, c));
      expect(sum).toBeCloseTo(1, 10);
    }
  }
  expect(Array.from({ length: vocab + 1 }, (_, c) => Math.exp(model.unigram(c))).reduce((x, y) => x + y)).toBeCloseTo(
    1,
    10,
  );
});

test("a text of one rule is nearly certain for the trigram and not for the unigram", () => {
  const cycle = Array.from({ length: 400 }, (_, i) => i % vocab);
  const { unigram, trigram } = ngramPerplexity(trainNgrams(cycle, vocab), cycle);
  expect(unigram).toBeCloseTo(vocab, 0);
  expect(trigram).toBeLessThan(1.05);
});

test("a trigram's probability by hand: (2 - D) / 3 and what is left for the lower order", () => {
  const model = trainNgrams([0, 1, 2, 0, 1, 2, 0, 1, 3], 4);
  const trigrams = { "0 1 2": 2, "1 2 0": 2, "2 0 1": 2, "0 1 3": 1 };
  const discount = 1 / (1 + 2 * 3); // one seen once, three seen twice
  expect(Object.keys(trigrams)).toHaveLength(4);
  // Pairs by contexts: 1 2, 2 0, 0 1, 1 3 once each: D = 1, so the pair's own share is 0 and all is the base's.
  const base = (1 + 0.5) / (4 + 0.5 * 4);
  expect(Math.exp(model.trigram(0, 1, 2))).toBeCloseTo((2 - discount) / 3 + ((discount * 2) / 3) * base, 10);
});
