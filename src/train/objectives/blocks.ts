/**
 * Packed blocks of token files. The stream of all documents is cut into blocks of T tokens; which block an example number
 * means is a pure function of the seed, so a resumed run sees what an uninterrupted one would, on any machine.
 */
// B rows, T tokens
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeFailure } from "../../corpus/documents.ts";
import { openTokens, type TokenFile } from "../../corpus/token-files.ts";
import { checkTokenizer, tokenizeDocuments } from "../../corpus/tokenize.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { configText, type Family, familyOf, type ModelConfig } from "../../models/index.ts";
import { openModelFolder } from "../../runtime/folder.ts";
import { Owned } from "../../runtime/owned.ts";
import { random } from "../../tensor/random.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import type { SpecialTokens, Tokenizer } from "../../tokenizers/tokenizer.ts";
import { saveModel } from "../checkpoint.ts";
import { type Growth, startRows } from "./new-rows.ts";
import type { Batch, Context, ExampleSet, Inputs, Objective, Start, Vocabulary } from "./objective.ts";

export type Block = ReturnType<TokenFile["read"]>;

export interface BlockOptions {
  readonly tokens: number;
  /** Of the order of blocks; undefined: as they are in the file. */
  readonly seed: number | undefined;
  /** Tokens that a block has in common with the next. */
  readonly overlap: number;
  /** Only the first blocks. */
  readonly limit?: number | undefined;
  /** Another file, of which so large a share of all blocks comes. */
  readonly replay?: { readonly file: TokenFile; readonly share: number } | undefined;
}

/** `collect` gets blocks, and the example number of each. @throws DataError when the file is shorter than one block. */
export function blockSet(
  file: TokenFile,
  { tokens, seed, overlap, limit = Infinity, replay }: BlockOptions,
  collect: (blocks: readonly Block[], numbers: readonly number[]) => Batch,
): ExampleSet {
  const own = blocksOf(file, { tokens, seed, overlap, limit });
  const share = replay?.share ?? 0;
  const other = replay && share > 0 ? blocksOf(replay.file, { tokens, seed, overlap, limit: Infinity }) : undefined;
  /** Of the blocks of both files, one after the other. */
  const place = (number: number): number => {
    // Evenly spread: of the first n blocks, n · share are the other file's.
    const replayed = Math.floor((number + 1) * share);
    if (other === undefined || replayed === Math.floor(number * share)) return own.placeOf(number - replayed);
    return own.count + other.placeOf(replayed - 1);
  };
  const block = (number: number): Block => {
    const at = place(number);
    return at < own.count ? own.block(at) : other!.block(at - own.count);
  };
  return {
    count: other === undefined ? own.count : Math.round(own.count / (1 - share)),
    batch: (numbers) => collect(numbers.map(block), numbers),
    outside: {
      files: [own, ...(other === undefined ? [] : [other])].map(({ count, file: { prefix, type } }) => ({
        prefix,
        type,
        blocks: count,
      })),
      placeOf: place,
    },
  };
}

/** The blocks of one file without end, in a new order every time that all were there. */
function blocksOf(
  file: TokenFile,
  { tokens, seed, overlap, limit }: Required<Pick<BlockOptions, "tokens" | "seed" | "overlap">> & { limit: number },
): { readonly file: TokenFile; readonly count: number; placeOf(number: number): number; block(place: number): Block } {
  const count = Math.min(limit, Math.floor((file.tokens - overlap) / tokens));
  if (count < 1) {
    throw new DataError(`training data: expected more than ${tokens} tokens, got ${file.tokens}`, {
      hint: "give more text, or set a smaller tokens=",
    });
  }
  let epoch = -1;
  let order = new Uint32Array(0);
  const placeOf = (number: number): number => {
    if (seed === undefined) return number;
    const wanted = Math.floor(number / count);
    if (wanted !== epoch) {
      order = random(seed, wanted).shuffle(Uint32Array.from({ length: count }, (_, i) => i));
      epoch = wanted;
    }
    return order[number % count]!;
  };
  return { file, count, placeOf, block: (place) => file.read(place * tokens, tokens + overlap) };
}

/** What language models are trained on, opened. */
export interface LanguageModelInputs extends Pick<Objective, "start" | "save" | "sampling"> {
  readonly vocabulary: Vocabulary | undefined;
  readonly train: TokenFile;
  readonly valid: TokenFile | undefined;
  readonly replay: TokenFile | undefined;
  readonly owned: Owned;
}

/**
 * Opens weights, tokenizer and token files for pre-training a decoder (`causal`) or an encoder.
 * @throws ConfigError when the model is not of that kind; DataError where there is nothing to train on.
 */
export async function openLanguageModel(
  causal: boolean,
  { tokens, ...growth }: Growth & { readonly tokens: number },
  inputs: Inputs,
  context: Context,
): Promise<LanguageModelInputs> {
  const owned = new Owned();
  try {
    const vocabulary = await vocabularyOf(causal, tokens, inputs, context);
    const files = await tokenFiles(inputs, tokens, vocabulary, context);
    const start = await openStart(causal, vocabulary, growth, inputs, context);
    const open = async (prefix: string): Promise<TokenFile> => {
      if (vocabulary !== undefined && isWhole(vocabulary)) await checkTokenizer(prefix, vocabulary);
      return owned.use(openTokens(prefix, { vocabSize: start.config.vocab_size }));
    };
    const train = await open(files.train);
    const valid = files.valid === undefined ? undefined : await open(files.valid);
    const { replay: known } = inputs;
    const other = known && (await tokenFiles({ data: known }, tokens, vocabulary, context, "replay")).train;
    const replay = other ? await open(other) : undefined;
    const json = { architectures: [start.family.architecture], ...start.config };
    const saved = new Map([...(vocabulary?.files() ?? []), ["config.json", configText(json)]]);
    const save: Objective["save"] = (folder, weights) => saveModel(folder, weights, saved);
    const sampling = vocabulary && isWhole(vocabulary) ? { tokenizer: vocabulary, tokens: tokens >> 1 } : undefined;
    return { start, vocabulary, train, valid, replay, save, sampling, owned };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

/** The tokenizer that is given, or else the model's. A decoder goes on from token files without: its ids are known. */
async function vocabularyOf(
  causal: boolean,
  tokens: number,
  { tokenizer, model, data }: Inputs,
  context: Context,
): Promise<Vocabulary | undefined> {
  if (tokenizer !== undefined) return typeof tokenizer === "string" ? loadTokenizer(tokenizer) : tokenizer;
  if (model === undefined) return undefined;
  return loadTokenizer(model).catch((error: unknown) => {
    if (!(error instanceof DataError) || !causal || givenTokenFiles(data, tokens) === undefined) throw error;
    context.note(`no tokenizer is written beside the weights, and no text sampled: ${error.message.split("\n")[0]}`);
    return undefined;
  });
}

/** It reads and writes texts. */
function isWhole(vocabulary: Vocabulary | Tokenizer): vocabulary is Tokenizer {
  return "encodeIds" in vocabulary;
}

/**
 * A new model, or a directory's in the shape that the configuration says (with a larger vocabulary, say).
 * @throws ConfigError for a model of the other kind, or one without a size.
 */
export async function openStart(
  causal: boolean,
  vocabulary: Vocabulary | undefined,
  { newRows, rowMultiple }: Growth,
  { model: folder }: Inputs,
  { model }: Pick<Context, "model">,
): Promise<Start> {
  const stored = folder === undefined ? undefined : await openModelFolder(folder, { as: "language" });
  const given = model ?? stored?.config;
  if (given === undefined) {
    throw new ConfigError("model: expected a configuration or a directory to start from, got neither");
  }
  const family = familyOf(given, "model");
  checkKind(family, causal);
  // Rows for every piece; what the stored table has besides stays.
  const pieces = Math.max(vocabulary?.vocabSize ?? 0, stored?.config.vocab_size ?? 0);
  const vocab_size = model?.["vocab_size"] ?? Math.ceil(pieces / rowMultiple) * rowMultiple;
  if (vocab_size === 0) {
    throw new ConfigError("model.vocab_size: expected a number where there is no tokenizer, got null");
  }
  const special = stored === undefined ? specialIds(given, vocabulary?.special) : {};
  const config: ModelConfig = family.parseConfig({ ...given, ...special, vocab_size }, "model");
  const entries = stored?.entries ?? new Map();
  if (stored === undefined || folder === undefined) return { folder, family, config, entries };
  // Rows behind the last token of the model's own tokenizer were padding, which new tokens may have taken.
  const own = await loadTokenizer(folder).catch(() => undefined);
  const first = Math.min(own?.vocabSize ?? Infinity, stored.config.vocab_size);
  const gained = (vocabulary?.vocabSize ?? 0) > first || config.vocab_size > stored.config.vocab_size;
  if (!gained) return { folder, family, config, entries };
  const rows = { start: first, count: config.vocab_size - first };
  return { folder, family, config, entries, rows, fillRows: startRows(newRows, vocabulary, first) };
}

/** A new model's texts begin and end as its tokenizer's do; a recipe only knows what is usual for its family. */
function specialIds(given: object, special: SpecialTokens = {}): Readonly<Record<string, number>> {
  const roles = ["bos", "eos", "pad"] as const;
  return Object.fromEntries(
    roles.flatMap((role): [string, number][] => {
      const [field, id] = [`${role}_token_id`, special[role]];
      return id !== undefined && Object.hasOwn(given, field) ? [[field, id]] : [];
    }),
  );
}

function checkKind(family: Family, causal: boolean): void {
  if (family.causal === causal) return;
  const [expected, got] = family.causal ? ["causal", "masked"] : ["masked", "causal"];
  throw new ConfigError(`objective: expected ${expected} for ${family.modelType}, got ${got}`);
}

interface TokenPaths {
  readonly train: string;
  readonly valid: string | undefined;
}

/** Token files as they are, those that a resumed run made before, or new ones of documents. */
async function tokenFiles(
  { data, valid }: Pick<Inputs, "data" | "valid">,
  tokens: number,
  vocabulary: Vocabulary | undefined,
  context: Context,
  name: "tokens" | "replay" = "tokens",
): Promise<TokenPaths> {
  const paths = typeof data === "string" ? [data] : data;
  const folder = join(context.output, name);
  const found = givenTokenFiles(data, tokens) ?? (context.resume ? findTokenFiles(folder, tokens) : undefined);
  if (found !== undefined) return { train: found.train, valid: valid ?? found.valid };
  if (vocabulary === undefined || !isWhole(vocabulary)) {
    throw new ConfigError("tokenizer: expected one to read documents with, got none", {
      hint: "name its directory, or give token files (galen tokenize)",
    });
  }
  const failures: string[] = [];
  await tokenizeDocuments(paths, vocabulary, {
    output: folder,
    // Those of a run that was killed before it began.
    overwrite: true,
    heldOut: name === "tokens" ? 0.01 : 0,
    seed: context.seed,
    signal: context.signal,
    onFailure: (failure) => failures.push(describeFailure(failure)),
    onProgress: (done) => context.reading(done),
  });
  if (failures.length > 0) context.note(`${failures.length} documents could not be read, the first: ${failures[0]}`);
  const made = findTokenFiles(folder, tokens)!;
  return { train: made.train, valid: valid ?? made.valid };
}

/** Those that `data` names; undefined where it is documents. */
function givenTokenFiles(data: Inputs["data"], tokens: number): TokenPaths | undefined {
  const paths = typeof data === "string" ? [data] : data;
  return paths.length === 1 ? findTokenFiles(paths[0]!, tokens) : undefined;
}

/** The token files that a path names, a prefix or a folder of train and valid; undefined where it names documents. */
function findTokenFiles(path: string, blockTokens: number): TokenPaths | undefined {
  if (existsSync(`${path}.idx`)) return { train: path, valid: undefined };
  const [train, valid] = [join(path, "train"), join(path, "valid")];
  if (!existsSync(`${train}.idx`)) return undefined;
  return { train, valid: existsSync(`${valid}.idx`) && holdsBlock(valid, blockTokens) ? valid : undefined };
}

/** One block and the label of its last token. */
function holdsBlock(prefix: string, blockTokens: number): boolean {
  using file = openTokens(prefix);
  return file.tokens > blockTokens;
}
