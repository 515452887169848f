/**
 * What a benchmark is: examples from its original files, what is asked of each, what is right, and how answers are
 * scored. It follows BioGPT's examples (Luo et al. 2022; microsoft/BioGPT 648f7d6), whose tasks came first, but says
 * nothing of how a model is adapted or decodes: soft prompts have `soft-prompts/formats.ts`, their training has
 * `recipes/soft-prompts.ts`. Any model that can be asked in one of the ways below is scored by `eval/evaluate.ts`.
 */
import type { Counts } from "../metrics/counts.ts";
import type { EvaluateOptions, Measurement } from "../metrics/report.ts";

export type Split = "train" | "valid" | "test";

export interface Example<Gold = unknown> {
  readonly id: string;
  /** Document that the example is part of, where it is not one by itself. */
  readonly document?: string;
  /** Text as in the file, not lower-cased. */
  readonly text: string;
  readonly gold: Gold;
}

/** A text that stands in every sentence, a name from the text, or one of several texts, `many`: or some in a row. */
export type AnswerPart =
  | string
  | { readonly name: true }
  | { readonly oneOf: readonly string[]; readonly many?: boolean };

/** How answers are built that are sentences about names from the text: joined by "; ", a full stop after the last. */
export interface AnswerForm {
  readonly sentence: readonly AnswerPart[];
  /** The answer without a sentence, where there is one. */
  readonly none?: string;
}

/** The original files of a benchmark, in the version that its figures are of. */
export interface DataFiles {
  /** Their folder within that of a suite's data: "medqa". */
  readonly folder: string;
  /** Of each split: the files that are read, and the SHA-256 of each; without one, any version is taken. */
  readonly files: Readonly<Partial<Record<Split, readonly { readonly path: string; readonly sha256?: string }[]>>>;
  /** How to get them: a sentence with an address. */
  readonly from: string;
  readonly licence: string;
}

/** How models write answers that were not tuned to the benchmark: tuned ones end theirs by themselves. */
export interface Writing {
  /** Most tokens of an answer. */
  readonly maxNewTokens: number;
  /** An answer ends before the first of these. */
  readonly stop: readonly string[];
}

/** An answer is a paragraph. */
export const paragraph: Writing = { maxNewTokens: 256, stop: ["\n\n"] };

/** How examples with their answers are put before a question (`eval/shots.ts`). */
export interface ShotRules {
  /** Stands before everything, without shots too. */
  readonly description?: string;
  /** The first ones of the training examples, always; otherwise each question has its own. */
  readonly first?: boolean;
}

/** A turn of a conversation. */
export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What a model is given: a text, or turns of which the last is the question. */
export type Prompt = string | readonly Turn[];

interface ReadOptions {
  /** Also give documents that have nothing to extract, which the published preparation drops. */
  readonly includeEmpty?: boolean;
}

export interface Benchmark<E extends Example = Example, Answer = unknown> {
  readonly name: string;
  /** Changes whenever the same data would give other sources, targets or scores. */
  readonly version: string;
  readonly description: string;
  /** Absent where the files are the user's own. */
  readonly data?: DataFiles;
  /** The primary figure in percent as published, where there is one. */
  readonly published?: { readonly base: number; readonly large: number };
  /** What answers name, where they name things from the text. */
  readonly extracts?: "relations" | "entities";
  /** Where answers are sentences about names from the text: their form, for decoding that copies the names. */
  readonly answerForm?: AnswerForm;
  /** Examples of one split of the original files. @throws DataError where a file is missing or malformed. */
  read(folder: string, split: Split, options?: ReadOptions): Promise<E[]>;
  /** An example without gold, of a text that a user gives. @throws DataError where the text is not what is asked for. */
  exampleOf(id: string, text: string): E;
  /** What a model that writes is given, and the answer that it should write. */
  source(example: E): string;
  target(example: E): string;
  /** The text that names in an answer are copied from, where it is not all of the source. */
  named?(example: E): string;
  /** The source as turns, for models that are asked in conversations. Absent: it is one turn. */
  turns?(example: E): readonly Turn[];
  /** What a model is told that was not tuned to the benchmark, before examples and source. */
  readonly instruction?: string;
  /** Default: `paragraph`. */
  readonly writing?: Writing;
  /** The same without a prompt, for encoders: classifiers and scorers of pairs. Absent where the source has none. */
  plain?(example: E): string;
  /** Reads a written answer, with or without source and soft prompt before it; never throws. */
  parse(generated: string, example?: E): Answer;
  /** Absent: nothing stands before all, and each question has shots of its own. */
  readonly shots?: ShotRules;
  /** What sources depend on besides version and data, for the protocol. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** For models that score texts: what may follow the source, and the answer that the scores of these mean. */
  readonly choices?: {
    of(example: E): readonly string[];
    /** What they stand for, where they are letters: models that compare texts are asked for the likeness to these. */
    texts?(example: E): readonly string[];
    answer(example: E, scores: readonly number[]): Answer;
  };
  /** For classifiers of the source, plain where it can be: the answer that their labels mean. */
  readonly labels?: {
    /** @param likeliest the class with the highest score, where of several at once none reached half. */
    answer(labels: readonly string[], likeliest?: string): Answer;
    /** The right ones, which a classifier learns. */
    of(example: E): readonly string[];
  };
  /** For taggers: the text as words, and the answer that their tags mean. */
  readonly tags?: {
    words(example: E): readonly string[];
    answer(example: E, tags: readonly string[]): Answer;
    /** The right ones, which a tagger learns. */
    of(example: E): readonly string[];
  };
  /** One answer an example, in the same order. @throws DataError where their numbers differ. */
  evaluate(examples: readonly E[], answers: readonly Answer[], options?: EvaluateOptions): Measurement;
  /**
   * What the primary figure is made of, one an example: it is the mean of the numbers, or the micro-F1 of the counts.
   * Two models are compared by these. Examples of one `document` are drawn together.
   */
  scores?(examples: readonly E[], answers: readonly Answer[]): readonly (number | Counts)[];
  /**
   * The text that a model must not have been trained on for its answer to count. Default: source and target; where the
   * source is literature that every model has read, what makes the question.
   */
  contaminatedBy?(example: E): string;
  /** Answers that need no model, from the training examples. */
  readonly baseline?: {
    /** "copying names known from training". */
    readonly about: string;
    answers(train: readonly E[], examples: readonly E[]): Answer[];
  };
}

/** `exampleOf` of benchmarks whose source is a text and whose gold is a list. */
export const exampleOfText = (id: string, text: string): Example<never[]> => ({ id, text: text.trim(), gold: [] });

/** The text that names in an example's answer are copied from. */
export function namedIn<E extends Example>(
  { named, source }: Pick<Benchmark<E>, "source" | "named">,
  example: E,
): string {
  return named?.(example) ?? source(example);
}

/** The text of an example that a model must not have been trained on. */
export function contaminationText(
  { contaminatedBy, source, target }: Pick<Benchmark, "source" | "target" | "contaminatedBy">,
  example: Example,
): string {
  return contaminatedBy?.(example) ?? `${source(example)} ${target(example)}`;
}
