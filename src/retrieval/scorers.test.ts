/** Scores of any model by one way: which class of a cross-encoder is the score. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { evaluateRetrieval } from "../eval/retrieval.ts";
import { evaluateSimilarity } from "../eval/similarity.ts";
import { openScorer } from "./scorers.ts";

const folder = fileURLToPath(new URL("../../test/goldens/retrieval", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as {
  pairs: [string, string][];
  scores: Record<string, { logits: number[] }>;
};
const { pairs } = goldens;
const options = { threads: 1 } as const;

describe("a cross-encoder with several classes", () => {
  const model = `${folder}/cross-three`;

  test("gives the log-odds of the class that is named", async () => {
    const { logits } = goldens.scores["cross-three"]!;
    for (const [k, label] of ["LABEL_0", "LABEL_1", "LABEL_2"].entries()) {
      await using scorer = await openScorer(model, { ...options, label });
      const scores = await scorer.pairs(pairs);
      expect(scores).toHaveLength(pairs.length);
      pairs.forEach((_, i) => {
        const powers = logits.slice(3 * i, 3 * i + 3).map(Math.exp);
        const share = powers[k]! / powers.reduce((sum, one) => sum + one, 0);
        expect(scores[i]).toBeCloseTo(Math.log(share / (1 - share)), 3);
      });
    }
  });

  test("is refused where none is named, or one that there is not", async () => {
    await expect(openScorer(model, options)).rejects.toThrow(
      /cross-three: expected a reranker with one score, got one with classes LABEL_0, LABEL_1, LABEL_2/,
    );
    await expect(openScorer(model, { ...options, label: "right" })).rejects.toThrow(
      'label: expected one of LABEL_0, LABEL_1, LABEL_2, got "right"',
    );
  });

  test("can be evaluated by the class that is named", async () => {
    await using scorer = await openScorer(model, { ...options, label: "LABEL_1" });
    const some = pairs.concat(pairs.map(([a, b]): [string, string] => [`${a} heart`, `${b} kidney`]));
    const report = await evaluateSimilarity(
      scorer,
      some,
      { kind: "random", perPositive: 1, seed: 1 },
      { resamples: 5 },
    );
    expect(report.figures.every(({ value }) => Number.isFinite(value))).toBe(true);
    const set = {
      documents: some.map(([, text], i) => ({ id: `d${i}`, title: "", text })),
      queries: new Map([["q", "insulin"]]),
      judgements: new Map([["q", new Map([["d0", 1]])]]),
    };
    expect((await evaluateRetrieval(scorer, set)).examples).toBe(1);
  });
});

test.each(["mean", "colbert", "cross-one", "bm25"])("%s has one score, and no class of it", async (name) => {
  const model = name === "bm25" ? name : `${folder}/${name}`;
  await using scorer = await openScorer(model, options);
  expect(await scorer.pairs(pairs)).toHaveLength(pairs.length);
  const wanted = name === "cross-one" ? "expected one of LABEL_0" : "expected none for";
  await expect(openScorer(model, { ...options, label: "x" })).rejects.toThrow(`label: ${wanted}`);
});
