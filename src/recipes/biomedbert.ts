/**
 * Pre-training encoders by masked language modelling. NeuML publishes neither steps nor rates for BiomedBERT Small and
 * BERT-hash; these settings are RoBERTa's (Liu et al. 2019, arXiv:1907.11692, table 9: peak 6e-4, betas 0.9 and 0.98,
 * epsilon 1e-6, decay 0.01, linear) at batches and lengths that one machine can do.
 */
import { bert, bertHash } from "../models/index.ts";
import type { Config } from "../train/config.ts";
import { usualGrowth } from "../train/objectives/new-rows.ts";
import { languageModel } from "./pretraining.ts";
import type { Recipe } from "./recipe.ts";

/** `name` is the model's too; `change`: other fields of its configuration. */
function masked(name: string, tokens: number, own: Omit<Partial<Config>, "model"> = {}, change: object = {}): Recipe {
  return languageModel({
    recipe: name,
    model: { ...{ ...bert.sizes, ...bertHash.sizes }[name]!, ...change },
    objective: { kind: "masked", tokens, rate: 0.15, wholeWords: false, acrossDocuments: false, ...usualGrowth },
    batch: 8,
    accumulate: 32,
    steps: 100_000,
    optimiser: { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-6, weightDecay: 0.01, clipNorm: 1 },
    schedule: { kind: "linear", peak: 6e-4, warmup: 6000, initial: 0, floor: 0 },
    ...own,
  });
}

/**
 * Models of a few hundred thousand weights, for machines without a GPU: short blocks, a larger step, no dropout, and
 * weights that start so wide that a layer passes on as much as 0.02 does at BERT's 768.
 */
function hash(name: string): Recipe {
  const size = bertHash.sizes[name]!;
  const initializer_range = Number((0.02 * Math.sqrt(768 / size.hidden_size)).toFixed(3));
  const own: Partial<Config> = {
    batch: 32,
    accumulate: 1,
    steps: 20_000,
    schedule: { kind: "linear", peak: 2e-3, warmup: 500, initial: 0, floor: 0 },
    device: "cpu",
  };
  return masked(name, 128, own, { initializer_range, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
}

export const biomedBertRecipes = {
  "biomedbert-small": masked("biomedbert-small", 512),
  // 768 wide: half the rows in a micro-batch, as many tokens an update.
  "biomedbert-base": masked("biomedbert-base", 512, { batch: 4, accumulate: 64 }),
  "hash-nano": hash("hash-nano"),
  "hash-pico": hash("hash-pico"),
  "hash-femto": hash("hash-femto"),
} satisfies Readonly<Record<string, Recipe>>;
