/**
 * PubMedQA, reasoning-required setting (Jin et al. 2019): question and abstract without its conclusion, answer yes, no
 * or maybe. Reads the original ori_pqal.json with test_ground_truth.json: the 500 test articles are the published ones;
 * of the other 500, a tenth of each answer, by a fixed seed, is Galen's validation set. A folder of the original
 * scripts' train_set.json, dev_set.json and test_set.json is read as it is.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJson, readJsonEntries } from "../io/json.ts";
import { hits, indexOfLargest } from "../metrics/classification.ts";
import { singleLabelFigures } from "../metrics/labels.ts";
import { checkAligned } from "../metrics/report.ts";
import { random } from "../tensor/random.ts";
import { commonest } from "./baselines.ts";
import type { Benchmark, Example, Split } from "./benchmark.ts";
import { answerOf } from "./relations.ts";

export interface PubMedQaExample extends Example<string> {
  readonly question: string;
  /** The abstract's parts as in the file. */
  readonly contexts: readonly string[];
  /** The abstract's conclusion, never part of the source. */
  readonly longAnswer: string;
}

const article = z.object({
  QUESTION: z.string(),
  CONTEXTS: z.array(z.string()),
  LONG_ANSWER: z.string(),
  final_decision: z.string(),
});

function articleExample([id, one]: [string, z.output<typeof article>]): PubMedQaExample {
  const context = one.CONTEXTS.map((part) => part.trim()).join(" ");
  const text = context.replace(/\s+/g, " ").trim();
  return {
    id,
    text,
    gold: one.final_decision,
    question: one.QUESTION.trim(),
    contexts: one.CONTEXTS,
    longAnswer: one.LONG_ANSWER,
  };
}

/** The articles of one of the set's files, in its order. @throws DataError where it is missing or malformed. */
export async function readArticles(path: string): Promise<PubMedQaExample[]> {
  return (await readJsonEntries(path, article)).map(articleExample);
}

/** The first tenth of each answer's articles after a seeded shuffle. */
function validationIds(examples: readonly PubMedQaExample[]): Set<string> {
  const draw = random(0);
  const answers = [...new Set(examples.map((one) => one.gold))].sort();
  const chosen = answers.flatMap((answer) => {
    const ids = examples
      .filter((one) => one.gold === answer)
      .map((one) => one.id)
      .sort();
    return draw.shuffle(ids).slice(0, Math.ceil(ids.length / 10 - 0.5));
  });
  return new Set(chosen);
}

async function read(folder: string, split: Split): Promise<PubMedQaExample[]> {
  const original = `${folder}/${split === "valid" ? "dev" : split}_set.json`;
  if (existsSync(original)) return readArticles(original);
  const all = await readArticles(`${folder}/ori_pqal.json`);
  const test = await readJson(`${folder}/test_ground_truth.json`, z.record(z.string(), z.string()));
  if (split === "test") {
    const byId = new Map(all.map((one) => [one.id, one]));
    return Object.keys(test).flatMap((id) => byId.get(id) ?? []);
  }
  const rest = all.filter((one) => !Object.hasOwn(test, one.id));
  const valid = validationIds(rest);
  return rest.filter((one) => valid.has(one.id) === (split === "valid"));
}

/** All 1,000 labelled articles. */
export const articlesFile = {
  path: "ori_pqal.json",
  sha256: "8b3276be8942ebbd77f3ddcda12c1749bf0e490045a736fd8438ee40cf37a41d",
} as const;
const files = [
  articlesFile,
  { path: "test_ground_truth.json", sha256: "939fe566f09017d13b1ca64d2ddfee0bc2374b366048152997669cccedc44d51" },
];

const answers = ["yes", "no", "maybe"] as const;
const answerWith = (answer: string): string => `the answer to the question given the context is ${answer}.`;

export const pubmedqa: Benchmark<PubMedQaExample, string> = {
  name: "pubmedqa",
  version: "1",
  description: "Yes, no or maybe to a research question, given the abstract without its conclusion (PubMedQA)",
  data: {
    folder: "pubmedqa",
    files: { train: files, valid: files, test: files },
    from: "Get ori_pqal.json and test_ground_truth.json of data in https://github.com/pubmedqa/pubmedqa (1cbae8e).",
    licence: "MIT (LICENSE of that repository)",
  },
  published: { base: 78.2, large: 81 },
  read,
  exampleOf(id, text) {
    const [question, context, ...rest] = text.split("\t");
    if (question === undefined || context === undefined || rest.length > 0) {
      throw new DataError(`text ${id}: expected a question, a tab and its context, got "${text.slice(0, 60)}"`);
    }
    return {
      id,
      text: context.trim(),
      gold: "",
      question: question.trim(),
      contexts: [context.trim()],
      longAnswer: "",
    };
  },
  source: ({ question, text }) => `question: ${question} context: ${text} `,
  target: ({ gold }) => answerWith(gold),
  parse(generated) {
    const found = /the answer to the question given the context is(.*)/.exec(answerOf(generated))?.[1];
    return found === undefined ? "failed" : found.trim();
  },
  choices: { of: () => answers.map(answerWith), answer: (_, scores) => answers[indexOfLargest(scores)]! },
  labels: { answer: ([label = "failed"]) => label, of: ({ gold }) => [gold] },
  evaluate(examples, found, options) {
    checkAligned(examples, found, "pubmedqa");
    const gold = examples.map((one) => one.gold);
    return {
      failed: found.filter((answer) => answer === "failed").length,
      primary: "accuracy",
      figures: singleLabelFigures(gold, found, options),
    };
  },
  scores(examples, found) {
    const gold = examples.map((one) => one.gold);
    return hits(gold, found);
  },
  // The context is a published abstract: half of PubMed would count as contaminated.
  contaminatedBy: ({ question, longAnswer }) => `${question} ${longAnswer}`,
  baseline: commonest,
};

/** The same questions under the name of BioGPT-Large's model, whose window is longer. */
export const pubmedqaLarge: Benchmark<PubMedQaExample, string> = { ...pubmedqa, name: "pubmedqa-large" };
