/**
 * The model families, by Hugging Face's `model_type`. To add one: write its file (see `family.ts`) and name it here;
 * loading, training, generation and conversion find it by what it says of itself.
 */
import { ConfigError } from "../errors.ts";
import { shown } from "../schema.ts";
import { bert, bertHash, megatronBert } from "./bert/bert.ts";
import { bioGpt } from "./biogpt/biogpt.ts";
import type { Family, ModelConfig } from "./family.ts";
import { gpt2 } from "./gpt2/gpt2.ts";
import { llama, mistral, qwen2, qwen3 } from "./llama/llama.ts";
import { modernBert } from "./modernbert/modernbert.ts";

export const families: Readonly<Record<string, Family>> = Object.fromEntries(
  [bert, bertHash, megatronBert, bioGpt, gpt2, llama, mistral, qwen2, qwen3, modernBert].map((family: Family) => [
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

/** The contents of a model's config.json, under the names that its family is published with. */
export function configText(config: ModelConfig): string {
  const { written = (same): object => same } = familyOf(config, "model");
  return `${JSON.stringify(written(config), null, 2)}\n`;
}

/** The most tokens of a row: more than the model was trained on, where its positions stretch so far. */
export function mostTokens(config: ModelConfig): number {
  return familyOf(config, "model").cache?.(config).maxTokens ?? config.max_position_embeddings;
}
