/**
 * A model of its description and its stored weights: config.json's family and settings, the tensors under the names of the
 * family's parameters, and sizes that agree, wherever they were read from.
 */
import { groupingOf, joinGroups } from "../checkpoints/grouped.ts";
import { readFloat32, type TensorEntry } from "../checkpoints/entries.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { architectureOf, type Family, familyOf, type ModelConfig, type Role } from "../models/index.ts";

export interface ModelFolder {
  readonly folder: string;
  readonly family: Family;
  /** With what only the weights know. */
  readonly config: ModelConfig;
  /** By the names of the family's parameters. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

/** A model as it was found. */
export interface OpenedFolder extends ModelFolder {
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/**
 * The model that config.json, read from `described`, says a folder holds; `stored` are its tensors, as they are named there.
 * @param as in this role, whatever `architectures` says.
 * @throws ConfigError where the configuration is not understood, or does not fit the weights.
 */
export async function describedModel(
  folder: string,
  { json, described, as }: { json: Readonly<Record<string, unknown>>; described: string; as?: Role | undefined },
  stored: () => Promise<ReadonlyMap<string, TensorEntry>>,
): Promise<OpenedFolder> {
  const family = familyOf(json, described);
  const { quantization_config, ...plain } = json;
  const grouping = groupingOf(quantization_config, described);
  const named = as === undefined ? plain : { ...plain, architectures: [architectureOf(family, as)] };
  const config = family.parseConfig(named, described);
  const tensors = await stored();
  const entries = grouping === undefined ? tensors : joinGroups(tensors, () => grouping);
  return withParameters({ folder, family, config, entries });
}

/** How many tokens of a text a model reads: model_max_length of tokenizer_config.json, at most the network's positions. */
export function tokenLimitOf(
  tokenizerConfig: Readonly<Record<string, unknown>> | undefined,
  { max_position_embeddings: positions }: Pick<ModelConfig, "max_position_embeddings">,
): number {
  const limit = tokenizerConfig?.["model_max_length"];
  return typeof limit === "number" && limit > 0 ? Math.min(limit, positions) : positions;
}

/** What programs put before every name when they save a model that they have wrapped. */
const wrappers = {
  "module.": "torch's DataParallel",
  "model.": "a trainer, such as Lightning's",
  "_orig_mod.": "torch.compile",
  "base_model.": "peft",
};

/** @throws CheckpointError where all names begin with the same of `wrappers`, and the model's `own` do not. */
function refusePrefix(where: string, names: readonly string[], own: string): void {
  for (const [prefix, program] of Object.entries(wrappers)) {
    if (own.startsWith(prefix) || names.length === 0 || !names.every((name) => name.startsWith(prefix))) continue;
    const shown = JSON.stringify(names[0]!.slice(0, 80));
    throw new CheckpointError(
      `${where}: expected the model's own names, got all with the prefix "${prefix}" (${shown})`,
      {
        hint: `the weights come from ${program}: save the model inside, or take "${prefix}" off every name`,
      },
    );
  }
}

/**
 * A model whose `entries` are named as they are stored, those of another library too, with the names of the family's
 * parameters and with what only the weights know. A head that should repeat the token table and has other numbers is a
 * head of its own, as in transformers.
 */
export async function withParameters(model: ModelFolder): Promise<OpenedFolder> {
  const opened = await bound(model);
  checkSizes(opened);
  return opened;
}

async function bound(model: ModelFolder): Promise<OpenedFolder> {
  const { folder, family, entries: stored } = model;
  const { prefix } = family.measures(model.config).layers;
  refusePrefix([...stored.values()][0]?.file ?? folder, [...stored.keys()], prefix);
  const checkpoint = { stored, setting: () => undefined };
  const foreign = Object.values(family.foreign ?? {}).find((format) => format.recognises(checkpoint));
  const own = foreign === undefined ? stored : renamed(stored, (name) => foreign.parameterOf(name, folder));
  const adapted = (
    config: ModelConfig,
  ): Omit<OpenedFolder, "notes"> & { readonly entries: Map<string, TensorEntry> } => {
    const { config: whole, parameterOf } = family.adapt?.(config, own) ?? { config, parameterOf: (name) => name };
    return { folder, family, config: whole, entries: renamed(own, parameterOf) };
  };
  const first = adapted(model.config);
  const notes: string[] = [];
  for (const [repeated, parameter] of Object.entries(family.tied(first.config))) {
    const [copy, original] = [first.entries.get(repeated), first.entries.get(parameter)];
    if (copy === undefined) continue;
    if (original !== undefined && !(await areEqual(copy, original))) {
      const note = `${repeated} is a head of its own: it differs from ${parameter}, to which config.json ties it`;
      return { ...adapted(family.untied(model.config)), notes: [note] };
    }
    first.entries.delete(repeated);
    if (original === undefined) first.entries.set(parameter, copy);
    else notes.push(`${repeated} dropped: it is a second copy of ${parameter}`);
  }
  return { ...first, notes };
}

/** @throws ConfigError for sizes of the configuration that the weights do not have. */
function checkSizes({ folder, family, config, entries }: ModelFolder): void {
  const where = `${folder}/config.json`;
  const { layers, sizes } = family.measures(config);
  const found = new Set<string>();
  for (const name of entries.keys()) {
    const number = name.startsWith(layers.prefix)
      ? /^\d+(?=\.)/.exec(name.slice(layers.prefix.length))?.[0]
      : undefined;
    if (number !== undefined) found.add(number);
  }
  if (layers.value > found.size) {
    const missing = `expected parameter "${layers.prefix}${found.size}", got none`;
    throw new ConfigError(
      `${where}: ${layers.field}: expected at most ${found.size}, as the weights have, got ${layers.value} (${missing})`,
      { hint },
    );
  }
  for (const { field, value, parameter, axis, uncounted = 0 } of sizes) {
    const dims = entries.get(parameter)?.dims;
    if (dims?.[axis] === undefined) continue;
    const wanted = value ?? (config as unknown as Record<string, number>)[field]!;
    const has = dims[axis] - uncounted;
    if (has === wanted) continue;
    const shape = dims.with(axis, wanted + uncounted).join(", ");
    throw new ConfigError(
      `${where}: ${field}: expected ${has}, as the weights have, got ${wanted} ("${parameter}": expected shape [${shape}], ` +
        `got [${dims.join(", ")}])`,
      { hint },
    );
  }
}

const hint = "config.json and the weights do not belong together";

/** Tensors under the names that `nameOf` gives, without those that it gives none. */
function renamed(
  stored: ReadonlyMap<string, TensorEntry>,
  nameOf: (storedName: string) => string | undefined,
): Map<string, TensorEntry> {
  const entries = new Map<string, TensorEntry>();
  for (const [storedName, entry] of stored) {
    const name = nameOf(storedName);
    if (name !== undefined) entries.set(name, entry);
  }
  return entries;
}

async function areEqual(copy: TensorEntry, original: TensorEntry): Promise<boolean> {
  if (copy.dims.join() !== original.dims.join()) return false;
  const [a, b] = [await readFloat32(copy), await readFloat32(original)];
  return a.every((value, i) => Object.is(value, b[i]) || value === b[i]);
}
