/**
 * Questions with choices, as lm-evaluation-harness asks them (EleutherAI, lm_eval 0.4.13, output type "multiple_choice"):
 * a prompt that ends in "Answer:", and what may follow it, a blank and a letter or a word. The likeliest choice counts
 * (`acc`), or the likeliest for its number of characters (`acc_norm`); of equals the first. Where a model writes, its
 * answer is read by `read-choice.ts`. Left out: `acc_mutual_info`, which none of these sets reports.
 */
import { DataError } from "../errors.ts";
import { calibrationFigures } from "../metrics/calibration.ts";
import { indexOfLargest, majority, probabilitiesOf } from "../metrics/classification.ts";
import { mean } from "../metrics/counts.ts";
import { checkAligned, detail, type EvaluateOptions, figure, type Figure } from "../metrics/report.ts";
import { commonest } from "./baselines.ts";
import type { Benchmark, Example } from "./benchmark.ts";
import { readChoice } from "./read-choice.ts";

/** Gold is a label. */
export interface ChoiceExample extends Example<string> {
  /** What each label stands for. */
  readonly choices: readonly string[];
}

/** "failed": nothing could be read. */
export type ChoiceAnswer =
  | "failed"
  | {
      /** Label of the choice: "B", "yes". */
      readonly choice: string;
      /** The choice by log-likelihood a character, where choices were scored. */
      readonly byLength?: string;
      /** Of every choice in order, in sum 1, where choices were scored. */
      readonly probabilities?: readonly number[];
    };

type ChoiceBenchmark<E extends Example<string>> = Benchmark<E, ChoiceAnswer>;

type ChoiceSettings<E extends Example<string>> = Pick<
  ChoiceBenchmark<E>,
  "name" | "version" | "description" | "data" | "shots" | "read" | "exampleOf" | "source"
> & {
  readonly labels: readonly string[];
  /** What the labels stand for, where they are letters. */
  readonly texts?: (example: E) => readonly string[];
};

/** Standard error of a mean, from the sample's standard deviation: 0 of one value. */
function standardError(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1)) / Math.sqrt(values.length);
}

const hits = (gold: readonly string[], found: readonly (string | undefined)[]): number[] =>
  gold.map((label, i) => (label === found[i] ? 1 : 0));

const choiceOf = (answer: ChoiceAnswer): string | undefined => (answer === "failed" ? undefined : answer.choice);

function figuresOf(
  gold: readonly string[],
  answers: readonly ChoiceAnswer[],
  labels: readonly string[],
  options: EvaluateOptions | undefined,
): Figure[] {
  const right = hits(gold, answers.map(choiceOf));
  const byLength = answers.map((answer) => (answer === "failed" ? undefined : answer.byLength));
  const common = majority(gold) ?? "";
  const accuracy = (name: string, label: string, values: readonly number[]): Figure[] => [
    figure({ name, label, kind: "published" }, values, mean, options),
    detail(`${name}_stderr`, `standard error of ${name}`, standardError(values)),
  ];
  return [
    ...accuracy("acc", "accuracy", right),
    ...(byLength.some((one) => one === undefined)
      ? []
      : accuracy("acc_norm", "accuracy, the choice by log-likelihood a character", hits(gold, byLength))),
    {
      name: "majority_acc",
      label: `accuracy of always answering "${common}"`,
      kind: "baseline",
      value: mean(
        hits(
          gold,
          gold.map(() => common),
        ),
      ),
    },
    { name: "random_acc", label: "accuracy of answering by chance", kind: "baseline", value: 1 / labels.length },
    ...calibrated(gold, answers, labels, options),
  ];
}

/** How far the probabilities of choices can be believed, where all were scored. */
function calibrated(
  gold: readonly string[],
  answers: readonly ChoiceAnswer[],
  labels: readonly string[],
  options: EvaluateOptions | undefined,
): Figure[] {
  const rows = answers.map((answer) => (answer === "failed" ? undefined : answer.probabilities));
  const places = gold.map((label) => labels.indexOf(label));
  if (rows.length === 0 || rows.includes(undefined) || places.includes(-1)) return [];
  return calibrationFigures(rows as (readonly number[])[], places, options);
}

/** A benchmark of questions whose choices are the same labels in every question. */
export function multipleChoice<E extends Example<string>>(settings: ChoiceSettings<E>): ChoiceBenchmark<E> {
  const { labels, texts, ...about } = settings;
  const continuations = labels.map((label) => ` ${label}`);
  const widths = labels.map((label) => [...label].length);
  return {
    ...about,
    target: ({ gold }) => ` ${gold}`,
    // A prompt with letters in it is no text that another could be like.
    plain: ({ text }) => text,
    parse(generated, example) {
      const source = example === undefined ? "" : settings.source(example);
      const answer = generated.startsWith(source) ? generated.slice(source.length) : generated;
      const choice = readChoice(answer, labels, example && texts?.(example));
      return choice === undefined ? "failed" : { choice };
    },
    choices: {
      of: () => continuations,
      ...(texts && { texts }),
      answer: (_, scores) => ({
        choice: labels[indexOfLargest(scores)]!,
        byLength: labels[indexOfLargest(scores.map((score, i) => score / widths[i]!))]!,
        probabilities: probabilitiesOf(scores),
      }),
    },
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, settings.name);
      const gold = examples.map((one) => one.gold);
      return {
        failed: answers.filter((answer) => answer === "failed").length,
        primary: "acc",
        figures: figuresOf(gold, answers, labels, options),
      };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, settings.name);
      return hits(
        examples.map((one) => one.gold),
        answers.map(choiceOf),
      );
    },
    baseline: {
      about: commonest.about,
      answers: (train, examples) => commonest.answers(train, examples).map((choice) => ({ choice })),
    },
  };
}

export const letters = ["A", "B", "C", "D"] as const;

/** "A. one\nB. two\n…", a line a choice. */
export const lettered = (choices: readonly string[]): string =>
  choices.map((text, i) => `${letters[i]}. ${text}\n`).join("");

/** A question and its four choices, between tabs. @throws DataError for anything else. */
export function questionOfText(id: string, text: string): ChoiceExample {
  const [question, ...choices] = text.split("\t").map((part) => part.trim());
  if (question === undefined || question === "" || choices.length !== letters.length) {
    throw new DataError(
      `text ${id}: expected a question and ${letters.length} choices, tabs between them, got "${text.slice(0, 60)}"`,
    );
  }
  return { id, text: question, gold: "", choices };
}
