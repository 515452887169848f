/** A model directory in Hugging Face's format: config.json and weights, of any family. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { adapterFile, baseFolder, openAdapter } from "../checkpoints/peft.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { hubNameOf, resolveModel } from "../hub/index.ts";
import { readSettings } from "../io/json.ts";
import type { Role } from "../models/index.ts";
import { roleOf, withAdapter } from "./adapter.ts";
import { describedModel, type OpenedFolder, withParameters } from "./bind.ts";
import { isAlone, isForeign, openForeign } from "./foreign.ts";

export type { ModelFolder } from "./bind.ts";

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
  return describedModel(folder, { json, described, as }, () => openCheckpoint(path));
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
