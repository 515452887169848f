/**
 * Checkpoints of other libraries, which hold the settings of their model and need no config.json. The file formats are
 * `checkpoints/`'s; which family a file holds, and what its names and settings mean, the families say (`Family.foreign`).
 */
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { readFloat32, type TensorEntry } from "../checkpoints/entries.ts";
import { openFairseq, writeFairseq } from "../checkpoints/fairseq.ts";
import { openGguf } from "../checkpoints/gguf/read.ts";
import { openLlama2c } from "../checkpoints/llama2c.ts";
import { joined, unordered } from "../checkpoints/order.ts";
import { openTorchFile } from "../checkpoints/torch-file.ts";
import { torchTensor } from "../checkpoints/torch-write.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import { architectureOf, families, type Family, type ForeignFormat, type Role } from "../models/index.ts";
import type { ModelFolder } from "./folder.ts";

/** A checkpoint as its library has it. */
interface Stored {
  readonly library: string;
  /** What a tokenizer is looked for in. */
  readonly folder: string;
  /** What errors begin with. */
  readonly where: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  setting(name: string): unknown;
  /** The parts of tensors that lie in several files, instead of `entries`. */
  readonly shards?: readonly ReadonlyMap<string, TensorEntry>[];
}

/** By what a file is called, the reader of its library's checkpoints. */
const readers: readonly (readonly [name: RegExp, read: (path: string) => Promise<Stored>])[] = [
  [/\.gguf$/i, readGguf],
  [/\.pt$/, readFairseq],
  [/\.bin$/, readLlama2c],
];

/** A file of Meta's checkpoints, of which a folder has one or more. */
const metaShard = /^consolidated\.\d+\.pth$/;

/** Whether a file holds all that there is of a model, whatever lies beside it. */
export function isAlone(path: string): boolean {
  return /\.gguf$/i.test(path);
}

/** Whether a path, of a file or a folder with these names, is one that says itself what model it holds. */
export function isForeign(path: string, names: readonly string[] | undefined): boolean {
  if (names === undefined) return readers.some(([name]) => name.test(path));
  return names.some((name) => metaShard.test(name)) || names.some((name) => /^(?:checkpoint.*|model)\.pt$/.test(name));
}

/**
 * The model of a checkpoint that says itself which it is, by the family's names; `as`: in this role.
 * @throws CheckpointError where the file is damaged, or no family knows it.
 */
export async function openForeign(path: string, as?: Role): Promise<ModelFolder> {
  const { library, folder, where, entries, setting, shards } = await readStored(path);
  const found = familyOf(entries, setting, library);
  if (found === undefined) {
    const known = Object.values(families).filter(({ foreign }) => foreign?.[library] !== undefined);
    const architecture = setting("general.architecture");
    const got = typeof architecture === "string" ? architecture.slice(0, 80) : "other tensors";
    const names = known.map(({ modelType }) => modelType).join(" or ");
    throw new CheckpointError(
      `${where}: expected ${library}'s checkpoint of ${names}, got ${got}: ${[...entries.keys()].slice(0, 3).join(", ").slice(0, 200)}`,
      { hint: "put the model's config.json beside it" },
    );
  }
  const [family, format] = found;
  const whole = shards === undefined ? entries : joinedShards(shards, format, { where, stored: entries, setting });
  const numbers = await settingNumbers(whole, format);
  const json = format.configOf({ where, stored: whole, setting: (name) => numbers.get(name) ?? setting(name) });
  const named = as === undefined ? json : { ...json, architectures: [architectureOf(family, as)] };
  const config = family.parseConfig(named, where);
  const parameters = new Map<string, TensorEntry>();
  for (const [storedName, entry] of whole) {
    const name = format.parameterOf(storedName, where);
    if (name === undefined) continue;
    const order = format.orderOf?.(name, config);
    parameters.set(name, order === undefined ? entry : unordered(entry, order));
  }
  return { folder, family, config, entries: parameters };
}

function familyOf(
  stored: ReadonlyMap<string, TensorEntry>,
  setting: Stored["setting"],
  library: string,
): readonly [Family, ForeignFormat] | undefined {
  for (const family of Object.values(families)) {
    const format = family.foreign?.[library];
    if (format?.recognises({ stored, setting }) === true) return [family, format];
  }
  return undefined;
}

/** Numbers of the tensors that are settings: short vectors. */
async function settingNumbers(
  entries: ReadonlyMap<string, TensorEntry>,
  { settingTensors = [] }: ForeignFormat,
): Promise<Map<string, Float32Array>> {
  const numbers = new Map<string, Float32Array>();
  for (const name of settingTensors) {
    const entry = entries.get(name);
    if (entry !== undefined && entry.dims.length === 1) numbers.set(name, await readFloat32(entry));
  }
  return numbers;
}

async function readStored(path: string): Promise<Stored> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) {
    const shards = (await readdir(path)).filter((name) => metaShard.test(name)).sort();
    if (shards.length > 0) return readMeta(path, shards);
  }
  const reader = readers.find(([name]) => name.test(path));
  if (reader !== undefined) return reader[1](path);
  const [first] = (await openCheckpoint(path)).values();
  if (first === undefined) throw new CheckpointError(`${path}: expected tensors, got none`);
  const { file } = first;
  if (file.endsWith(".pt")) return readFairseq(file);
  throw new CheckpointError(`${join(dirname(file), "config.json")}: expected beside the weights, got none`, {
    hint: "only GGUF and the checkpoints of fairseq, Meta and llama2.c hold the settings of their model",
  });
}

async function readFairseq(path: string): Promise<Stored> {
  const { entries, setting } = await openFairseq(path);
  return { library: "fairseq", folder: dirname(path), where: path, entries, setting };
}

async function readGguf(path: string): Promise<Stored> {
  const { metadata, entries } = await openGguf(path);
  return { library: "gguf", folder: path, where: path, entries, setting: (name) => metadata.get(name) };
}

async function readLlama2c(path: string): Promise<Stored> {
  const { entries, settings } = await openLlama2c(path);
  const setting = (name: string): unknown => settings[name as "dim"];
  return { library: "llama2.c", folder: dirname(path), where: path, entries, setting };
}

/** Meta's consolidated.00.pth, 01 …, each with a part of every matrix, and params.json. */
async function readMeta(folder: string, names: readonly string[]): Promise<Stored> {
  const where = join(folder, "params.json");
  const params = await readSettings(where);
  if (params === undefined) {
    throw new CheckpointError(`${where}: expected beside ${names[0]}, got none`, {
      hint: "download the file from where the weights are from",
    });
  }
  const shards: ReadonlyMap<string, TensorEntry>[] = [];
  for (const name of names) shards.push((await openTorchFile(join(folder, name))).tensors);
  const setting = (name: string): unknown => (Object.hasOwn(params, name) ? params[name] : undefined);
  return { library: "meta", folder, where, entries: shards[0]!, setting, shards };
}

/** @throws CheckpointError where a part is missing, or does not fit the others. */
function joinedShards(
  shards: readonly ReadonlyMap<string, TensorEntry>[],
  { splitAxis }: ForeignFormat,
  checkpoint: Parameters<ForeignFormat["configOf"]>[0],
): Map<string, TensorEntry> {
  const whole = new Map<string, TensorEntry>();
  for (const [name, first] of shards[0]!) {
    const axis = splitAxis?.(name, first.dims, checkpoint);
    const parts = shards.map((shard, i) => {
      const part = shard.get(name);
      if (part !== undefined && part.dims.length === first.dims.length) return part;
      throw new CheckpointError(
        `${checkpoint.where}: ${JSON.stringify(name.slice(0, 100))}: expected a part in each of ${shards.length} files, got none in that of number ${i}`,
        { hint: "the files belong to different models, or one is damaged" },
      );
    });
    whole.set(name, axis === undefined || first.dims.length <= axis ? first : joined(parts, axis));
  }
  return whole;
}

/** The family's own words for a format of another library that is written. @throws ConfigError where it has none. */
export function writtenFormat(
  library: string,
  { family }: ModelFolder,
): ForeignFormat & {
  readonly written: NonNullable<ForeignFormat["written"]>;
} {
  const format = family.foreign?.[library];
  if (format?.written !== undefined) return { ...format, written: format.written };
  const known = Object.entries(family.foreign ?? {}).filter(([, { written }]) => written !== undefined);
  const names = known.map(([name]) => name).join(", ") || "none";
  const others = Object.values(families).filter(({ foreign }) => foreign?.[library]?.written !== undefined);
  throw new ConfigError(
    `to: expected a format that ${family.modelType} has besides its own (${names}), got ${library}`,
    { hint: `${library} has ${others.map(({ modelType }) => modelType).join(", ")}; write safetensors for the rest` },
  );
}

/** Writes a model's weights and settings as fairseq has them; gives the file. @throws ConfigError where its family has no such format. */
export async function writeFairseqModel(folder: string, model: ModelFolder): Promise<string> {
  const { written } = writtenFormat("fairseq", model);
  const tensors = written
    .storedAs(model.entries.keys())
    .map(([name, parameter]) => [name, torchTensor(parameter, model.entries.get(parameter)!)] as const);
  const path = join(folder, "checkpoint.pt");
  await writeFairseq(path, written.settingsOf(model.config), Object.fromEntries(tensors));
  return path;
}
