/** The model families, by Hugging Face's `model_type`. */
import { ConfigError } from "../errors.ts";
import { bioGpt } from "./biogpt.ts";
import type { Family } from "./family.ts";

export type { CacheShape, Family, ModelConfig, ModelInputs } from "./family.ts";
export { bioGpt, type BioGptConfig } from "./biogpt.ts";

export const families: Readonly<Record<string, Family>> = {
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
