/** Every recipe by name, and the configuration of a run: a recipe, settings that change it, inputs that it is for. */
import { existsSync } from "node:fs";
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";
import { openTask } from "../soft-prompts/metadata.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { didYouMean } from "../suggest.ts";
import { type Config, withSettings } from "../train/config.ts";
import { resolvedInputs } from "../train/inputs.ts";
import type { Inputs } from "../train/objectives/objective.ts";
import { adaptationRecipes } from "./adaptation.ts";
import { bioGptRecipes } from "./biogpt.ts";
import { bioLlmRecipes } from "./biollm.ts";
import { biomedBertRecipes } from "./biomedbert.ts";
import { encoderRecipes } from "./encoders.ts";
import { checkInputs } from "./inputs.ts";
import { llamaRecipes } from "./llama.ts";
import { isRecipe, type RecipeName } from "./list.ts";
import { policyRecipes } from "./policy.ts";
import { preferenceRecipes } from "./preferences.ts";
import type { Recipe, Scale } from "./recipe.ts";
import { softPromptRecipe, softPromptRecipes } from "./soft-prompts.ts";

export { hasHead, headData, type HeadData } from "./heads.ts";
export { checkInputs, needsOf } from "./inputs.ts";
export { isRecipe, type Purpose, purposes, type RecipeInfo, recipeList, type RecipeName, startOf } from "./list.ts";
export type { Recipe, Scale } from "./recipe.ts";
export { softPromptRecipe } from "./soft-prompts.ts";

export const recipes: Readonly<Record<RecipeName, Recipe>> = {
  ...bioGptRecipes,
  ...llamaRecipes,
  ...bioLlmRecipes,
  ...biomedBertRecipes,
  ...encoderRecipes,
  ...adaptationRecipes,
  ...preferenceRecipes,
  ...policyRecipes,
  ...softPromptRecipes,
};

/** @throws ConfigError that lists the recipes. */
export function recipeOf(name: string): Recipe {
  required("recipeOf: name", name, "text");
  if (isRecipe(name)) return recipes[name];
  const known = Object.keys(recipes);
  throw new ConfigError(`recipe: expected one of ${known.join(", ")}, got "${name}"`, didYouMean(name, known));
}

export interface ConfigureOptions {
  readonly scale?: Scale | undefined;
  /** Of the form path=value. */
  readonly settings?: readonly string[] | undefined;
  readonly inputs: Inputs;
}

/**
 * The configuration that a run on these inputs has. `recipe`: a name, or the JSON file of a task of one's own.
 * @throws ConfigError for a recipe or setting that there is not, or a missing input, with what to run first.
 */
export async function configure(recipe: string, options: ConfigureOptions): Promise<Config> {
  required("configure: recipe", recipe, "text");
  required("configure: options", options, "object");
  const { scale = "full", settings = [], inputs: given } = options;
  required("configure: inputs", given, "object");
  required("configure: settings", settings, "list of texts");
  const inputs = await resolvedInputs(given);
  const config = (isRecipe(recipe) ? recipes[recipe] : softPromptRecipe(await ownTask(recipe)))({ scale });
  checkInputs(isRecipe(recipe) ? recipe : "own", inputs);
  if (config.model === null || inputs.model === undefined) return withSettings(config, settings);
  // Its shape, which settings may change, with rows for what the tokenizer has besides.
  const { config: stored } = await openModelFolder(inputs.model, { as: "language" });
  return withSettings({ ...config, model: { ...stored, vocab_size: null } }, settings);
}

async function ownTask(path: string): ReturnType<typeof openTask> {
  if (path.endsWith(".json") || existsSync(path)) return openTask(path);
  const known = Object.keys(recipes);
  const expected = `one of ${known.join(", ")}, or a JSON file of a task`;
  throw new ConfigError(`recipe: expected ${expected}, got "${path}"`, didYouMean(path, known));
}
