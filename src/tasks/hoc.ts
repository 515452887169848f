/**
 * Hallmarks of Cancer (Baker et al. 2016), sentence by sentence, as BioGPT fine-tunes on it. Reads its two-column files
 * (`sentence<TAB>label|label`), or BLURB's three-column ones. Upstream's valid.tsv is its test.tsv byte for byte, so
 * that reading it as a validation set is refused; BLURB's files are a true split.
 */
import { DataError } from "../errors.ts";
import { readText } from "../io/files.ts";
import { labelCounts, multiLabelFigures } from "../metrics/labels.ts";
import { checkAligned } from "../metrics/report.ts";
import { commonest } from "./baselines.ts";
import { type Benchmark, type Example, exampleOfText, type Split } from "./benchmark.ts";
import { answerOf } from "./relations.ts";

export type HocExample = Example<readonly string[]>;

/** The ten hallmarks, in the order of BLURB's columns 0 to 9. */
const hallmarks: readonly string[] = [
  "activating invasion and metastasis",
  "avoiding immune destruction",
  "cellular energetics",
  "enabling replicative immortality",
  "evading growth suppressors",
  "genomic instability and mutation",
  "inducing angiogenesis",
  "resisting cell death",
  "sustaining proliferative signaling",
  "tumor promoting inflammation",
];
const none = "empty";
const classes: readonly string[] = [...hallmarks, none];

function readTwoColumns(text: string, path: string, split: Split): HocExample[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    const [sentence, labels] = line.split("\t");
    if (sentence === undefined || labels === undefined) {
      throw new DataError(`${path}: expected sentence, tab, labels in entry ${i + 1}, got "${line.slice(0, 60)}"`);
    }
    return { id: `${split}-${i + 1}`, text: sentence.trim(), gold: splitLabels(labels) };
  });
}

function readBlurb(text: string, path: string): HocExample[] {
  const lines = text
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    const [flags, sentence, id] = line.split("\t");
    if (flags === undefined || sentence === undefined || id === undefined) {
      throw new DataError(`${path}: expected labels, sentence, index in line ${i + 2}, got "${line.slice(0, 60)}"`);
    }
    const gold = hallmarks.filter((_, column) => flags.split(",").includes(`${column}_1`));
    const document = id.trim().replace(/_s\d+$/, "");
    return { id: id.trim(), document, text: sentence.trim(), gold: gold.length > 0 ? gold : [none] };
  });
}

const splitLabels = (text: string): string[] => text.split("|").map((label) => label.trim());

async function read(folder: string, split: Split): Promise<HocExample[]> {
  const hint = "BLURB's files (train.tsv, dev.tsv, test.tsv with a header) have a true validation split";
  const blurb = await readText(`${folder}/dev.tsv`).catch(() => undefined);
  if (blurb?.startsWith("labels\t")) {
    const path = `${folder}/${split === "valid" ? "dev" : split}.tsv`;
    return readBlurb(split === "valid" ? blurb : await readText(path), path);
  }
  const path = `${folder}/${split}.tsv`;
  const text = await readText(path, split === "valid" ? hint : undefined);
  if (split === "valid" && text === (await readText(`${folder}/test.tsv`).catch(() => undefined))) {
    throw new DataError(`${path}: expected a validation set, got a copy of test.tsv`, { hint });
  }
  return readTwoColumns(text, path, split);
}

export const hoc: Benchmark<HocExample, readonly string[]> = {
  name: "hoc",
  version: "2",
  description: "Hallmarks of cancer that a sentence of a PubMed abstract speaks of (multi-label, HoC)",
  data: {
    folder: "hoc",
    files: {
      train: [{ path: "train.tsv", sha256: "2ef3f0c0245aa360917906a7483d7a46579bf70ca0c032030542d5acc9ed39ea" }],
      test: [{ path: "test.tsv", sha256: "5fcaf4a2582f6bfb1d3b3720a855ce8e776f70a91f9f3308124b5c9a02dd9e4e" }],
    },
    from: "Get train.tsv and test.tsv of data/HoC/raw in https://github.com/microsoft/BioGPT (648f7d6).",
    licence:
      "GPL 3.0, as https://huggingface.co/datasets/bigbio/hallmarks_of_cancer says; https://github.com/sb895/Hallmarks-of-Cancer states none",
  },
  published: { base: 85.12, large: 84.4 },
  read,
  exampleOf: exampleOfText,
  source: (example) => (example.text.endsWith(".") ? example.text : `${example.text}.`),
  target: (example) => `the type of this document is ${example.gold.join("|")}.`,
  parse(generated) {
    const found = /the type of this document is(.*)/.exec(answerOf(generated))?.[1];
    return found === undefined ? [] : splitLabels(found);
  },
  labels: {
    // No sentence is without a class, since "empty" is one: where none reached half, the likeliest is the answer.
    answer: (labels, likeliest) => (labels.length === 0 && likeliest !== undefined ? [likeliest] : labels),
    of: ({ gold }) => gold,
  },
  evaluate(examples, answers, options = {}) {
    checkAligned(examples, answers, "hoc");
    const documents = examples.map((one) => one.document ?? one.id);
    const gold = examples.map((one) => one.gold);
    return {
      failed: answers.filter((labels) => labels.length === 0).length,
      primary: "micro_f1",
      figures: multiLabelFigures(gold, answers, { ...options, classes, none, documents }),
    };
  },
  scores(examples, answers) {
    checkAligned(examples, answers, "hoc");
    const gold = examples.map((one) => one.gold);
    return labelCounts(gold, answers, classes);
  },
  baseline: commonest,
};
