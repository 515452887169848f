/** PubMedQA's splits: halves and folds with the same answers, and the very test articles that its authors publish. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import type { Example } from "./benchmark.ts";
import { readArticles } from "./pubmedqa.ts";
import { foldsOf } from "./pubmedqa-folds.ts";

const answers = { yes: 552, no: 338, maybe: 110 };

/** As many of each answer as there are in PubMedQA, by turns. */
const examples = Object.entries(answers)
  .flatMap(([gold, count]) => Array.from({ length: count }, (_, i) => ({ at: i / count, gold })))
  .sort((a, b) => a.at - b.at)
  .map(({ gold }, i): Example<string> => ({ id: `${i}`, text: "", gold }));

const countsOf = (some: readonly Example<string>[]): Record<string, number> =>
  Object.fromEntries(Object.keys(answers).map((answer) => [answer, some.filter(({ gold }) => gold === answer).length]));

test("every article is in one of 450, 50 and 500, each with the answers' shares", () => {
  const { train, valid, test: held } = foldsOf(examples);
  expect([train.length, valid.length, held.length]).toEqual([450, 50, 500]);
  expect(new Set([...train, ...valid, ...held].map(({ id }) => id)).size).toBe(1000);
  expect(countsOf(held)).toEqual({ yes: 276, no: 169, maybe: 55 });
  const { yes, no, maybe } = countsOf(valid);
  expect([yes, no, maybe].map((count, i) => Math.abs(count! - [27.6, 16.9, 5.5][i]!) < 1.5)).toEqual([
    true,
    true,
    true,
  ]);
});

test("the same articles in another order are split otherwise, in the same order alike", () => {
  const idsOf = (some: readonly Example<string>[]): string[] => foldsOf(some).test.map(({ id }) => id);
  expect(idsOf(examples)).toEqual(idsOf(examples));
  expect(idsOf(examples.toReversed())).not.toEqual(idsOf(examples));
});

const data = "data/benchmarks/pubmedqa";
test.skipIf(!hasShared(data))("the test articles are the published ones, in their order", async () => {
  const published = readFileSync(shared(`${data}/test_ground_truth.json`), "utf8");
  // Keys as they stand: an object would put numbers in their own order.
  const ids = [...published.matchAll(/"(\d+)":/g)].map(([, id]) => id!);
  const found = foldsOf(await readArticles(shared(`${data}/ori_pqal.json`)));
  expect(found.test.map(({ id }) => id)).toEqual(ids);
});
