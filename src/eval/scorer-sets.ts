/**
 * What only models that score texts against texts are measured by: NFCorpus' rankings (Boteva et al. 2016, in BEIR's
 * layout), and PubMedQA's questions with their answers, as NeuML compares embedding models. Beside each model stands BM25.
 */
import { asBaseline, type Report } from "../metrics/report.ts";
import { openScorer, type Scorer } from "../retrieval/scorers.ts";
import type { DataFiles, Split } from "../tasks/benchmark.ts";
import { streamPairs } from "../tasks/pairs.ts";
import { articlesFile, pubmedqa } from "../tasks/pubmedqa.ts";
import { readRetrievalSet } from "../tasks/retrieval-sets.ts";
import type { ExampleRecord } from "./records.ts";
import { evaluateRankings } from "./retrieval.ts";
import { evaluateSimilarity } from "./similarity.ts";
import type { WindowOptions } from "./windows.ts";

export interface ScorerSetOptions extends WindowOptions {
  readonly split: Split;
  /** The first n queries only. */
  readonly limit?: number | undefined;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
}

export interface ScorerSet {
  readonly name: string;
  readonly description: string;
  readonly data: DataFiles;
  /** The report, BM25's figures in it, and records of single queries where the primary figure is a mean over these. */
  measure(
    scorer: Scorer,
    folder: string,
    options: ScorerSetOptions,
  ): Promise<{ readonly report: Report; readonly records?: readonly ExampleRecord[] }>;
}

/** The report beside that of BM25, which is computed anew: it takes seconds. */
async function withWords(scorer: Scorer, report: Report, measure: (words: Scorer) => Promise<Report>): Promise<Report> {
  if (scorer.kind === "bm25") return report;
  await using words = await openScorer("bm25");
  return { ...report, figures: [...report.figures, ...asBaseline((await measure(words)).figures, "BM25")] };
}

/** Versions differ (BEIR's has 3,633 documents), so files are not compared with one: what was read is in the protocol. */
const corpusFiles = (split: string): { readonly path: string }[] =>
  ["corpus.jsonl", "queries.jsonl", `qrels/${split}.tsv`].map((path) => ({ path }));

const nfcorpus: ScorerSet = {
  name: "nfcorpus",
  description: "Medical documents for questions of laymen, by nDCG@10 (NFCorpus)",
  data: {
    folder: "nfcorpus",
    files: { train: corpusFiles("train"), valid: corpusFiles("dev"), test: corpusFiles("test") },
    from: "Get nfcorpus.zip of BEIR's data sets, https://github.com/beir-cellar/beir.",
    licence: "free for academic use (https://www.cl.uni-heidelberg.de/statnlpgroup/nfcorpus/)",
  },
  async measure(scorer, folder, { split, limit, seed, ...windows }) {
    const set = await readRetrievalSet(folder, split === "valid" ? "dev" : split);
    const some = { ...set, queries: new Map([...set.queries].slice(0, limit)) };
    const { report, records } = await evaluateRankings(scorer, some, { ...windows, seed });
    const beside = await withWords(scorer, report, async (words) => {
      return (await evaluateRankings(words, some, { seed, signal: windows.signal })).report;
    });
    return { report: beside, records };
  },
};

/** The one ratio that the published figures allow (0.90 to 0.97): a wrong answer to each question, drawn at random. */
const negatives = { kind: "random", perPositive: 1, seed: 1 } as const;

/** Whatever the split, all pairs: there is nothing to learn from these. */
const pubmedqaPairs: ScorerSet = {
  name: "pubmedqa-pairs",
  description: "Right answers to research questions against random ones, by Pearson's r (PubMedQA)",
  data: {
    ...pubmedqa.data!,
    files: { train: [articlesFile], valid: [articlesFile], test: [articlesFile] },
  },
  async measure(scorer, folder, { limit, seed, ...windows }) {
    const pairs = { [Symbol.asyncIterator]: () => streamPairs(folder, limit) };
    const report = await evaluateSimilarity(scorer, pairs, negatives, { ...windows, seed });
    const beside = await withWords(scorer, report, (words) =>
      evaluateSimilarity(words, pairs, negatives, { seed, signal: windows.signal }),
    );
    return { report: beside };
  },
};

export const scorerSets: Readonly<Record<string, ScorerSet>> = { nfcorpus, "pubmedqa-pairs": pubmedqaPairs };
