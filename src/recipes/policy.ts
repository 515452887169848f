/**
 * A policy by its rewards, with the defaults of TRL 1.16's GRPOConfig and RLOOConfig: AdamW at 1e-6 and linear, no decay,
 * clipping at 1, three epochs, 8 samples an update (of GRPO one prompt's), at most 512 tokens, temperature 1, ε 0.2.
 */
import { type Recipe, recipe, usual } from "./recipe.ts";

export const policyRecipes = {
  policy: recipe(
    {
      ...usual,
      recipe: "policy",
      objective: {
        kind: "policy",
        method: "grpo",
        completions: null,
        maxNewTokens: 512,
        temperature: 1,
        rules: [],
        rewardWeight: 1,
        scaleRewards: null,
        loss: "dapo",
        beta: null,
        epsilon: 0.2,
        iterations: 1,
        rowsAtOnce: 8,
        template: null,
      },
      batch: 1,
      epochs: 3,
      optimiser: { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
      schedule: { kind: "linear", peak: 1e-6, warmup: 0, initial: 0, floor: 0 },
      sample: { every: 100, prompts: [], maxNewTokens: 100 },
      save: { every: 500, keep: 1 },
      seed: 42,
    },
    ({ objective, sample }) => ({
      objective: { ...objective, completions: 2, maxNewTokens: 8 } as typeof objective,
      sample: { ...sample, every: 2, maxNewTokens: 8 },
      batch: 2,
      steps: 3,
      epochs: null,
    }),
  ),
} satisfies Readonly<Record<string, Recipe>>;
