/**
 * The model families, by Hugging Face's `model_type`. To add one: write its file (see `family.ts`) and name it here;
 * loading, training, generation and conversion find it by what it says of itself.
 */
import { ConfigError } from "../errors.ts";
import { shown } from "../schema.ts";
import { bert, bertHash, megatronBert } from "./bert/bert.ts";
import { bioGpt } from "./biogpt/biogpt.ts";
import type { Family } from "./family.ts";
import { llama, mistral, qwen2, qwen3 } from "./llama/llama.ts";

export const families: Readonly<Record<string, Family>> = Object.fromEntries(
  [bert, bertHash, megatronBert, bioGpt, llama, mistral, qwen2, qwen3].map((family: Family) => [
    family.modelType,
    family,
  ]),
);

/** The family that a config.json names, or that knows it without. @throws ConfigError that lists those there are. */
export function familyOf(json: unknown, where: string): Family {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  const named = typeof type === "string" && Object.hasOwn(families, type) ? families[type] : undefined;
  const family = type === undefined ? Object.values(families).find((one) => one.recognises?.(json)) : named;
  if (family === undefined) {
    const known = Object.keys(families).join(", ");
    throw new ConfigError(`${where}: model_type: expected one of ${known}, got ${shown(type)}`);
  }
  return family;
}
