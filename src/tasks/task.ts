/**
 * What a task is: a pure description that fine-tuning, generation and evaluation read. It follows BioGPT's examples
 * (Luo et al. 2022; microsoft/BioGPT 648f7d6): source, soft prompt of N new vocabulary rows, target. No model code:
 * tokenising, cutting and generating are done by who uses the numbers given here.
 */
import type { EvaluateOptions, Report } from "../metrics/report.ts";

export type Split = "train" | "valid" | "test";

export interface Example<Gold = unknown> {
  readonly id: string;
  /** Document that the example is part of, where it is not one by itself. */
  readonly document?: string;
  /** Text as in the file, not lower-cased. */
  readonly text: string;
  readonly gold: Gold;
}

interface ReadOptions {
  /** Also give documents that have nothing to extract, which the published preparation drops. */
  readonly includeEmpty?: boolean;
}

/** Cutting is done on tokens: a longer source keeps `maxSourceTokens`, of which the last becomes `marker`. */
export interface Truncation {
  /** Positions of the model, its leading `</s>` included. */
  readonly maxPositions: number;
  readonly maxSourceTokens: number;
  readonly marker: string;
}

/** Fine-tuning settings in fairseq's sense: Adam, inverse square root decay after a linear warm-up. */
export interface Hyperparameters {
  readonly learningRate: number;
  readonly warmupUpdates: number;
  readonly warmupInitialLearningRate: number;
  readonly stop: { readonly epochs: number } | { readonly updates: number };
  /** Mean of the last n epochs' weights, or the last checkpoint as it is. */
  readonly checkpoint: { readonly averageLastEpochs: number } | "last";
  readonly adamBetas: readonly [number, number];
  readonly weightDecay: number;
  /** 0: gradients are not clipped. */
  readonly clipNorm: number;
  readonly dropout: number;
  readonly tokensPerBatch: number;
  /** Batches whose gradients are summed before an update. */
  readonly accumulation: number;
}

export interface Decoding {
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly minLength: number;
  /** Tokens in all, source and prompt included. */
  readonly maxLength: number;
  readonly noRepeatNgramSize: number;
}

export interface Task<E extends Example = Example, Prediction = unknown> {
  readonly name: string;
  /** Changes whenever the same data would give other sources, targets or scores. */
  readonly version: string;
  readonly description: string;
  /** Number of soft-prompt tokens between source and target. */
  readonly promptLength: number;
  readonly truncation: Truncation;
  /** Whether source and target are lower-cased. */
  readonly lowercase: boolean;
  readonly hyperparameters: Hyperparameters;
  readonly decoding: Decoding;
  /** The primary figure in percent as published, where there is one. */
  readonly published?: { readonly base: number; readonly large: number };
  /** What answers name, where they name things from the text. */
  readonly extracts?: "relations" | "entities";
  /** Where answers are sentences about names from the text: what else stands in them, for copy-constrained decoding. */
  readonly answerWords?: readonly string[];
  /** Examples of one split of the original files. @throws DataError where a file is missing or malformed. */
  read(folder: string, split: Split, options?: ReadOptions): Promise<E[]>;
  source(example: E): string;
  target(example: E): string;
  /** Reads an answer, with or without source and soft prompt before it; never throws. */
  parse(generated: string): Prediction;
  /** One prediction an example, in the same order. @throws DataError where their numbers differ. */
  evaluate(gold: readonly E[], predictions: readonly Prediction[], options?: EvaluateOptions): Report;
}

/** Room for the target: what source and prompt leave of the positions. */
export function maxTargetTokens(task: Pick<Task, "truncation" | "promptLength">): number {
  return task.truncation.maxPositions - task.truncation.maxSourceTokens - task.promptLength;
}

/** What the published fine-tuning scripts have in common. */
export const commonHyperparameters: Omit<Hyperparameters, "learningRate" | "warmupUpdates" | "stop" | "checkpoint"> = {
  warmupInitialLearningRate: 1e-7,
  adamBetas: [0.9, 0.98],
  weightDecay: 0.01,
  clipNorm: 0,
  dropout: 0.1,
  tokensPerBatch: 1024,
  accumulation: 32,
};

/** Greedy, as every published task figure. */
export const greedy: Decoding = { beams: 1, lengthPenalty: 1, minLength: 1, maxLength: 1024, noRepeatNgramSize: 0 };

/** Source budget of extraction tasks and of classification and question answering. */
export function truncateAt(maxSourceTokens: number, maxPositions = 1024): Truncation {
  return { maxPositions, maxSourceTokens, marker: "..." };
}
