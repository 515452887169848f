/**
 * Checkpoints of other libraries, which hold the settings of their model and need no config.json. The file format is
 * `checkpoints/`'s; which family a file holds, and what its names and settings mean, the families say (`Family.foreign`).
 */
import { dirname, join } from "node:path";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { openFairseq, writeFairseq } from "../checkpoints/fairseq.ts";
import { torchTensor } from "../checkpoints/torch-write.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { families } from "../models/index.ts";
import { type ModelFolder, type OpenedFolder, withParameters } from "./folder.ts";

export const foreignFormats = ["fairseq"] as const;
export type ForeignName = (typeof foreignFormats)[number];

/**
 * Opens a checkpoint file, or the one of a folder, that says itself what model it holds.
 * @throws CheckpointError where it does not, or no family knows it.
 */
export async function openForeign(path: string): Promise<OpenedFolder> {
  const [first] = (await openCheckpoint(path)).values();
  if (first === undefined) throw new CheckpointError(`${path}: expected tensors, got none`);
  const { file } = first;
  if (!file.endsWith(".pt")) {
    throw new CheckpointError(`${join(dirname(file), "config.json")}: expected beside the weights, got none`, {
      hint: "only fairseq's checkpoints hold the settings of their model",
    });
  }
  const { entries, setting } = await openFairseq(file);
  const family = Object.values(families).find(({ foreign }) => foreign?.["fairseq"]?.recognises(entries));
  if (family === undefined) {
    const known = Object.values(families).filter(({ foreign }) => foreign?.["fairseq"] !== undefined);
    throw new CheckpointError(
      `${file}: expected fairseq's checkpoint of ${known.map(({ modelType }) => modelType).join(" or ")}, ` +
        `got other tensors: ${[...entries.keys()].slice(0, 3).join(", ")}`,
      { hint: "put the model's config.json beside it" },
    );
  }
  const json = family.foreign!["fairseq"]!.configOf({ where: file, stored: entries, setting });
  return withParameters({ folder: dirname(file), family, config: family.parseConfig(json, file), entries });
}

/** Writes a model's weights and settings; gives the file. @throws ConfigError where its family has no such format. */
export async function writeForeign(
  format: ForeignName,
  folder: string,
  { family, config, entries }: ModelFolder,
): Promise<string> {
  const foreign = family.foreign?.[format];
  if (foreign === undefined) {
    const known = Object.keys(family.foreign ?? {}).join(", ") || "none";
    throw new ConfigError(
      `format: expected one that ${family.modelType} has besides its own (${known}), got ${format}`,
    );
  }
  const tensors = foreign
    .storedAs(entries.keys())
    .map(([name, parameter]) => [name, torchTensor(parameter, entries.get(parameter)!)] as const);
  const path = join(folder, "checkpoint.pt");
  await writeFairseq(path, foreign.settingsOf(config), Object.fromEntries(tensors));
  return path;
}
