/** The shared metrics against scikit-learn, scipy and seqeval (scripts/goldens/metrics.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { auc, averagePrecision } from "./auc.ts";
import { quantile } from "./bootstrap.ts";
import { accuracy, macroF1, multiLabelMacroF1, multiLabelMicroF1, subsetAccuracy } from "./classification.ts";
import { pearson, ranks, spearman } from "./correlation.ts";
import type { Scores } from "./counts.ts";
import { entityScores, strictEntitiesOf } from "./entities.ts";
import { positiveFigures } from "./positives.ts";
import { ndcg, rankByScore, rankingAveragePrecision } from "./ranking.ts";
import { valueOf } from "./report.ts";

interface EntityGolden {
  micro: Scores;
  macro: Scores;
}

interface Golden {
  single: { gold: string[]; predicted: string[]; accuracy: number; macro: number; micro: number };
  multi: { gold: string[][]; predicted: string[][]; micro: number; macro: number; subset: number };
  correlation: { x: number[]; y: number[]; pearson: number; spearman: number; ranks: number[] }[];
  binary: { positive: boolean[]; scores: number[]; auc: number; averagePrecision: number }[];
  ranking: { grades: number[]; scores: number[]; ndcg: Record<string, number>; map: number }[];
  entities: EntityGolden & { gold: string[][]; predicted: string[][]; strict: EntityGolden };
  positives: Record<"gold" | "predicted", string[]> & Record<"one" | "three", number[]>;
  quantile: { values: number[]; q: Record<string, number> };
}

const file = new URL("../../test/goldens/metrics.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;

describe("metrics agree with scikit-learn, scipy and seqeval", () => {
  it("for single labels", () => {
    const { gold, predicted, ...expected } = golden.single;
    expect(accuracy(gold, predicted)).toBeCloseTo(expected.accuracy, 12);
    expect(macroF1(gold, predicted)).toBeCloseTo(expected.macro, 12);
    const wrap = (labels: string[]): string[][] => labels.map((label) => [label]);
    expect(multiLabelMicroF1(wrap(gold), wrap(predicted))).toBeCloseTo(expected.micro, 12);
  });

  it("for the classes that count, among others", () => {
    const { gold, predicted, one, three } = golden.positives;
    const found = (classes: string[]): number[] => {
      const figures = positiveFigures(gold, predicted, classes);
      return ["precision", "recall", "f1"].map((name) => valueOf({ figures }, name));
    };
    found(["a"]).forEach((value, i) => expect(value).toBeCloseTo(one[i]!, 12));
    found(["a", "b", "c"]).forEach((value, i) => expect(value).toBeCloseTo(three[i]!, 12));
  });

  it("for multi-label examples", () => {
    const { gold, predicted, ...expected } = golden.multi;
    const classes = ["a", "b", "c", "d"];
    expect(multiLabelMicroF1(gold, predicted, classes)).toBeCloseTo(expected.micro, 12);
    expect(multiLabelMacroF1(gold, predicted, classes)).toBeCloseTo(expected.macro, 12);
    expect(subsetAccuracy(gold, predicted)).toBeCloseTo(expected.subset, 12);
  });

  it.each(golden.correlation)("for correlations", ({ x, y, ...expected }) => {
    expect(pearson(x, y)).toBeCloseTo(expected.pearson, 12);
    expect(spearman(x, y)).toBeCloseTo(expected.spearman, 12);
    expect(ranks(x)).toEqual(expected.ranks);
  });

  it.each(golden.binary)("for areas under curves", ({ positive, scores, ...expected }) => {
    expect(auc(positive, scores)).toBeCloseTo(expected.auc, 12);
    expect(averagePrecision(positive, scores)).toBeCloseTo(expected.averagePrecision, 12);
  });

  it.each(golden.ranking)("for rankings", ({ grades, scores, ...expected }) => {
    const ranking = rankByScore(new Map(scores.map((score, i) => [`d${i}`, score])));
    const judgements = new Map(grades.map((grade, i) => [`d${i}`, grade]));
    for (const [k, value] of Object.entries(expected.ndcg)) {
      expect(ndcg(ranking, judgements, Number(k))).toBeCloseTo(value, 12);
    }
    expect(rankingAveragePrecision(ranking, judgements)).toBeCloseTo(expected.map, 12);
  });

  it("for entities, in seqeval's default mode and strictly", () => {
    const { gold, predicted, strict, ...usual } = golden.entities;
    const found = { usual: entityScores(gold, predicted), strict: entityScores(gold, predicted, strictEntitiesOf) };
    for (const average of ["micro", "macro"] as const) {
      for (const field of ["precision", "recall", "f1"] as const) {
        expect(found.usual[average][field]).toBeCloseTo(usual[average][field], 12);
        expect(found.strict[average][field]).toBeCloseTo(strict[average][field], 12);
      }
    }
    expect(found.strict.micro.f1).not.toBe(found.usual.micro.f1);
  });

  it("for quantiles", () => {
    const { values, q } = golden.quantile;
    for (const [at, value] of Object.entries(q)) expect(quantile(values, Number(at))).toBeCloseTo(value, 12);
  });
});
