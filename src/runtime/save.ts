/** Writing a loaded model as a Hugging Face directory. */
import { copyFile, cp, mkdir, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type SaveOptions, saveSharded, tensorSource } from "../checkpoints/checkpoint.ts";
import { writeFileAtomically } from "../io/files.ts";
import { configText } from "../models/index.ts";
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";
import type { ModelFolder } from "./folder.ts";

/** The tokenizer's files go along as they are. */
const companions = /^(tokenizer.*|vocab.*|merges\.txt|dict\.txt|bpecodes|special_tokens_map|added_tokens).*$/;

/** What says how a model is used: for generation, for a task; files and folders of Sentence Transformers and ColBERT. */
const usage = [
  /^(generation_config|task|modules|config_sentence_transformers|sentence_\w+_config)\.json$/,
  /^artifact\.metadata$/,
  /^\d+_[A-Z]\w*$/,
];

/** What lies in a model's directory; nothing where it is a file. */
async function namesIn(folder: string): Promise<string[]> {
  return (await stat(folder)).isDirectory() ? readdir(folder) : [];
}

/** Copies what lies beside the weights of one directory and says how they are used to another. */
export async function copyUsage(from: string, to: string): Promise<void> {
  for (const name of await namesIn(from)) {
    if (usage.some((one) => one.test(name)))
      await cp(join(from, name), join(to, name), { recursive: true, dereference: true });
  }
}

/** @throws ConfigError when asked to write over the directory that the model is mapped from. */
export async function saveModelFolder(folder: string, model: ModelFolder, options: SaveOptions): Promise<void> {
  required("save: folder", folder, "text");
  if (resolve(folder) === resolve(model.folder)) {
    throw new ConfigError(`${folder}: expected another directory than the model's own, which is in use`);
  }
  await mkdir(folder, { recursive: true });
  const tensors = [...model.entries].map(([name, entry]) => tensorSource(name, entry));
  await saveSharded(folder, tensors, options);
  const stored = options.dtype ?? tensors[0]?.dtype ?? "float32";
  const config = { architectures: [model.family.architecture], ...model.config, dtype: stored };
  await writeFileAtomically(join(folder, "config.json"), configText(config));
  for (const name of await namesIn(model.folder)) {
    if (companions.test(name)) await copyFile(join(model.folder, name), join(folder, name));
  }
  await copyUsage(model.folder, folder);
}
