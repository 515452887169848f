/**
 * What benchmarks share whose answer is one of a few classes: a prompt that ends with a cue ("Answer:"), behind which a
 * space and the class's word follow. Models that write may say more than the word; models that score texts choose among
 * the words; encoders read the example without the prompt, and have the classes themselves as labels.
 */
import { indexOfLargest, majority } from "../metrics/classification.ts";
import { singleLabelFigures } from "../metrics/labels.ts";
import { positiveCounts, positiveFigures } from "../metrics/positives.ts";
import { checkAligned } from "../metrics/report.ts";
import { commonest } from "./baselines.ts";
import type { Benchmark, Example } from "./benchmark.ts";

/** An answer from which no class could be read. */
export const unread = "failed";

export interface ClassSettings<E extends Example<string>> extends Pick<
  Benchmark<E, string>,
  "name" | "version" | "description" | "data" | "read" | "exampleOf"
> {
  /** Classes as gold has them, and the word of each in an answer. */
  readonly classes: Readonly<Record<string, string>>;
  /** The prompt but for the cue. */
  readonly prompt: (example: E) => string;
  /** What the prompt begins with, and the line that it ends with. */
  readonly opening: string;
  readonly cue: string;
  /** What encoders read. */
  readonly plain: (example: E) => string;
  /** Where F1 of these is reported first; otherwise accuracy, with macro-F1. */
  readonly positives?: readonly string[];
}

/** What was written behind the cue, where prompt and answer come together; else all of it. */
export function behindCue(generated: string, { opening, cue }: { opening: string; cue: string }): string {
  const text = generated.trim();
  return text.startsWith(opening) ? text.slice(text.lastIndexOf(cue) + cue.length).trim() : text;
}

/** The text as one line of words. */
export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/**
 * Reads one of `words`: the one that the answer begins with, else the one behind its last "answer is", else the only
 * one in its first line.
 */
export function wordReader(words: readonly string[]): (answer: string) => string | undefined {
  const escaped = [...words]
    .sort((a, b) => b.length - a.length)
    .map((one) => one.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  const any = `(?<![\\p{L}\\p{N}])(${escaped.join("|")})(?![\\p{L}\\p{N}])`;
  const first = new RegExp(`^[^\\p{L}\\p{N}]*${any}`, "iu");
  const said = new RegExp(`answer(?:\\s+is)?[^\\p{L}\\p{N}]*${any}`, "giu");
  const anywhere = new RegExp(any, "giu");
  const named = new Map(words.map((word) => [word.toLowerCase(), word]));
  return (answer) => {
    const line = answer.trim().split("\n")[0]!;
    const found = [...line.matchAll(anywhere)].map((match) => named.get(match[1]!.toLowerCase())!);
    const only = new Set(found).size === 1 ? found[0] : undefined;
    const begun = first.exec(answer)?.[1] ?? [...answer.matchAll(said)].at(-1)?.[1];
    return begun === undefined ? only : named.get(begun.toLowerCase());
  };
}

export function classBenchmark<E extends Example<string>>(settings: ClassSettings<E>): Benchmark<E, string> {
  const { classes, prompt, opening, cue, plain, positives, ...about } = settings;
  const names = Object.keys(classes);
  const words = Object.values(classes);
  const read = wordReader(words);
  const answerWith = (word: string): string => ` ${word}`;
  return {
    ...about,
    source: (example) => `${prompt(example)}\n${cue}`,
    target: ({ gold }) => answerWith(classes[gold] ?? gold),
    plain,
    parse(generated) {
      const word = read(behindCue(generated, { opening, cue }));
      return word === undefined ? unread : names[words.indexOf(word)]!;
    },
    choices: { of: () => words.map(answerWith), answer: (_, scores) => names[indexOfLargest(scores)]! },
    labels: { answer: ([label = unread]) => label, of: ({ gold }) => [gold] },
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, about.name);
      const gold = examples.map((one) => one.gold);
      const inDocuments = examples.some(({ document }) => document !== undefined);
      const documents = inDocuments ? examples.map(({ document, id }) => document ?? id) : undefined;
      return {
        failed: answers.filter((answer) => answer === unread).length,
        primary: positives === undefined ? "accuracy" : "f1",
        figures:
          positives === undefined
            ? singleLabelFigures(gold, answers, { ...options, documents })
            : positiveFigures(gold, answers, positives, { ...options, documents }),
      };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, about.name);
      return examples.map(({ gold }, i) =>
        positives === undefined ? Number(gold === answers[i]) : positiveCounts(gold, answers[i]!, positives),
      );
    },
    baseline:
      positives === undefined
        ? commonest
        : {
            about: "the commonest class of those that count in training, always",
            answers(train, examples) {
              const most = majority(train.map(({ gold }) => gold).filter((gold) => positives.includes(gold)));
              return examples.map(() => most ?? positives[0]!);
            },
          },
  };
}
