/**
 * PubMedQA, reasoning-required setting (Jin et al. 2019): question and abstract without its conclusion, answer yes, no
 * or maybe. Reads the original ori_pqal.json with test_ground_truth.json: the 500 test articles are the published ones;
 * of the other 500, a tenth of each answer, by a fixed seed, is Galen's validation set. A folder of the original
 * scripts' train_set.json, dev_set.json and test_set.json is read as it is.
 */
import { existsSync } from "node:fs";
import { z } from "zod";
import { singleLabelFigures } from "../metrics/labels.ts";
import { checkAligned } from "../metrics/report.ts";
import { random } from "../tensor/random.ts";
import { readJson, readJsonEntries } from "../io/json.ts";
import { answerOf } from "./relations.ts";
import { commonHyperparameters, greedy, truncateAt, type Example, type Split, type Task } from "./task.ts";

export interface PubMedQaExample extends Example<string> {
  readonly question: string;
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

function exampleOf([id, one]: [string, z.output<typeof article>]): PubMedQaExample {
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
  if (existsSync(original)) return (await readJsonEntries(original, article)).map(exampleOf);
  const all = (await readJsonEntries(`${folder}/ori_pqal.json`, article)).map(exampleOf);
  const test = await readJson(`${folder}/test_ground_truth.json`, z.record(z.string(), z.string()));
  if (split === "test") {
    const byId = new Map(all.map((one) => [one.id, one]));
    return Object.keys(test).flatMap((id) => byId.get(id) ?? []);
  }
  const rest = all.filter((one) => !Object.hasOwn(test, one.id));
  const valid = validationIds(rest);
  return rest.filter((one) => valid.has(one.id) === (split === "valid"));
}

export const pubmedqa: Task<PubMedQaExample, string> = {
  name: "pubmedqa",
  version: "1",
  description: "Yes, no or maybe to a research question, given the abstract without its conclusion (PubMedQA)",
  promptLength: 9,
  truncation: truncateAt(900),
  lowercase: false,
  hyperparameters: {
    ...commonHyperparameters,
    learningRate: 1e-5,
    warmupUpdates: 100,
    stop: { epochs: 100 },
    checkpoint: "last",
  },
  decoding: greedy,
  published: { base: 78.2, large: 81 },
  read,
  source: ({ question, text }) => `question: ${question} context: ${text} `,
  target: ({ gold }) => `the answer to the question given the context is ${gold}.`,
  parse(generated) {
    const found = /the answer to the question given the context is(.*)/.exec(answerOf(generated))?.[1];
    return found === undefined ? "failed" : found.trim();
  },
  evaluate(gold, predictions, options) {
    checkAligned(gold, predictions, "pubmedqa");
    return {
      task: "pubmedqa",
      version: pubmedqa.version,
      examples: gold.length,
      failed: predictions.filter((answer) => answer === "failed").length,
      primary: "accuracy",
      figures: singleLabelFigures(
        gold.map((one) => one.gold),
        predictions,
        options,
      ),
    };
  },
};

/** The same task in the window of BioGPT-Large. */
export const pubmedqaLarge: Task<PubMedQaExample, string> = {
  ...pubmedqa,
  name: "pubmedqa-large",
  truncation: truncateAt(1900, 2048),
  hyperparameters: { ...pubmedqa.hyperparameters, tokensPerBatch: 2048, accumulation: 16 },
  decoding: { ...greedy, maxLength: 2048 },
  evaluate: (...given) => ({ ...pubmedqa.evaluate(...given), task: "pubmedqa-large" }),
};
