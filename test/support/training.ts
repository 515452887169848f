/** A recipe with settings, trained: what most tests of training begin with. */
import { configure } from "../../src/recipes/index.ts";
import type { Scale } from "../../src/recipes/recipe.ts";
import type { RunResult } from "../../src/train/loop.ts";
import { train, type TrainOptions } from "../../src/train/train.ts";

export async function trainBy(
  recipe: string,
  settings: readonly string[],
  { scale, ...options }: TrainOptions & { readonly scale?: Scale },
): Promise<RunResult> {
  return train(await configure(recipe, { scale, settings, inputs: options }), options);
}
