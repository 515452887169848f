/** A model directory in Hugging Face's format: config.json and weights, of any family. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { readFloat32, type TensorEntry } from "../checkpoints/entries.ts";
import { groupingOf, joinGroups } from "../checkpoints/grouped.ts";
import { adapterFile, baseFolder, openAdapter } from "../checkpoints/peft.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { hubNameOf, resolveModel } from "../hub/index.ts";
import { readSettings } from "../io/json.ts";
import { architectureOf, type Family, familyOf, type ModelConfig, type Role } from "../models/index.ts";
import { roleOf, withAdapter } from "./adapter.ts";
import { isAlone, isForeign, openForeign } from "./foreign.ts";

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

export interface OpenOptions {
  /** In this role, whatever `architectures` says. */
  readonly as?: Role | undefined;
  /** The model that an adapter belongs to. Default: what the adapter names, where that is a path. */
  readonly base?: string | undefined;
}

/**
 * Opens a model: a directory with config.json, one of another library's checkpoints that says itself what it holds, such
 * a file, an adapter of peft's, which is merged into its base as it is read; or a name of Hugging Face's hub.
 * @throws ConfigError or CheckpointError that names the file and what was expected of it.
 */
export async function openModelFolder(source: string, { as, base }: OpenOptions = {}): Promise<OpenedFolder> {
  const path = await resolveModel(source);
  const names = await readdir(path).catch(() => undefined);
  const isFile = names === undefined && existsSync(path);
  if (names?.includes(adapterFile) === true && !names.some((name) => weights.test(name))) {
    return openWithAdapter(path, as, base);
  }
  if (base !== undefined) throw new ConfigError(`base: expected with an adapter's folder, got ${path}`);
  const folder = isFile ? dirname(path) : path;
  const described = join(folder, "config.json");
  const json = isFile && isAlone(path) ? undefined : await readSettings(described);
  if (json === undefined) {
    if (isForeign(path, names) || isFile) return withParameters(await openForeign(path, as));
    throw new CheckpointError(`${described}: expected a model directory with this file, got none`, {
      hint: hintOf(names),
    });
  }
  const family = familyOf(json, described);
  const { quantization_config, ...plain } = json;
  const grouping = groupingOf(quantization_config, described);
  const named = as === undefined ? plain : { ...plain, architectures: [architectureOf(family, as)] };
  const config = family.parseConfig(named, described);
  const stored = await openCheckpoint(path);
  const entries = grouping === undefined ? stored : joinGroups(stored, () => grouping);
  return withParameters({ folder, family, config, entries });
}

/** A whole model's weights. */
const weights = /^(?:model|pytorch_model|consolidated|checkpoint).*\.(?:safetensors|bin|pth|pt|json)$/;

async function openWithAdapter(folder: string, as: Role | undefined, given: string | undefined): Promise<OpenedFolder> {
  const adapter = (await openAdapter(folder))!;
  const { base: named } = adapter;
  const isName = named !== undefined && hubNameOf(named) !== undefined;
  const place = given ?? baseFolder(folder, named) ?? (isName ? named : undefined);
  if (place === undefined) {
    const got = named === undefined ? "none that it names" : JSON.stringify(named);
    throw new CheckpointError(`${folder}: expected an adapter whose base is here, got ${got}`, {
      hint: `merge it: galen convert ${folder} --base DIR --output DIR`,
    });
  }
  const opened = await openModelFolder(place, { as: as ?? roleOf(adapter) });
  const { notes, ...merged } = await withParameters(withAdapter(opened, adapter));
  return { ...merged, notes: [...opened.notes, ...notes] };
}

function hintOf(names: readonly string[] = []): string {
  const alone = names.filter(isAlone);
  if (alone.length > 0) return `name the file itself: ${alone.slice(0, 5).join(", ")}`;
  return "name a directory in Hugging Face's format (config.json, model.safetensors, tokenizer files), or a model of its hub: org/name";
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
  const where = join(folder, "config.json");
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
