/**
 * Tuning with soft prompts, task by task, from the published scripts (train.sh of RE-BC5CDR, RE-DTI, RE-DDI and DC-HoC in
 * microsoft/BioGPT's examples, 648f7d6; of QA-PubMedQA, which was deleted there, in its commits bfed3d3 and, for the
 * large model, d091082). Those of named entities and of a user's own tasks are ours.
 */
import { namedTask, type NamedTask } from "../soft-prompts/metadata.ts";
import type { Config } from "../train/config.ts";
import { type Recipe, recipe, usual } from "./recipe.ts";

type Own = Partial<Config> & { readonly peak: number; readonly warmup: number };

/** What the published scripts have in common, in fairseq's sense; the mean of the last five epochs. */
function tuning({ task, format, schema }: NamedTask, { peak, warmup, ...own }: Own): Recipe {
  const full: Config = {
    ...usual,
    recipe: task.name,
    objective: {
      kind: "soft-prompt",
      task: task.name,
      schema: schema as Record<string, unknown> | null,
      promptLength: format.promptLength,
      truncation: { maxPositions: null, maxSourceTokens: null, marker: format.truncation.marker },
      dropout: 0.1,
    },
    tokensPerBatch: 1024,
    accumulate: 32,
    epochs: 100,
    // fairseq's "adam" decays weights apart from the gradient, which the field calls AdamW.
    optimiser: { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 0 },
    schedule: { kind: "inverse_sqrt", peak, warmup, initial: 1e-7, floor: 0 },
    average: 5,
    evaluate: { every: "epoch", examples: null },
    save: { every: "epoch", keep: 1 },
    device: "cpu",
    ...own,
  };
  return recipe(full, ({ schedule }) => ({
    tokensPerBatch: 512,
    accumulate: 2,
    steps: 3,
    epochs: null,
    schedule: { ...schedule, warmup: 1 },
    average: 1,
  }));
}

const published = (name: string, own: Own): Recipe => tuning(namedTask({ task: name, schema: null }), own);
const entities = { peak: 1e-5, warmup: 100, epochs: 20 };

export const softPromptRecipes = {
  bc5cdr: published("bc5cdr", { peak: 1e-5, warmup: 100 }),
  "kd-dti": published("kd-dti", { peak: 1e-5, warmup: 1000, epochs: 30 }),
  ddi: published("ddi", { peak: 1e-4, warmup: 500 }),
  pubmedqa: published("pubmedqa", { peak: 1e-5, warmup: 100, average: 1 }),
  "pubmedqa-large": published("pubmedqa-large", {
    peak: 1e-5,
    warmup: 100,
    average: 1,
    tokensPerBatch: 2048,
    accumulate: 16,
  }),
  hoc: published("hoc", { peak: 1e-5, warmup: 1000, epochs: null, steps: 20_000, average: 1 }),
  "ner-chemical": published("ner-chemical", entities),
  "ner-disease": published("ner-disease", entities),
  "ner-gene": published("ner-gene", entities),
  "ner-jnlpba": published("ner-jnlpba", entities),
} satisfies Readonly<Record<string, Recipe>>;

/** The recipe of a task; of a user's own what its file says, and else as for tasks of its kind. */
export function softPromptRecipe(named: NamedTask): Recipe {
  const { task, tuning: own } = named;
  if (own === undefined) return softPromptRecipes[task.name as keyof typeof softPromptRecipes];
  const { kind, learningRate: peak = 1e-5, warmupUpdates: warmup = 100 } = own;
  const { epochs = kind === "entities" ? entities.epochs : 100 } = own;
  return tuning(named, { peak, warmup, epochs, average: Math.min(5, epochs) });
}
