/**
 * Adapting a language model to what people ask of it. Supervised fine-tuning has the rate, schedule and decay of
 * PMC-LLaMA and Meditron (2e-5, cosine with a warm-up, to a tenth); adapters alone want about ten times the rate.
 */
import { type Recipe, recipe, usual } from "./recipe.ts";

export const adaptationRecipes = {
  instruct: recipe(
    {
      ...usual,
      recipe: "instruct",
      objective: { kind: "instructions", maxTokens: 1024, packing: true, learn: "answers", template: null },
      batch: 8,
      accumulate: 4,
      epochs: 3,
      optimiser: { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
      schedule: { kind: "cosine", peak: 2e-5, warmup: 0.03, initial: 0, floor: 0.1 },
      evaluate: { every: "epoch", examples: null },
      sample: { every: 100, prompts: [], maxNewTokens: 100 },
      save: { every: "epoch", keep: 1 },
    },
    ({ sample }) => ({
      objective: { kind: "instructions", maxTokens: 64, packing: true, learn: "answers", template: null },
      batch: 4,
      accumulate: 2,
      epochs: 1,
      sample: { ...sample, every: 2, maxNewTokens: 8 },
    }),
  ),
} satisfies Readonly<Record<string, Recipe>>;
