/** Folders of models where a training is given names of Hugging Face's hub, and these names again where it says what it read. */
import { hubSourceOf, resolveModel } from "../hub/index.ts";
import type { Inputs } from "./objectives/objective.ts";

/** The same inputs by path. @throws as `resolveModel`. */
export async function resolvedInputs<I extends Inputs>(inputs: I, signal?: AbortSignal): Promise<I> {
  const { model, tokenizer, teacher, reward } = inputs;
  return {
    ...inputs,
    ...(model === undefined ? {} : { model: await resolveModel(model, { signal }) }),
    ...(teacher === undefined ? {} : { teacher: await resolveModel(teacher, { signal }) }),
    ...(typeof reward === "string" ? { reward: await resolveModel(reward, { signal }) } : {}),
    ...(typeof tokenizer === "string"
      ? { tokenizer: await resolveModel(tokenizer, { part: "tokenizer", signal }) }
      : {}),
  };
}

/** `org/name@commit` of a model of the hub; the path of another. */
export function sourceOf(path: string | undefined): string | undefined {
  return path === undefined ? undefined : (hubSourceOf(path) ?? path);
}
