/**
 * PubMedQA as lm-evaluation-harness asks it: the abstract's parts a line each, the question, and yes, no or maybe. Files
 * are `pubmedqa.ts`'s; splits are those of the original scripts, whose fold 0 the harness takes its shots from.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { readJson } from "../io/json.ts";
import { singleLabelFigures } from "../metrics/labels.ts";
import type { Benchmark, Split } from "./benchmark.ts";
import { type ChoiceAnswer, multipleChoice } from "./multiple-choice.ts";
import { type PubMedQaExample, pubmedqa, readArticles } from "./pubmedqa.ts";
import { foldsOf } from "./pubmedqa-folds.ts";

/** The published splits, computed where the original scripts have not been run; of other articles, `pubmedqa`'s. */
async function read(folder: string, split: Split): Promise<PubMedQaExample[]> {
  const [articles, answers] = [`${folder}/ori_pqal.json`, `${folder}/test_ground_truth.json`];
  if (existsSync(`${folder}/test_set.json`) || !existsSync(articles)) return pubmedqa.read(folder, split);
  const folds = foldsOf(await readArticles(articles));
  const published = await readJson(answers, z.record(z.string(), z.string()));
  const areThose = folds.test.every(({ id }) => Object.hasOwn(published, id));
  return areThose ? folds[split] : pubmedqa.read(folder, split);
}

const asked = multipleChoice<PubMedQaExample>({
  name: "pubmedqa-prompted",
  version: "1",
  description: "Yes, no or maybe to a research question, by a prompt without tuning (PubMedQA)",
  data: pubmedqa.data!,
  labels: ["yes", "no", "maybe"],
  read,
  exampleOf: pubmedqa.exampleOf,
  source: ({ contexts, question }) => `Abstract: ${contexts.join("\n")}\nQuestion: ${question}\nAnswer:`,
});

export const pubmedqaPrompted: Benchmark<PubMedQaExample, ChoiceAnswer> = {
  ...asked,
  contaminatedBy: pubmedqa.contaminatedBy!,
  evaluate(examples, answers, options) {
    const measured = asked.evaluate(examples, answers, options);
    const found = answers.map((answer) => (answer === "failed" ? answer : answer.choice));
    const gold = examples.map((one) => one.gold);
    const macro = singleLabelFigures(gold, found, options).filter(({ name }) => name === "macro_f1");
    return { ...measured, figures: [...measured.figures, ...macro] };
  },
};
