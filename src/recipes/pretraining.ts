/** What recipes of new language models have in common. */
import { familyOf, type ModelConfig } from "../models/index.ts";
import type { Config } from "../train/config.ts";
import { usualGrowth } from "../train/objectives/new-rows.ts";
import { type Recipe, recipe, usual } from "./recipe.ts";

/** Predicting the next token of blocks; of a model that goes on, with 1 % of other text (Chen et al. 2023, arXiv:2311.16079). */
export function causal(tokens: number): Extract<Config["objective"], { kind: "causal" }> {
  return { kind: "causal", tokens, ...usualGrowth, replay: 0.01 };
}

type Own = Partial<Config> &
  Pick<Config, "recipe" | "objective" | "optimiser" | "schedule"> & { readonly model: ModelConfig };

/** A recipe of a language model of this shape, with as many rows as the tokenizer has pieces. */
export function languageModel({ model, ...own }: Own): Recipe {
  const full: Config = {
    ...usual,
    evaluate: { every: 1000, examples: 64 },
    save: { every: 1000, keep: 3 },
    ...own,
    model: { ...model, vocab_size: null },
  };
  const family = familyOf(model, "model");
  return recipe(full, ({ objective, schedule, sample }) => ({
    model: { ...family.debug(family.parseConfig(model, "model")), vocab_size: null },
    objective: { ...objective, tokens: 32 } as Config["objective"],
    batch: 2,
    accumulate: 2,
    steps: 5,
    schedule: { ...schedule, peak: 1e-3, warmup: 2 },
    evaluate: { every: 2, examples: 4 },
    sample: { ...sample, every: 0 },
    save: { every: 2, keep: 2 },
    precision: "float32",
    device: "cpu",
  }));
}
