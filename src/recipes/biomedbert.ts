/**
 * Pre-training encoders by masked language modelling. NeuML publishes neither steps nor rates for BiomedBERT Small and
 * BERT-hash; these settings are RoBERTa's (Liu et al. 2019, arXiv:1907.11692, table 9: peak 6e-4, betas 0.9 and 0.98,
 * epsilon 1e-6, decay 0.01, linear) at batches and lengths that one machine can do.
 */
import { bert, bertHash } from "../models/index.ts";
import type { TrainConfig } from "../train/config.ts";
import { debugScale, type Recipe } from "./scale.ts";

function maskedRecipe(name: string, full: Partial<TrainConfig>): Recipe {
  return ({ scale = "full" } = {}) => {
    const config: TrainConfig = {
      recipe: name,
      model: { ...bert.sizes, ...bertHash.sizes }[name]!,
      objective: { kind: "masked", rate: 0.15, wholeWords: false, acrossDocuments: false },
      tokens: 512,
      batch: 8,
      accumulate: 32,
      steps: 100_000,
      optimiser: { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-6, weightDecay: 0.01, clipNorm: 1 },
      schedule: { kind: "linear", peak: 6e-4, warmup: 6000, initial: 0, floor: 0 },
      evaluate: { every: 1000, blocks: 64 },
      sample: { every: 0, prompts: [], maxNewTokens: 1 },
      save: { every: 1000, keep: 3 },
      checkpointing: false,
      precision: "float32",
      seed: 1,
      device: "auto",
      threads: 0,
      ...full,
    };
    return scale === "full" ? config : debugScale(config);
  };
}

/**
 * Models of a few hundred thousand weights, for machines without a GPU: short blocks, a larger step, no dropout, and
 * weights that start so wide that a layer passes on as much as 0.02 does at BERT's 768.
 */
function hash(name: string): Recipe {
  const size = bertHash.sizes[name]!;
  const initializer_range = Number((0.02 * Math.sqrt(768 / size.hidden_size)).toFixed(3));
  return maskedRecipe(name, {
    model: { ...size, initializer_range, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
    tokens: 128,
    batch: 32,
    accumulate: 1,
    steps: 20_000,
    schedule: { kind: "linear", peak: 2e-3, warmup: 500, initial: 0, floor: 0 },
    device: "cpu",
  });
}

/** Every masked-language-model recipe by name, which is its model's. */
export const biomedBertRecipes: Readonly<Record<string, Recipe>> = {
  "biomedbert-small": maskedRecipe("biomedbert-small", {}),
  // 768 wide: half the rows in a micro-batch, as many tokens an update.
  "biomedbert-base": maskedRecipe("biomedbert-base", { batch: 4, accumulate: 64 }),
  "hash-nano": hash("hash-nano"),
  "hash-pico": hash("hash-pico"),
  "hash-femto": hash("hash-femto"),
};
