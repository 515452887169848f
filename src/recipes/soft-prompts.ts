/**
 * Hyperparameters of fine-tuning with soft prompts, task by task, from the published scripts (train.sh of RE-BC5CDR,
 * RE-DTI, RE-DDI and DC-HoC in microsoft/BioGPT's examples, 648f7d6; of QA-PubMedQA, which was deleted there, in its
 * commits bfed3d3 and, for the large model, d091082). Those of named entities and of a user's own tasks are ours.
 */
import type { OwnTuning } from "../tasks/schema.ts";

/** Settings in fairseq's sense: Adam, inverse square root decay after a linear warm-up. */
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

/** What the published scripts have in common. */
const common = {
  warmupInitialLearningRate: 1e-7,
  adamBetas: [0.9, 0.98],
  weightDecay: 0.01,
  clipNorm: 0,
  dropout: 0.1,
  tokensPerBatch: 1024,
  accumulation: 32,
} as const;

const averaged = { averageLastEpochs: 5 } as const;
const entities = { ...common, learningRate: 1e-5, warmupUpdates: 100, stop: { epochs: 20 }, checkpoint: averaged };
const pubmedqa = {
  ...common,
  learningRate: 1e-5,
  warmupUpdates: 100,
  stop: { epochs: 100 },
  checkpoint: "last",
} as const;

const table: Readonly<Record<string, Hyperparameters>> = {
  bc5cdr: { ...common, learningRate: 1e-5, warmupUpdates: 100, stop: { epochs: 100 }, checkpoint: averaged },
  "kd-dti": { ...common, learningRate: 1e-5, warmupUpdates: 1000, stop: { epochs: 30 }, checkpoint: averaged },
  ddi: { ...common, learningRate: 1e-4, warmupUpdates: 500, stop: { epochs: 100 }, checkpoint: averaged },
  pubmedqa,
  "pubmedqa-large": { ...pubmedqa, tokensPerBatch: 2048, accumulation: 16 },
  hoc: { ...common, learningRate: 1e-5, warmupUpdates: 1000, stop: { updates: 20_000 }, checkpoint: "last" },
  "ner-chemical": entities,
  "ner-disease": entities,
  "ner-gene": entities,
  "ner-jnlpba": entities,
};

/** Those of a task of this package. */
export function softPromptHyperparameters(task: string): Hyperparameters {
  return table[task] ?? entities;
}

/** Those of a user's task: what its file says, and else as for tasks of its kind. */
export function ownHyperparameters(tuning: OwnTuning): Hyperparameters {
  const { kind, learningRate = 1e-5, warmupUpdates = 100, epochs = kind === "entities" ? 20 : 100 } = tuning;
  return {
    ...common,
    learningRate,
    warmupUpdates,
    stop: { epochs },
    checkpoint: { averageLastEpochs: Math.min(5, epochs) },
  };
}
