/** A model directory in Hugging Face's format: config.json and weights, of any family. */
import { join } from "node:path";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { readFloat32, type TensorEntry } from "../checkpoints/entries.ts";
import { CheckpointError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import { bareArchitecture, type Family, familyOf, type ModelConfig } from "../models/index.ts";

export interface ModelFolder {
  readonly folder: string;
  readonly family: Family;
  /** With what only the weights tell. */
  readonly config: ModelConfig;
  /** By the names of the family's parameters. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

/**
 * Reads config.json and the headers of the weights. `bare`: as the network without a head, whatever `architectures`
 * says; `suffix`: as the family's class of this ending, such as ForSequenceClassification.
 * @throws ConfigError or CheckpointError that names the file and what was expected of it.
 */
export async function openModelFolder(
  folder: string,
  { bare = false, suffix }: { bare?: boolean; suffix?: string } = {},
): Promise<ModelFolder> {
  const path = join(folder, "config.json");
  const json = await readSettings(path);
  if (json === undefined) {
    throw new CheckpointError(`${path}: expected a model directory with this file, got none`, {
      hint: "name a directory in Hugging Face's format: config.json, model.safetensors, tokenizer files",
    });
  }
  const family = familyOf(json, path);
  const bareName = bare || suffix !== undefined ? bareArchitecture(family) : undefined;
  const architecture = suffix === undefined ? bareName : bareName?.replace(/Model$/, suffix);
  const config = family.parseConfig(
    architecture === undefined ? json : { ...json, architectures: [architecture] },
    path,
  );
  const stored = await openCheckpoint(folder);
  const adapted = family.adapt?.(config, stored) ?? { config, parameterOf: (name: string): string => name };
  const entries = new Map<string, TensorEntry>();
  for (const [name, entry] of stored) {
    const parameter = adapted.parameterOf(name);
    if (parameter !== undefined) entries.set(parameter, entry);
  }
  await dropTied(entries, family.tied(adapted.config), folder);
  return { folder, family, config: adapted.config, entries };
}

/** Forgets weights that repeat another. @throws CheckpointError when they differ: the head would be lost. */
async function dropTied(
  entries: Map<string, TensorEntry>,
  tied: Readonly<Record<string, string>>,
  folder: string,
): Promise<void> {
  for (const [repeated, parameter] of Object.entries(tied)) {
    const [copy, original] = [entries.get(repeated), entries.get(parameter)];
    if (copy === undefined || original === undefined) continue;
    const [a, b] = [await readFloat32(copy), await readFloat32(original)];
    if (a.length !== b.length || a.some((value, i) => value !== b[i])) {
      throw new CheckpointError(`${folder}: expected "${repeated}" to equal "${parameter}" (tied), got other numbers`, {
        hint: "the checkpoint has a head of its own, which this architecture has not",
      });
    }
    entries.delete(repeated);
  }
}
