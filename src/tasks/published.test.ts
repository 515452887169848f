/** The five tasks against the real files: counts of splits and what perfect answers score after format and parse. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { bc5cdrCounts, type IdentifiedRelation, linkNames, pooledLexicon } from "../metrics/bc5cdr.ts";
import { scores } from "../metrics/counts.ts";
import type { Relation } from "../metrics/hard-match.ts";
import { type Measurement, valueOf } from "../metrics/report.ts";
import { mosesDetokenize } from "../tokenizers/moses/detokenizer.ts";
import { mosesTokenize } from "../tokenizers/moses/moses.ts";
import { bc5cdr } from "./bc5cdr.ts";
import type { Split } from "./benchmark.ts";
import { ddi } from "./ddi.ts";
import { hoc } from "./hoc.ts";
import { kdDti } from "./kd-dti.ts";
import { pubmedqa } from "./pubmedqa.ts";
import { parsePubTator, formatPubTator } from "./pubtator.ts";
import { lowercased } from "./relations.ts";
import type { RelationBenchmark } from "./triples.ts";

const benchmarks = (path: string): string => shared(`data/benchmarks/${path}`);

/** What of a text comes back from a model that copies its tokens without fault. */
const throughMoses = (text: string): string => mosesDetokenize(mosesTokenize(text).map((token) => token.text));

describe.skipIf(!hasShared("data/benchmarks/bc5cdr"))("BC5CDR files", () => {
  const read = async (name: string): Promise<Map<string, IdentifiedRelation[]>> => {
    const text = await readFile(benchmarks(`bc5cdr/${name}`), "utf8");
    const pairs = parsePubTator(text).map(({ id, relations }): [string, IdentifiedRelation[]] => [
      id,
      relations.filter((one) => one.type === "CID").map((one) => ({ chemical: one.first, disease: one.second })),
    ]);
    return new Map(pairs);
  };

  it("scores the official sample as the official scorer does", async () => {
    const gold = await read("scorer-sample/CDR_sample.gold.PubTator");
    const counts = bc5cdrCounts(gold, await read("scorer-sample/CDR_sample.test.CID.PubTator"));
    expect(counts).toEqual({ tp: 90, fp: 533, fn: 33 });
    const { precision, recall, f1 } = scores(counts);
    expect([precision, recall, f1].map((one) => one.toFixed(5))).toEqual(["0.14446", "0.73171", "0.24129"]);
  });

  it("reads and writes PubTator without loss", async () => {
    const text = await readFile(benchmarks("bc5cdr/CDR_TestSet.PubTator.txt"), "utf8");
    const documents = parsePubTator(text);
    expect(documents).toHaveLength(500);
    expect(parsePubTator(formatPubTator(documents))).toEqual(documents);
    for (const { title, abstract, mentions } of documents.slice(0, 50)) {
      for (const one of mentions) expect(`${title} ${abstract}`.slice(one.start, one.end)).toBe(one.text);
    }
  });

  it.each<[Split, number]>([
    ["train", 1038],
    ["valid", 1009],
    ["test", 1066],
  ])("%s has 500 documents and %i relations", async (split, relations) => {
    const examples = await bc5cdr.read(benchmarks("bc5cdr"), split);
    expect([examples.length, examples.flatMap((one) => one.gold.relations).length]).toEqual([500, relations]);
  });

  it("pools the lexicon that is published for the test set", async () => {
    const lexicon = pooledLexicon((await bc5cdr.read(benchmarks("bc5cdr"), "test")).map((one) => one.gold));
    const published: unknown = JSON.parse(await readFile(benchmarks("bc5cdr/test.entities.json"), "utf8"));
    expect({ chemical2id: lexicon.chemicals, disease2id: lexicon.diseases }).toEqual(published);
    expect(linkNames([{ head: "famotidine", tail: "constructor", relation: "" }], lexicon)).toEqual([
      { chemical: "D015738", disease: "-1" },
    ]);
  });

  it("loses little by naming entities: gold answers score 98.1, and 97.0 after Moses", async () => {
    const gold = await bc5cdr.read(benchmarks("bc5cdr"), "test");
    const evaluate = (through: (text: string) => string): Measurement =>
      bc5cdr.evaluate(
        gold,
        gold.map((one) => bc5cdr.parse(through(bc5cdr.target(one)))),
      );
    expect(valueOf(evaluate(String), "micro_f1")).toBeCloseTo(0.9808, 4);
    const report = evaluate(throughMoses);
    const counts = ["true_positives", "false_positives", "false_negatives"].map((name) => valueOf(report, name));
    expect(counts).toEqual([1034, 31, 32]);
    expect(valueOf(report, "micro_f1")).toBeCloseTo(0.9704, 4);
    expect(valueOf(report, "own_lexicon_micro_f1")).toBeGreaterThan(valueOf(report, "micro_f1"));
    expect(report.failed).toBe(0);
  });
});

/** Spoils each answer by its position: nothing, last triple lost, wrong relation, shortened tail, one triple too many. */
function spoiled(gold: readonly Relation[], position: number): Relation[] {
  const triples = gold.map(lowercased);
  const first = triples[0] as Relation;
  switch (position % 5) {
    case 0:
      return [];
    case 1:
      return triples.slice(0, -1);
    case 2:
      return triples.map((one) => ({ ...one, relation: "inhibitor" }));
    case 3:
      return triples.map((one) => ({ ...one, tail: one.tail.replace(/ \([^()]*\)$/, "") }));
    default:
      return [...triples, { ...first, tail: "x" }];
  }
}

describe.skipIf(!hasShared("data/benchmarks/kd-dti"))("KD-DTI and DDI files", () => {
  it.each<[RelationBenchmark, Split, number, number, number]>([
    [kdDti, "valid", 1000, 1000, 2269],
    [kdDti, "test", 1159, 1159, 1567],
    [ddi, "train", 664, 469, 3572],
    [ddi, "valid", 50, 41, 305],
    [ddi, "test", 191, 191, 949],
  ])(
    "$name has as many documents, documents with triples and triples as published",
    async (task, split, documents, kept, triples) => {
      const folder = benchmarks(task.name);
      const examples = await task.read(folder, split);
      expect(await task.read(folder, split, { includeEmpty: true })).toHaveLength(documents);
      expect([examples.length, examples.flatMap((one) => one.gold).length]).toEqual([kept, triples]);
    },
  );

  // The lines below are what hard_match_evaluation.py (648f7d6) prints for the same answers.
  const figures = (
    "head_accuracy tail_accuracy relation_accuracy mean_precision mean_recall mean_document_f1 f1_of_means " +
    "ontology_head_f1 ontology_tail_f1 ontology_relation_f1 ontology_precision ontology_recall ontology_f1 " +
    "gold_triples predicted_triples"
  ).split(" ");
  const kdDtiLine =
    "0.6303 0.5345 0.5676 0.4776 0.5526 0.4980 0.5124 0.8065 0.8790 0.9000 0.7207 0.6092 0.6603 1567 1251";
  const ddiLine = "0.7461 0.6779 0.5611 0.5209 0.5358 0.5184 0.5283 0.8701 0.8997 0.8889 0.7155 0.5606 0.6286 941 737";

  it.each([
    [kdDti, kdDtiLine],
    [ddi, ddiLine],
  ])("$name: every figure of the published evaluation agrees on spoiled answers", async (task, line) => {
    const gold = await task.read(benchmarks(task.name), "test");
    const report = task.evaluate(
      gold,
      gold.map((one, i) => spoiled(one.gold, i)),
    );
    const printed = figures.map((name) => valueOf(report, name)).map((one) => (one > 1 ? `${one}` : one.toFixed(4)));
    expect(printed.join(" ")).toBe(line);
  });

  it.each<[RelationBenchmark, number, number]>([
    [ddi, 941, 941],
    [kdDti, 1565, 1567],
  ])(
    "$name: all distinct gold triples but those with an and in a name survive format, Moses and parse",
    async (task, survivors, triples) => {
      const gold = await task.read(benchmarks(task.name), "test");
      const report = task.evaluate(
        gold,
        gold.map((one) => task.parse(throughMoses(`${task.source(one)} learned8 learned9 ${task.target(one)}`))),
      );
      expect(valueOf(report, "gold_triples")).toBe(triples);
      expect(valueOf(report, "exact_micro_recall") * triples).toBeCloseTo(survivors, 6);
    },
  );
});

it("takes a sentence's likeliest class where a classifier is sure of none: all have one", () => {
  expect(hoc.labels!.answer([], "resisting cell death")).toEqual(["resisting cell death"]);
  expect(hoc.labels!.answer(["empty"], "empty")).toEqual(["empty"]);
  expect(hoc.labels!.answer(["genomic instability and mutation", "empty"], "empty")).toHaveLength(2);
});

describe.skipIf(!hasShared("data/benchmarks/hoc"))("HoC files", () => {
  it("has 9,972 and 4,947 sentences, and refuses the test set as validation set", async () => {
    const folder = benchmarks("hoc");
    expect(await hoc.read(folder, "train")).toHaveLength(9972);
    const test = await hoc.read(folder, "test");
    expect(test).toHaveLength(4947);
    expect(test.filter((one) => one.gold.length > 1)).toHaveLength(244);
    expect(test.filter((one) => one.gold.includes("empty"))).toHaveLength(3452);
    await expect(hoc.read(folder, "valid")).rejects.toThrow(/BLURB/);
  });

  it("scores 67.90 for always answering empty, and nothing without that class", async () => {
    const gold = await hoc.read(benchmarks("hoc"), "test");
    const report = hoc.evaluate(
      gold,
      gold.map(() => hoc.parse("the type of this document is empty.")),
    );
    expect((100 * valueOf(report, "micro_f1")).toFixed(2)).toBe("67.90");
    expect(valueOf(report, "majority_micro_f1")).toBe(valueOf(report, "micro_f1"));
    expect(valueOf(report, "micro_f1_without_none")).toBe(0);
  });

  it("reads BLURB's split, whose labels agree with the same sentences of the two-column files", async () => {
    const blurb = benchmarks("hoc/blurb");
    const [train, valid, test] = [
      await hoc.read(blurb, "train"),
      await hoc.read(blurb, "valid"),
      await hoc.read(blurb, "test"),
    ];
    expect([train.length, valid.length, test.length]).toEqual([12119, 1798, 3547]);
    const known = new Map((await hoc.read(benchmarks("hoc"), "train")).map((one) => [one.text, one.gold]));
    const shared = train.filter((one) => known.has(one.text));
    const equal = shared.filter(
      (one) => [...(known.get(one.text) ?? [])].sort().join() === [...one.gold].sort().join(),
    );
    expect(shared.length).toBeGreaterThan(5000);
    expect(equal.length / shared.length).toBeGreaterThan(0.99);
    expect(new Set(test.map((one) => one.document)).size).toBeLessThan(test.length / 5);
  });
});

describe.skipIf(!hasShared("data/benchmarks/pubmedqa"))("PubMedQA files", () => {
  it("has 450, 50 and 500 questions, none in two splits", async () => {
    const folder = benchmarks("pubmedqa");
    const splits = await Promise.all((["train", "valid", "test"] as const).map((one) => pubmedqa.read(folder, one)));
    expect(splits.map((one) => one.length)).toEqual([450, 50, 500]);
    expect(new Set(splits.flat().map((one) => one.id)).size).toBe(1000);
  });

  it("never shows the conclusion, and scores 55.2 for always answering yes", async () => {
    const gold = await pubmedqa.read(benchmarks("pubmedqa"), "test");
    for (const one of gold) expect(pubmedqa.source(one)).not.toContain(one.longAnswer);
    const report = pubmedqa.evaluate(
      gold,
      gold.map((one) => pubmedqa.parse(pubmedqa.target({ ...one, gold: "yes" }))),
      { bootstrap: { seed: 7 } },
    );
    expect(valueOf(report, "accuracy")).toBe(0.552);
    expect(valueOf(report, "majority_accuracy")).toBe(0.552);
    // sqrt(.552 * .448 / 500) = .0222: the interval is about .552 -+ .0436.
    const interval = report.figures.find((one) => one.name === "accuracy")?.interval;
    expect(interval?.low).toBeCloseTo(0.508, 2);
    expect(interval?.high).toBeCloseTo(0.596, 2);
  });
});
