/** Every recipe by name. */
import { ConfigError } from "../errors.ts";
import { bioGptBase, bioGptLarge, bioGptMicro, bioGptNano } from "./biogpt.ts";
import { biomedBertRecipes } from "./biomedbert.ts";
import type { Recipe } from "./scale.ts";

export type { Recipe, Scale } from "./scale.ts";

export const recipes: Readonly<Record<string, Recipe>> = {
  "biogpt-nano": bioGptNano,
  "biogpt-micro": bioGptMicro,
  "biogpt-base": bioGptBase,
  "biogpt-large": bioGptLarge,
  ...biomedBertRecipes,
};

/** @throws ConfigError that lists the recipes. */
export function recipeOf(name: string): Recipe {
  const recipe = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  if (recipe === undefined) {
    throw new ConfigError(`recipe: expected one of ${Object.keys(recipes).join(", ")}, got "${name}"`);
  }
  return recipe;
}
