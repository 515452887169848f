/**
 * Model directories from one format to another: Hugging Face's safetensors and pytorch_model.bin, and other libraries'
 * checkpoints where a family has them. The result is opened again and run beside the source on the same tokens.
 */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { saveSharded, tensorSource } from "./checkpoints/checkpoint.ts";
import { torchTensor, writeTorchFile } from "./checkpoints/torch-write.ts";
import { ConfigError, DataError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import { writeFileAtomically } from "./io/files.ts";
import { lockFolder } from "./io/lock.ts";
import { Model } from "./model.ts";
import { configText } from "./models/index.ts";
import { type ModelFolder, openModelFolder, type OpenedFolder } from "./runtime/folder.ts";
import { copyUsage } from "./runtime/save.ts";
import { foreignFormats, type ForeignName, openForeign, writeForeign } from "./runtime/foreign.ts";
import { required } from "./schema.ts";
import { random } from "./tensor/random.ts";
import { sizeOf } from "./tensor/tensor.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

export type ModelFormat = "safetensors" | "pytorch" | ForeignName;
export const modelFormats: readonly ModelFormat[] = ["safetensors", "pytorch", ...foreignFormats];

export interface ConvertOptions {
  /** A model directory, a name of Hugging Face's hub, or a checkpoint file with its tokenizer's files beside it. */
  readonly source: string;
  readonly output: string;
  /** Default "safetensors". */
  readonly format?: ModelFormat | undefined;
  /** What floats of safetensors are stored as. Default: as they are. */
  readonly dtype?: "float32" | "float16" | "bfloat16" | undefined;
}

export interface Converted {
  readonly format: ModelFormat;
  readonly tensors: number;
  readonly parameters: number;
  /** Largest difference between the logits of source and result, and the largest logit, on `tokens` tokens. */
  readonly parity: { readonly difference: number; readonly largest: number; readonly tokens: number };
  /** True where the tokenizer's files were written. */
  readonly tokenizer: boolean;
  readonly notes: readonly string[];
}

/** @throws CheckpointError, ConfigError or DataError that names the file and what was expected of it. */
export async function convertModel(options: ConvertOptions): Promise<Converted> {
  required("convertModel: options", options, "object");
  const { source, output, format = "safetensors", dtype } = options;
  required("convertModel: source", source, "text");
  required("convertModel: output", output, "text");
  if (!modelFormats.includes(format)) {
    throw new ConfigError(`convertModel: format: expected one of ${modelFormats.join(", ")}, got ${String(format)}`);
  }
  if (format !== "safetensors" && dtype !== undefined) {
    throw new ConfigError(`dtype: expected only with format safetensors, got ${dtype} with ${format}`);
  }
  const path = await resolveModel(source);
  const model = await openSource(path);
  await using _ = await lockFolder(output);
  const tokenizer = await tokenizerOf(path);
  const notes = tokenizer instanceof Error ? [`no tokenizer written: ${tokenizer.message.split("\n")[0]}`] : [];
  const written = await write(model, tokenizer instanceof Error ? undefined : tokenizer, { output, format, dtype });
  const dims = [...model.entries.values()].map((entry) => entry.dims);
  return {
    format,
    tensors: dims.length,
    parameters: dims.reduce((sum, each) => sum + sizeOf(each), 0),
    parity: await compare(model, await openSource(written)),
    tokenizer: !(tokenizer instanceof Error),
    notes: [...model.notes, ...notes],
  };
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/** The folder of a source, which may be a file in it. */
async function folderOf(source: string): Promise<string> {
  return (await stat(source).catch(() => undefined))?.isDirectory() === true ? source : dirname(source);
}

async function openSource(source: string): Promise<OpenedFolder> {
  const folder = await folderOf(source);
  const described = await exists(join(folder, "config.json"));
  return described ? openModelFolder(folder, { weights: source }) : openForeign(source);
}

/** The tokenizer beside the weights, or why there is none. */
async function tokenizerOf(source: string): Promise<Tokenizer | DataError> {
  return loadTokenizer(await folderOf(source)).catch((error: unknown) => {
    if (error instanceof DataError) return error;
    throw error;
  });
}

/** Gives the path that the result is opened by. */
async function write(
  model: ModelFolder,
  tokenizer: Tokenizer | undefined,
  { output, format, dtype }: Pick<ConvertOptions, "output" | "dtype"> & { readonly format: ModelFormat },
): Promise<string> {
  const { family, config, entries } = model;
  const isForeign = format !== "safetensors" && format !== "pytorch";
  const files = isForeign ? tokenizer?.foreign?.[format]?.() : tokenizer?.files();
  for (const [name, contents] of files ?? []) await writeFileAtomically(join(output, name), contents);
  if (isForeign) return writeForeign(format, output, model);
  await copyUsage(model.folder, output);
  const json = { architectures: [family.architecture], ...config };
  await writeFileAtomically(join(output, "config.json"), configText(json));
  if (format === "pytorch") {
    const tensors = [...entries].map(([name, entry]) => [name, torchTensor(entry.name, entry)] as const);
    await writeTorchFile(join(output, "pytorch_model.bin"), Object.fromEntries(tensors));
  } else {
    const sources = [...entries].map(([name, entry]) => tensorSource(name, entry));
    await saveSharded(output, sources, dtype === undefined ? {} : { dtype });
  }
  return output;
}

/** Both models on two rows of the same tokens: logits of a language model, hidden states where the head is another. */
async function compare(a: ModelFolder, b: ModelFolder): Promise<Converted["parity"]> {
  const { vocab_size: vocabulary, max_position_embeddings: positions } = a.config;
  const length = Math.min(32, positions);
  const draw = random(1);
  const ids = Array.from({ length: 2 }, () => Array.from({ length }, () => draw.integer(vocabulary)));
  await using first = new Model(a);
  await using second = new Model(b);
  const { architecture } = a.family;
  const isLanguage = (a.config.architectures?.[0] ?? architecture) === architecture;
  const run = async (model: Model): Promise<Float32Array> =>
    (isLanguage ? (await model.forward({ ids })).logits : (await model.hidden({ ids })).hidden).data;
  const [x, y] = [await run(first), await run(second)];
  let [difference, largest] = [0, 0];
  x.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - y[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return { difference, largest, tokens: 2 * length };
}
