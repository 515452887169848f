/** Classes of the user's own, one or several a text: examples are JSON lines `{"id", "text", "labels"}`. */
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { readJsonLines } from "../io/json.ts";
import { hits, indexOfLargest } from "../metrics/classification.ts";
import { labelCounts, multiLabelFigures, singleLabelFigures } from "../metrics/labels.ts";
import { checkAligned } from "../metrics/report.ts";
import { commonest } from "./baselines.ts";
import { type Benchmark, type Example, exampleOfText } from "./benchmark.ts";
import { checkNames } from "./own-names.ts";
import { answerOf } from "./relations.ts";

export interface OwnLabelSettings {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly labels: readonly string[];
  /** A text may have any number of labels. */
  readonly multiLabel: boolean;
  /** What stands before the label or labels. */
  readonly lead: string;
  /** Whether texts and answers are lower-cased. */
  readonly lowercase: boolean;
}

export type LabelExample = Example<readonly string[]>;
export type LabelBenchmark = Benchmark<LabelExample, readonly string[]>;

const line = z.object({ id: z.string(), text: z.string(), labels: z.array(z.string()) });

/** The only label of each, where there is one. */
const first = (all: readonly (readonly string[])[]): string[] => all.map((one) => one[0] ?? "failed");

/** @throws ConfigError for labels that could not be told from one another in an answer. */
export function ownLabels(settings: OwnLabelSettings): LabelBenchmark {
  const { name, version, description, labels, multiLabel, lead, lowercase } = settings;
  const cased = (text: string): string => (lowercase ? text.toLowerCase() : text);
  const canonical = new Map(labels.map((label) => [cased(label), label]));
  if (multiLabel && labels.some((label) => label.includes("|"))) {
    throw new ConfigError(`${name}: expected labels without "|", which separates them, got ${labels.join(", ")}`);
  }
  const answerWith = (some: readonly string[]): string => cased(`${lead} ${some.join("|")}.`);
  return {
    name,
    version,
    description,
    async read(folder, split) {
      const path = `${folder}/${split}.jsonl`;
      return (await readJsonLines(path, line)).map(({ id, text, labels: gold }) => {
        checkNames(gold, labels, `${path}: label of "${id}"`);
        if (!multiLabel && gold.length !== 1) {
          throw new DataError(`${path}: "${id}" expected one label, got ${gold.length}`, {
            hint: 'set "multiLabel": true in the task\'s JSON file',
          });
        }
        return { id, text, gold };
      });
    },
    exampleOf: exampleOfText,
    source: (example) => cased(example.text),
    target: (example) => answerWith(example.gold),
    parse(generated) {
      const answer = answerOf(generated);
      const at = answer.lastIndexOf(cased(lead));
      if (at === -1) return [];
      const rest = answer.slice(at + lead.length).trim();
      const found = multiLabel ? rest.split("|").map((one) => one.trim()) : [rest];
      return found.filter((one) => one !== "").map((one) => canonical.get(one) ?? one);
    },
    labels: { answer: (found) => found, of: ({ gold }) => gold },
    ...(multiLabel
      ? {}
      : {
          choices: {
            of: () => labels.map((label) => answerWith([label])),
            answer: (_, scores) => [labels[indexOfLargest(scores)]!],
          },
        }),
    evaluate(examples, answers, options = {}) {
      checkAligned(examples, answers, name);
      const gold = examples.map((one) => one.gold);
      const failed = answers.filter((one, i) => one.length === 0 && gold[i]?.length !== 0).length;
      if (multiLabel) {
        const figures = multiLabelFigures(gold, answers, { ...options, classes: labels });
        return { failed, primary: "micro_f1", figures };
      }
      return { failed, primary: "accuracy", figures: singleLabelFigures(first(gold), first(answers), options) };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, name);
      const gold = examples.map((one) => one.gold);
      return multiLabel ? labelCounts(gold, answers, labels) : hits(first(gold), first(answers));
    },
    baseline: commonest,
  };
}
