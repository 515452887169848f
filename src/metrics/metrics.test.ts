/** The metrics on cases worked by hand. */
import { describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { auc } from "./auc.ts";
import { bc5cdrCounts } from "./bc5cdr.ts";
import { bootstrap } from "./bootstrap.ts";
import { accuracy, classCounts, macroF1, majority } from "./classification.ts";
import { pearson, spearman } from "./correlation.ts";
import { countSets, mean, scores } from "./counts.ts";
import { entitiesOf, entityScores, strictEntitiesOf } from "./entities.ts";
import { abbreviationOf, bodyOf, hardMatch, normalizeName, type Relation } from "./hard-match.ts";
import { multiLabelFigures, singleLabelFigures } from "./labels.ts";
import {
  ndcg,
  precisionAt,
  rankByScore,
  rankingAveragePrecision,
  recallAt,
  reciprocalRank,
  retrievalScores,
} from "./ranking.ts";
import { valueOf } from "./report.ts";

const relation = (head: string, tail: string, kind = "inhibitor"): Relation => ({ head, tail, relation: kind });

describe("counts", () => {
  it("counts sets, not lists", () => {
    const counts = countSets(["a", "a", "b", "c"], ["a", "d", "d"]);
    expect(counts).toEqual({ tp: 1, fp: 2, fn: 1 });
    expect(scores(counts)).toEqual({ precision: 1 / 3, recall: 1 / 2, f1: 2 / 5 });
    expect(scores({ tp: 0, fp: 0, fn: 0 })).toEqual({ precision: 0, recall: 0, f1: 0 });
  });
});

describe("the official BC5CDR score", () => {
  const gold = new Map([["1", [{ chemical: "D1", disease: "D2" }]]]);
  it("knows namespaces, directions and duplicates", () => {
    const same = { chemical: "MESH:D1", disease: "D2" };
    expect(bc5cdrCounts(gold, new Map([["1", [same, same]]]))).toEqual({ tp: 1, fp: 0, fn: 0 });
    expect(bc5cdrCounts(gold, new Map([["1", [{ chemical: "D2", disease: "D1" }]]]))).toEqual({ tp: 0, fp: 1, fn: 1 });
    expect(bc5cdrCounts(gold, new Map([["1", [{ chemical: "CHEBI:D1", disease: "D2" }]]])).fp).toBe(1);
  });

  it("counts names without identifier as false positives, and drops documents that gold lacks", () => {
    const unknown = { chemical: "-1", disease: "D2" };
    const predicted = new Map([
      ["1", [unknown]],
      ["2", [{ chemical: "D1", disease: "D2" }]],
    ]);
    expect(bc5cdrCounts(gold, predicted)).toEqual({ tp: 0, fp: 1, fn: 1 });
    expect(bc5cdrCounts(gold, new Map())).toEqual({ tp: 0, fp: 0, fn: 1 });
  });
});

describe("hard match", () => {
  it("normalises names", () => {
    expect(normalizeName("kinase 3")).toBe("kinaseIII");
    expect(normalizeName("kinase 13")).toBe("kinase13");
    expect(normalizeName("p2")).toBe("p2");
    expect(normalizeName("l-type channel, α1")).toBe("lchannelI");
    expect(bodyOf("janus kinase 3 (jak-3)")).toBe("januskinaseIII");
    expect(abbreviationOf("janus kinase 3 (jak-3)")).toBe("jakIII");
    expect(abbreviationOf("janus kinase")).toBe("januskinase");
  });

  it("takes the better view of each metric", () => {
    const gold = [relation("X", "Monoamine oxidase A (MAO-A)")];
    const value = (predicted: Relation[], name: string): number =>
      valueOf({ figures: hardMatch([{ gold, predicted }]) }, name);
    expect(value([relation("x", "mao-a")], "mean_document_f1")).toBe(1);
    expect(value([relation("x", "monoamine oxidase a")], "mean_document_f1")).toBe(1);
    expect(value([relation("x", "mao-a")], "exact_micro_f1")).toBe(0);
    expect(value([relation("failed", "failed", "failed")], "predicted_triples")).toBe(0);
  });

  it("distinguishes the mean of document F1 from micro-F1", () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((tail) => relation("h", tail)) as [
      Relation,
      Relation,
      Relation,
      Relation,
    ];
    const report = {
      figures: hardMatch([
        { gold: [a], predicted: [a] }, // P 1, R 1, F1 1
        { gold: [a, b, c, d], predicted: [a] }, // P 1, R 1/4, F1 2/5
        { gold: [b], predicted: [] }, // 0
      ]),
    };
    expect(valueOf(report, "mean_document_f1")).toBeCloseTo(1.4 / 3, 12);
    expect(valueOf(report, "mean_precision")).toBeCloseTo(2 / 3, 12);
    expect(valueOf(report, "mean_recall")).toBeCloseTo(1.25 / 3, 12);
    expect(valueOf(report, "f1_of_means")).toBeCloseTo((2 * (2 / 3) * (1.25 / 3)) / (2 / 3 + 1.25 / 3), 12);
    expect(valueOf(report, "micro_f1")).toBe(4 / 8); // tp 2, fp 0, fn 4
    expect(valueOf(report, "tail_accuracy")).toBeCloseTo(1.25 / 3, 12);
    expect(valueOf(report, "ontology_recall")).toBe(1 / 4); // corpus-wide sets {a} and {a, b, c, d}
  });

  it("gives full marks to an empty answer where there is nothing to find", () => {
    const report = { figures: hardMatch([{ gold: [], predicted: [] }]) };
    expect(valueOf(report, "mean_document_f1")).toBe(1);
    expect(valueOf(report, "relation_accuracy")).toBe(1);
  });
});

describe("labels", () => {
  const gold = [["empty"], ["x"], ["x", "y"], ["empty"]];
  it("gives micro-F1 with and without the class for nothing", () => {
    const predicted = [["empty"], ["empty"], ["y", "failed"], ["empty"]];
    const figures = multiLabelFigures(gold, predicted, { classes: ["x", "y", "empty"], none: "empty" });
    expect(valueOf({ figures }, "micro_f1")).toBe(6 / 9); // tp 3, fp 1, fn 2
    expect(valueOf({ figures }, "micro_f1_without_none")).toBe(2 / 4); // tp 1, fn 2
    expect(valueOf({ figures }, "macro_f1")).toBe((0 + 1) / 2);
    expect(valueOf({ figures }, "subset_accuracy")).toBe(2 / 4);
    expect(valueOf({ figures }, "majority_micro_f1")).toBe(4 / 9); // tp 2, fp 2, fn 3
  });

  it("resamples documents, not sentences", () => {
    const predicted = [["empty"], ["x"], ["y"], ["x"]];
    const documents = ["1", "1", "1", "1"];
    const options = { classes: ["x", "y", "empty"], documents, bootstrap: { seed: 1, resamples: 20 } };
    const [micro] = multiLabelFigures(gold, predicted, options);
    expect([micro?.interval?.low, micro?.interval?.high]).toEqual([micro?.value, micro?.value]);
  });

  it("gives accuracy, macro-F1 and what the commonest answer scores", () => {
    const figures = singleLabelFigures(["yes", "yes", "no"], ["yes", "failed", "no"]);
    expect(valueOf({ figures }, "accuracy")).toBeCloseTo(2 / 3, 12);
    expect(valueOf({ figures }, "macro_f1")).toBeCloseTo((2 / 3 + 1 + 0) / 3, 12);
    expect(valueOf({ figures }, "majority_accuracy")).toBeCloseTo(2 / 3, 12);
    expect(macroF1(["yes", "yes", "no"], ["yes", "failed", "no"])).toBeCloseTo(valueOf({ figures }, "macro_f1"), 12);
  });

  it("ignores labels that are not a class, and refuses lists of different lengths", () => {
    expect(classCounts([["a"]], [["a", "b"]], ["a"]).get("a")).toEqual({ tp: 1, fp: 0, fn: 0 });
    expect(() => accuracy(["a"], [])).toThrow(DataError);
    expect(majority(["b", "a", "a", "b"])).toBe("b");
  });
});

describe("bootstrap", () => {
  it("gives the same interval for the same seed, and one that a normal approximation confirms", () => {
    const units = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const interval = bootstrap(units, mean, { seed: 3, resamples: 2000 });
    expect(bootstrap(units, mean, { seed: 3, resamples: 2000 })).toEqual(interval);
    expect(bootstrap(units, mean, { seed: 4, resamples: 2000 })).not.toEqual(interval);
    // 1.96 * sqrt(.25 * .75 / 400) = .0424
    expect(interval.low).toBeCloseTo(0.25 - 0.0424, 2);
    expect(interval.high).toBeCloseTo(0.25 + 0.0424, 2);
  });
});

describe("correlations and AUC", () => {
  it("has no value where one side is constant or one class is missing", () => {
    expect(pearson([1, 2, 3], [2, 2, 2])).toBeNaN();
    expect(auc([true, true], [1, 2])).toBeNaN();
  });

  it("is 1 for any rising function by rank only", () => {
    expect(spearman([1, 2, 3, 4], [1, 8, 27, 64])).toBeCloseTo(1, 12);
    expect(pearson([1, 2, 3, 4], [1, 8, 27, 64])).toBeLessThan(0.99);
    expect(auc([false, true, true], [1, 1, 2])).toBe(0.75); // one pair tied, one won
  });
});

describe("ranking", () => {
  const judgements = new Map([
    ["a", 2],
    ["b", 1],
    ["z", 1],
    ["n", 0],
  ]);
  const ranking = ["n", "a", "x", "b"];

  it("scores the first k", () => {
    const ideal = 2 + 1 / Math.log2(3) + 1 / 2;
    expect(ndcg(ranking, judgements, 10)).toBeCloseTo((2 / Math.log2(3) + 1 / Math.log2(5)) / ideal, 12);
    expect(recallAt(ranking, judgements, 2)).toBeCloseTo(1 / 3, 12);
    expect(precisionAt(ranking, judgements, 4)).toBe(1 / 2);
    expect(reciprocalRank(ranking, judgements)).toBe(1 / 2);
    expect(reciprocalRank(ranking, judgements, 1)).toBe(0);
    expect(rankingAveragePrecision(ranking, judgements)).toBeCloseTo((1 / 2 + 2 / 4) / 3, 12);
  });

  it("orders ties by descending id, and counts a query without results as 0", () => {
    expect(
      rankByScore(
        new Map([
          ["a", 1],
          ["b", 1],
          ["c", 2],
        ]),
      ),
    ).toEqual(["c", "b", "a"]);
    const both = new Map([
      ["q1", judgements],
      ["q2", judgements],
      ["q3", new Map([["a", 0]])],
    ]);
    const found = retrievalScores(new Map([["q1", ["a"]]]), both, 10);
    expect(found.queries).toBe(2);
    expect(found.mrr).toBe(1 / 2);
    expect(found.recall).toBeCloseTo(1 / 6, 12);
  });
});

describe("entities", () => {
  it("chunks as conlleval does", () => {
    expect(entitiesOf(["B-X", "I-X", "O", "I-Y", "I-X", "B-X"])).toEqual([
      { type: "X", start: 0, end: 1 },
      { type: "Y", start: 3, end: 3 },
      { type: "X", start: 4, end: 4 },
      { type: "X", start: 5, end: 5 },
    ]);
    expect(entitiesOf(["B", "I", "B", "O"])).toEqual([
      { type: "_", start: 0, end: 1 },
      { type: "_", start: 2, end: 2 },
    ]);
  });

  it("takes an I- that continues nothing for an entity by default, and for nothing strictly", () => {
    const [gold, predicted] = [[["B-Chemical", "O"]], [["I-Chemical", "O"]]];
    expect(entityScores(gold, predicted).micro.f1).toBe(1);
    expect(entityScores(gold, predicted, strictEntitiesOf).micro).toEqual({ precision: 0, recall: 0, f1: 0 });
    expect(strictEntitiesOf(["B-X", "I-X", "I-Y", "B", "I", "I-X"])).toEqual([
      { type: "X", start: 0, end: 1 },
      { type: "_", start: 3, end: 4 },
    ]);
  });

  it("wants type and both ends right", () => {
    const gold = [["B-X", "I-X", "O", "B-Y"], ["B-X"]];
    const predicted = [["B-X", "O", "O", "B-Y"], ["B-Y"]];
    const found = entityScores(gold, predicted);
    expect(found.micro).toEqual({ precision: 1 / 3, recall: 1 / 3, f1: 1 / 3 });
    expect(found.perType.get("Y")).toMatchObject({ tp: 1, fp: 1, fn: 0 });
    expect(found.macro.f1).toBeCloseTo((0 + 2 / 3) / 2, 12);
    expect(() => entityScores([["O"]], [["O", "O"]])).toThrow(DataError);
  });
});
