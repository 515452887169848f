/** Models in a browser: directories in Hugging Face's and Sentence Transformers' formats, from an address or given as bytes. */
import * as z from "zod";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { readSafetensors } from "../checkpoints/safetensors-read.ts";
import { CheckpointError } from "../errors.ts";
import { generate, generateStream, type Generated, type Piece } from "../generate/generate.ts";
import { type Generator, openGenerator } from "../generate/open.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { Graph } from "../graph/graph.ts";
import type { Role } from "../models/index.ts";
import { createEmbedder, type Embedder } from "../retrieval/embed.ts";
import { type FolderFiles, readSentenceFolder } from "../retrieval/sentence-modules.ts";
import { describedModel, type ModelFolder } from "../runtime/bind.ts";
import type { Session, Tensors } from "../runtime/session.ts";
import { filesOfSentencePiece } from "../tokenizers/pipeline/sentencepiece.ts";
import { isComplete, readTokenizer, tokenizerFileNames } from "../tokenizers/registry.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { type FetchOptions, type Files, type FilesSource, filesOf, inMemory, readSettings, textOf } from "./files.ts";
import { type DeviceOptions, openNetwork, type RunsOn } from "./network.ts";

export interface OpenOptions extends FetchOptions, DeviceOptions {}

/** A decoder, ready to write. */
export interface BrowserDecoder extends RunsOn, AsyncDisposable {
  readonly tokenizer: Tokenizer;
  /**
   * Continues prompts: greedy search, beam search or sampling, with transformers' options and results.
   * @throws ConfigError on options that are wrong; the signal's reason where `options.signal` is aborted.
   */
  generate(options: GenerateOptions): Promise<Generated>;
  /** The tokens of greedy search or sampling as they are chosen. @throws as `generate`. */
  generateStream(options: GenerateOptions): AsyncGenerator<Piece>;
  dispose(): Promise<void>;
}

/** What was read of a source, and the files of weights among it. */
interface Opening {
  readonly files: Files;
  readonly bytes: Map<string, Uint8Array>;
}

const settingsSchema = z.looseObject({});

/**
 * Opens a Sentence Transformers directory (either schema), its weights in `model.safetensors`.
 * @throws DataError where a file cannot be fetched or is too large; ConfigError where a setting is not understood;
 * CheckpointError where weights are missing.
 */
export async function openEmbedder(source: FilesSource, options: OpenOptions = {}): Promise<Embedder & RunsOn> {
  const opening: Opening = { files: filesOf(source, options), bytes: new Map() };
  const { where } = opening.files;
  const folder = await readSentenceFolder(where, folderFiles(opening));
  let runsOn: RunsOn | undefined;
  const compile = async (graph: Graph, sample: () => Tensors): Promise<Session> => {
    const weights = { entries: folder.entries, where, bytes: opening.bytes };
    const { session, device, notes } = await openNetwork(graph, weights, options, sample);
    runsOn = { device, notes };
    return session;
  };
  const tokenizer = (): Promise<Tokenizer> => openTokenizer(opening.files, folder.model.folder);
  return { ...(await createEmbedder(where, folder, tokenizer, compile)), ...runsOn! };
}

/**
 * Opens a decoder in Hugging Face's format: config.json, a tokenizer's files, `model.safetensors`.
 * @throws as `openEmbedder`; ConfigError where the model is no decoder.
 */
export async function openDecoder(source: FilesSource, options: OpenOptions = {}): Promise<BrowserDecoder> {
  const opening: Opening = { files: filesOf(source, options), bytes: new Map() };
  const { files } = opening;
  const { family, config, entries } = await openModel(opening, files.where);
  const tokenizer = await openTokenizer(files, files.where);
  const defaults = await readSettings(files, `${files.where}/generation_config.json`, settingsSchema);
  let runsOn: RunsOn | undefined;
  const weights = async (graph: Graph, sample: () => Tensors): Promise<Session> => {
    const held = { entries, where: files.where, bytes: opening.bytes };
    const { session, device, notes } = await openNetwork(graph, held, options, sample);
    runsOn = { device, notes };
    return session;
  };
  const generator: Generator = await openGenerator({ family, config, tokenizer, defaults, weights });
  const dispose = async (): Promise<void> => generator[Symbol.asyncDispose]();
  return {
    ...runsOn!,
    tokenizer,
    generate: (wanted) => generate(generator, wanted),
    generateStream: (wanted) => generateStream(generator, wanted),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function folderFiles(opening: Opening): FolderFiles {
  const settings = async (path: string, schema: z.ZodType = settingsSchema, missing?: object): Promise<unknown> =>
    (await readSettings(opening.files, path, schema)) ?? (missing === undefined ? undefined : schema.parse(missing));
  return {
    settings: settings as FolderFiles["settings"],
    model: (folder) => openModel(opening, folder, "bare"),
    weights: (folder) => openWeights(opening, folder),
  };
}

async function openModel(opening: Opening, folder: string, as?: Role): Promise<ModelFolder> {
  const described = `${folder}/config.json`;
  const json = await readSettings(opening.files, described, settingsSchema);
  if (json === undefined) {
    throw new CheckpointError(`${described}: expected a model directory with this file, got none`, {
      hint: "name a directory in Hugging Face's format (config.json, model.safetensors, tokenizer files)",
    });
  }
  return describedModel(folder, { json, described, as }, () => openWeights(opening, folder));
}

/** What a directory's `model.safetensors` holds, which is kept in memory. */
async function openWeights({ files, bytes }: Opening, folder: string): Promise<Map<string, TensorEntry>> {
  const path = `${folder}/model.safetensors`;
  const data = await files.read(path);
  if (data === undefined) {
    throw new CheckpointError(`${path}: expected the weights in this one file, got none`, {
      hint: "galen convert writes them so, of any format",
    });
  }
  bytes.set(path, data);
  const from = inMemory(path, data);
  return from.open(async (reader, size) => (await readSafetensors(from, reader, size)).entries);
}

/** @throws DataError where the directory holds none or one of a kind that is not known. */
async function openTokenizer(files: Files, folder: string): Promise<Tokenizer> {
  const texts = new Map<string, string>();
  const read = async (name: string): Promise<void> => {
    const bytes = await files.read(`${folder}/${name}`);
    if (bytes !== undefined) texts.set(name, textOf(`${folder}/${name}`, bytes));
  };
  await Promise.all(tokenizerFileNames.map(read));
  if (isComplete([...texts.keys()])) return readTokenizer(texts, `${folder}/`);
  const model = await files.read(`${folder}/tokenizer.model`);
  return readTokenizer(model === undefined ? texts : filesOfSentencePiece(model, texts, `${folder}/`), `${folder}/`);
}
