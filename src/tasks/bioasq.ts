/**
 * BioASQ's exact answers, given the question and the passages that its experts chose: yes or no, one entity (factoid),
 * or a list of them, by the challenge's own measures (`metrics/bioasq.ts`). BLURB's BioASQ is the yes-or-no questions
 * of year 7, which have a name of their own here. Answers of several entities are separated by semicolons.
 */
import { factoidScores, type FactoidScores, listScores, type Synonyms, yesNoMacroF1 } from "../metrics/bioasq.ts";
import { mean, type Scores } from "../metrics/counts.ts";
import { checkAligned, type EvaluateOptions, figure, type Figure } from "../metrics/report.ts";
import { copying, knownNamesIn } from "./baselines.ts";
import type { Benchmark } from "./benchmark.ts";
import {
  bioAsqExample,
  type BioAsqExample,
  bioAsqFiles,
  bioAsqPrompt,
  inOrder,
  opening,
  readBioAsq,
  type Years,
} from "./bioasq-files.ts";
import { behindCue, classBenchmark, oneLine } from "./classes.ts";

function yesNo(name: string, years: Years, about: string): Benchmark<BioAsqExample<string>, string> {
  const base = classBenchmark<BioAsqExample<string>>({
    name,
    version: "1",
    description: `Yes or no to a question, given passages of abstracts (${about})`,
    data: bioAsqFiles(years),
    classes: { yes: "yes", no: "no" },
    opening,
    cue: "Answer:",
    read: (folder, split) =>
      readBioAsq(folder, years[split] ?? [], "yesno", (answer) => {
        const word = typeof answer === "string" ? answer.toLowerCase() : "";
        return word === "yes" || word === "no" ? word : undefined;
      }),
    exampleOf: (id, text) => bioAsqExample(id, text, ""),
    prompt: (example) => bioAsqPrompt(example, "Answer with yes or no."),
    plain: ({ question, text }) => `${question} ${oneLine(text)}`,
  });
  return {
    ...base,
    contaminatedBy: ({ question }) => question,
    evaluate(examples, answers, options) {
      const measured = base.evaluate(examples, answers, options);
      const rows = examples.map(({ gold }, i) => [gold, answers[i]!] as const);
      const macro = figure(
        { name: "macro_f1", label: "macro-F1 of yes and no, BioASQ's", kind: "published" },
        rows,
        (some) =>
          yesNoMacroF1(
            some.map(([gold]) => gold),
            some.map(([, answer]) => answer),
          ),
        options,
      );
      return { ...measured, figures: measured.figures.map((one) => (one.name === macro.name ? macro : one)) };
    },
  };
}

export const bioAsqYesNo = yesNo("bioasq-yesno", inOrder, "BioASQ, year 10");
export const bioAsq7YesNo = yesNo("bioasq-7b-yesno", { test: [7] }, "BioASQ, year 7, as in BLURB");

type NamesExample = BioAsqExample<Synonyms>;

interface NamesSettings<Row> {
  readonly kind: "factoid" | "list";
  readonly instruction: string;
  /** The challenge takes so many answers. */
  readonly most: number;
  readonly scoreOf: (gold: Synonyms, answers: readonly string[]) => Row;
  /** Of a figure: its name, its label, and what it is the mean of; the first is the primary one. */
  readonly measures: readonly (readonly [name: string, label: string, value: (row: Row) => number])[];
}

/** A few names in the files are empty, one ends in a space. */
const tidied = (entities: Synonyms): Synonyms =>
  entities.map((names) => names.map((name) => name.trim()).filter((name) => name !== ""));

/** A benchmark whose answers are names. */
function namesBenchmark<Row>(settings: NamesSettings<Row>): Benchmark<NamesExample, readonly string[]> {
  const { kind, instruction, most, scoreOf, measures } = settings;
  const cue = "Answer:";
  const figuresOf = (rows: readonly Row[], options?: EvaluateOptions): Figure[] =>
    measures.map(([name, label, value]) =>
      figure({ name, label, kind: "published" }, rows, (some) => mean(some.map(value)), options),
    );
  return {
    name: `bioasq-${kind}`,
    version: "1",
    description: `Names that answer a ${kind} question, given passages of abstracts (BioASQ, year 10)`,
    data: bioAsqFiles(inOrder),
    read: (folder, split) =>
      readBioAsq(folder, inOrder[split] ?? [], kind, (answer) =>
        typeof answer === "string" ? undefined : tidied(answer),
      ),
    exampleOf: (id, text) => bioAsqExample(id, text, []),
    source: (example) => `${bioAsqPrompt(example, instruction)}\n${cue}`,
    target: ({ gold }) => ` ${gold.map(([name = ""]) => name).join("; ")}`,
    // Passages are of published abstracts, as PubMedQA's contexts are.
    contaminatedBy: ({ question, gold }) => `${question} ${gold.map(([name = ""]) => name).join("; ")}`,
    plain: ({ question, text }) => `${question} ${oneLine(text)}`,
    parse(generated) {
      // A paragraph, or a list of one a line.
      const answer = behindCue(generated, { opening, cue }).split(/\n\s*\n/)[0]!;
      const names = answer.split(/;|\n/).map((one) => one.replace(/^\s*(?:[-*•]|\d{1,2}[.)])\s+/, "").trim());
      return names.filter((one) => one !== "").slice(0, most);
    },
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, `bioasq-${kind}`);
      return {
        failed: answers.filter((one) => one.length === 0).length,
        primary: measures[0]![0],
        figures: figuresOf(
          examples.map(({ gold }, i) => scoreOf(gold, answers[i]!)),
          options,
        ),
      };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, `bioasq-${kind}`);
      return examples.map(({ gold }, i) => measures[0]![2](scoreOf(gold, answers[i]!)));
    },
    baseline: {
      about: copying,
      answers(train, examples) {
        const known = train.flatMap(({ gold }) => gold.flat());
        return knownNamesIn(known, examples).map((names) => names.slice(0, most));
      },
    },
  };
}

export const bioAsqFactoid = namesBenchmark<FactoidScores>({
  kind: "factoid",
  instruction: "Answer with a name, or with up to five, the likeliest first, separated by semicolons.",
  most: 5,
  scoreOf: factoidScores,
  measures: [
    ["mrr", "mean of 1 / rank of the first right answer, of five", (row) => row.reciprocalRank],
    ["strict_accuracy", "questions whose first answer is right", (row) => row.strict],
    ["lenient_accuracy", "questions with a right answer among five", (row) => row.lenient],
  ],
});

export const bioAsqList = namesBenchmark<Scores>({
  kind: "list",
  instruction: "Answer with a list of names, separated by semicolons.",
  most: 100,
  scoreOf: listScores,
  measures: [
    ["f1", "mean F1 of the questions' lists", (row) => row.f1],
    ["precision", "mean precision of the lists", (row) => row.precision],
    ["recall", "mean recall of the lists", (row) => row.recall],
  ],
});
