/**
 * What benchmarks share whose answer is a text that is compared with one of a person's: a prompt that ends with a cue, and
 * ROUGE-1, ROUGE-2 and ROUGE-L, F1 with stems, each the mean over examples, as the rouge-score package computes them.
 */
import { mean } from "../metrics/counts.ts";
import { checkAligned, figure } from "../metrics/report.ts";
import { rouge } from "../metrics/rouge.ts";
import type { Benchmark, Example } from "./benchmark.ts";
import { behindCue } from "./classes.ts";

const kinds = ["rouge-1", "rouge-2", "rouge-l"] as const;

export interface SummarySettings<E extends Example<string>> extends Pick<
  Benchmark<E, string>,
  "name" | "version" | "description" | "data" | "read" | "exampleOf"
> {
  /** The prompt but for the cue. */
  readonly prompt: (example: E) => string;
  readonly opening: string;
  readonly cue: string;
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** The first words of a text. */
export const firstWords = (text: string, count: number): string => {
  const place = [...text.matchAll(/\S+/g)][count]?.index;
  return text.slice(0, place).trimEnd();
};

export function summaryBenchmark<E extends Example<string>>(settings: SummarySettings<E>): Benchmark<E, string> {
  const { prompt, opening, cue, ...about } = settings;
  const f1Of = (kind: (typeof kinds)[number], { gold }: E, answer: string): number =>
    rouge(kind, answer, [gold], { stemmed: true }).f1;
  return {
    ...about,
    source: (example) => `${prompt(example)}\n${cue}`,
    target: ({ gold }) => ` ${gold}`,
    parse: (generated) => behindCue(generated, { opening, cue }),
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, about.name);
      const figures = kinds.map((kind) => {
        const label = `${kind.toUpperCase()} F1 with stems, mean`;
        const values = examples.map((example, i) => f1Of(kind, example, answers[i]!));
        return figure({ name: kind.replace("-", "_"), label, kind: "published" }, values, mean, options);
      });
      return { failed: answers.filter((answer) => answer === "").length, primary: "rouge_1", figures };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, about.name);
      return examples.map((example, i) => f1Of("rouge-1", example, answers[i]!));
    },
    baseline: {
      about: "the first words of the text, as many as answers of training have",
      answers(train, examples) {
        const count = Math.round(mean(train.map(({ gold }) => wordsOf(gold).length)));
        return examples.map(({ text }) => firstWords(text, count));
      },
    },
  };
}
