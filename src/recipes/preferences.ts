/**
 * Recipes of what people prefer, at the rates of TRL 1.16's RewardConfig, DPOConfig and KTOConfig (linear to zero, no
 * decay, clipping at 1); one epoch, since pairs are soon learned by heart.
 */
import type { Config } from "../train/config.ts";
import { type Recipe, recipe, usual } from "./recipe.ts";

function preferences(name: string, objective: Config["objective"], peak: number): Recipe {
  const full: Config = {
    ...usual,
    recipe: name,
    objective,
    batch: 8,
    epochs: 1,
    optimiser: { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    schedule: { kind: "linear", peak, warmup: 0.1, initial: 0, floor: 0 },
    save: { every: 500, keep: 1 },
    seed: 42,
  };
  return recipe(full, ({ objective: own }) => ({
    objective: { ...own, maxTokens: 128 } as Config["objective"],
    batch: 4,
    steps: 3,
    epochs: null,
  }));
}

const answers = { maxTokens: 1024, template: null } as const;

export const preferenceRecipes = {
  reward: preferences("reward", { kind: "reward", centring: 0.01, ...answers }, 1e-4),
  preference: preferences(
    "preference",
    { kind: "preference", loss: "sigmoid", beta: 0.1, labelSmoothing: 0, ...answers },
    1e-6,
  ),
  "preference-unpaired": preferences(
    "preference-unpaired",
    { kind: "unpaired", beta: 0.1, desirableWeight: 1, undesirableWeight: 1, rowsAtOnce: 0, ...answers },
    1e-6,
  ),
} satisfies Readonly<Record<string, Recipe>>;
