/**
 * Models from one format to another: Hugging Face's safetensors and pytorch_model.bin, llama.cpp's GGUF, and other
 * libraries' checkpoints where a family has them. The result is opened again and run beside the source on the same
 * tokens; one that computes something else is removed.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { saveSharded, tensorSource } from "./checkpoints/checkpoint.ts";
import { torchTensor, writeTorchFile } from "./checkpoints/torch-write.ts";
import { CheckpointError, ConfigError, DataError } from "./errors.ts";
import { writeFileAtomically } from "./io/files.ts";
import { makeWhole } from "./io/outputs.ts";
import { Model } from "./model.ts";
import { configText } from "./models/index.ts";
import { isAlone, writeFairseqModel, writtenFormat } from "./runtime/foreign.ts";
import { type ModelFolder, openModelFolder } from "./runtime/folder.ts";
import { hasGgufPooling, writeGgufModel } from "./runtime/gguf.ts";
import { copyUsage } from "./runtime/save.ts";
import { ggufPooling, openSentenceFolder } from "./retrieval/sentence-folder.ts";
import { writeSentenceFiles } from "./retrieval/sentence-write.ts";
import { required } from "./schema.ts";
import { random } from "./tensor/random.ts";
import { sizeOf } from "./tensor/tensor.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import { ggufVocabulary, noVocabulary } from "./tokenizers/gguf.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

export const modelFormats = ["safetensors", "pytorch", "fairseq", "gguf"] as const;
export type ModelFormat = (typeof modelFormats)[number];

/** What numbers are stored as, by the names that GGUF has for them. */
export const numberTypes = ["f32", "f16", "bf16", "q8_0", "q4_0"] as const;
export type NumberType = (typeof numberTypes)[number];

const safetensorsTypes: Partial<Record<NumberType, "float32" | "float16" | "bfloat16">> = {
  f32: "float32",
  f16: "float16",
  bf16: "bfloat16",
};

export interface ConvertOptions {
  /** A model directory, a name of Hugging Face's hub, or a file of weights with what describes it in it or beside it. */
  readonly source: string;
  /** The model that an adapter belongs to. Default: what the adapter names, where that is a path. */
  readonly base?: string | undefined;
  /** A directory, or for "gguf" a file. It must not be there, or be empty. */
  readonly output: string;
  /** Default: "gguf" where `output` ends in .gguf, else "safetensors". */
  readonly to?: ModelFormat | undefined;
  /** Of safetensors f32, f16 or bf16 (default: as they are), of GGUF any (default f16). */
  readonly type?: NumberType | undefined;
}

export interface Converted {
  readonly format: ModelFormat;
  readonly tensors: number;
  readonly parameters: number;
  /**
   * Largest difference between the logits of source and result, and the largest logit, on `tokens` tokens; `relative` is
   * the root mean square of the differences over that of the logits.
   */
  readonly parity: {
    readonly difference: number;
    readonly largest: number;
    readonly relative: number;
    readonly tokens: number;
  };
  /** True where the tokenizer was written. */
  readonly tokenizer: boolean;
  readonly notes: readonly string[];
}

/** How far the logits of a type may be from the source's, relative: unrelated ones are at 1.4. */
const bounds: Readonly<Record<NumberType, number>> = { f32: 1e-5, f16: 0.02, bf16: 0.1, q8_0: 0.1, q4_0: 0.7 };

/**
 * @throws CheckpointError, ConfigError or DataError that names the file and what was expected of it; where the result
 * computes something else than the source.
 */
export async function convertModel(options: ConvertOptions): Promise<Converted> {
  required("convertModel: options", options, "object");
  const { source, output, type, base } = options;
  required("convertModel: source", source, "text");
  required("convertModel: output", output, "text");
  const to = options.to ?? (output.endsWith(".gguf") ? "gguf" : "safetensors");
  checkFormat(to, type, output);
  const model = await openModelFolder(source, { base });
  if (to === "gguf" || to === "fairseq") writtenFormat(to, model);
  const tokenizer = await tokenizerOf(model.folder, base);
  const found = tokenizer instanceof Error ? undefined : tokenizer;
  const notes = tokenizer instanceof Error ? [`no tokenizer written: ${tokenizer.message.split("\n")[0]}`] : [];
  return makeWhole(output, [source, base], async (path) => {
    if (to !== "gguf") await mkdir(path);
    const losses = await write(model, found, { output: path, to, type });
    const parity = await compare(model, await openModelFolder(path));
    if (!(parity.relative <= bounds[type ?? (to === "gguf" ? "f16" : "f32")])) throw different(output, parity);
    const dims = [...model.entries.values()].map((entry) => entry.dims);
    return {
      format: to,
      tensors: dims.length,
      parameters: dims.reduce((sum, each) => sum + sizeOf(each), 0),
      parity,
      tokenizer: found !== undefined,
      notes: [...model.notes, ...notes, ...losses],
    };
  });
}

function checkFormat(to: ModelFormat, type: NumberType | undefined, output: string): void {
  if (!modelFormats.includes(to)) {
    throw new ConfigError(`convertModel: to: expected one of ${modelFormats.join(", ")}, got ${String(to)}`);
  }
  const types = to === "gguf" ? numberTypes : to === "safetensors" ? numberTypes.slice(0, 3) : [];
  if (type !== undefined && !types.includes(type)) {
    const expected = types.length === 0 ? "none" : `one of ${types.join(", ")}`;
    throw new ConfigError(`type: expected ${expected} with ${to}, got ${type}`);
  }
  if (to === "gguf" && !output.endsWith(".gguf")) {
    throw new ConfigError(`output: expected a file ending in .gguf, got ${output}`);
  }
}

function different(output: string, { relative, largest, difference }: Converted["parity"]): CheckpointError {
  return new CheckpointError(
    `${output}: expected the source's logits, got others by up to ${difference.toPrecision(3)} of ${largest.toPrecision(3)} ` +
      `(${relative.toPrecision(2)} relative); it was not kept`,
    { hint: "the source may be damaged, or too small for so few bits: take a type of more" },
  );
}

/** The tokenizer beside the weights, or of an adapter's base; or why there is none. */
async function tokenizerOf(folder: string, base?: string): Promise<Tokenizer | DataError> {
  const found = await loadTokenizer(folder).catch((error: unknown) => {
    if (error instanceof DataError) return error;
    throw error;
  });
  return found instanceof Error && base !== undefined ? tokenizerOf(base) : found;
}

type Target = Pick<ConvertOptions, "output" | "type"> & { readonly to: ModelFormat };

/** Gives what was lost. */
async function write(
  model: ModelFolder,
  tokenizer: Tokenizer | undefined,
  { output, to, type }: Target,
): Promise<readonly string[]> {
  const { family, config, entries } = model;
  if (to === "gguf") {
    const vocabulary = tokenizer === undefined ? noVocabulary : ggufVocabulary(tokenizer, config.vocab_size);
    const isSentence = existsSync(join(model.folder, "modules.json"));
    const { pooling, losses } = isSentence ? await ggufPooling(model.folder) : { losses: [] };
    const options = { type: type ?? "f16", name: nameOf(model.folder), vocabulary, pooling } as const;
    return [...(await writeGgufModel(output, model, options)), ...losses];
  }
  const files = to === "fairseq" ? tokenizer?.foreign?.[to]?.() : tokenizer?.files();
  for (const [name, contents] of files ?? []) await writeFileAtomically(join(output, name), contents);
  if (to === "fairseq") {
    await writeFairseqModel(output, model);
    return [];
  }
  await copyUsage(model.folder, output);
  if (isAlone(model.folder) && (await hasGgufPooling(model.folder))) {
    const { stages, maxTokens } = await openSentenceFolder(model.folder);
    await writeSentenceFiles(output, { stages, width: config.hidden_size, maxTokens });
  }
  const json = { architectures: [family.architecture], ...config };
  await writeFileAtomically(join(output, "config.json"), configText(json));
  if (to === "pytorch") {
    const tensors = [...entries].map(([name, entry]) => [name, torchTensor(entry.name, entry)] as const);
    await writeTorchFile(join(output, "pytorch_model.bin"), Object.fromEntries(tensors));
  } else {
    const sources = [...entries].map(([name, entry]) => tensorSource(name, entry));
    const dtype = type === undefined ? undefined : safetensorsTypes[type];
    await saveSharded(output, sources, dtype === undefined ? {} : { dtype });
  }
  return [];
}

/** A model's name for people. */
function nameOf(folder: string): string {
  const name = basename(folder);
  return name === "model" ? basename(dirname(folder)) : name;
}

/** Both models on two rows of the same tokens: logits of a language model, hidden states where the head is another. */
async function compare(a: ModelFolder, b: ModelFolder): Promise<Converted["parity"]> {
  const { vocab_size: vocabulary, max_position_embeddings: positions } = a.config;
  const length = Math.min(32, positions);
  const draw = random(1);
  const ids = Array.from({ length: 2 }, () => Array.from({ length }, () => draw.integer(vocabulary)));
  // Few bits are widened, as the weights are written.
  await using first = new Model(a, { weights: "float32" });
  await using second = new Model(b, { weights: "float32" });
  const { architecture } = a.family;
  // A format may have the network alone.
  const isLanguage = [a, b].every(({ config }) => (config.architectures?.[0] ?? architecture) === architecture);
  const run = async (model: Model): Promise<Float32Array> =>
    (isLanguage ? (await model.forward({ ids })).logits : (await model.hidden({ ids })).hidden).data;
  const [x, y] = [await run(first), await run(second)];
  let [difference, largest, differences, squares] = [0, 0, 0, 0];
  x.forEach((value, i) => {
    const off = value - y[i]!;
    difference = Math.max(difference, Math.abs(off));
    largest = Math.max(largest, Math.abs(value));
    differences += off * off;
    squares += value * value;
  });
  const relative = differences === 0 ? 0 : Math.sqrt(differences / squares);
  return { difference, largest, relative, tokens: 2 * length };
}
