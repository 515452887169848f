/** The model families, by Hugging Face's `model_type`. */
import { ConfigError } from "../errors.ts";
import { bert, bertHash } from "./bert/bert.ts";
import { bioGpt } from "./biogpt.ts";
import type { Family } from "./family.ts";

export {
  bareArchitecture,
  type CacheShape,
  type Family,
  type Head,
  headOf,
  type Labels,
  type ModelConfig,
  type ModelInputs,
} from "./family.ts";
export { type LabelConfig, problemOf } from "./classification.ts";
export { decodingGraph, hiddenGraph, lossGraph, type LossOptions, scoringGraph } from "./graphs.ts";
export { embeddingGraph, type EmbeddingStage } from "./embedding.ts";
export { bert, bertHash } from "./bert/bert.ts";
export type { BertConfig } from "./bert/config.ts";
export { bioGpt, type BioGptConfig } from "./biogpt.ts";

export const families: Readonly<Record<string, Family>> = {
  bert: bert as unknown as Family,
  bert_hash: bertHash as unknown as Family,
  biogpt: bioGpt as unknown as Family,
};

/** The family that a config.json names. @throws ConfigError that lists those there are. */
export function familyOf(json: unknown, where: string): Family {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  const family = typeof type === "string" && Object.hasOwn(families, type) ? families[type] : undefined;
  if (family === undefined) {
    const known = Object.keys(families).join(", ");
    throw new ConfigError(`${where}: model_type: expected one of ${known}, got ${JSON.stringify(type) ?? "nothing"}`);
  }
  return family;
}
