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
}

/** `collect` gets blocks, and the example number of each. @throws DataError when the file is shorter than one block. */
export function blockSet(
  file: TokenFile,
  { tokens, seed, overlap, limit = Infinity }: BlockOptions,
  collect: (blocks: readonly Block[], numbers: readonly number[]) => Batch,
): ExampleSet {
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
  return {
    count,
    batch: (numbers) =>
      collect(
        numbers.map((number) => file.read(placeOf(number) * tokens, tokens + overlap)),
        numbers,
      ),
  };
}

/** What language models are trained on, opened. */
export interface LanguageModelInputs extends Pick<Objective, "start" | "save" | "sampling"> {
  readonly vocabulary: Vocabulary | undefined;
  readonly train: TokenFile;
  readonly valid: TokenFile | undefined;
  readonly owned: Owned;
}

/**
 * Opens weights, tokenizer and token files for pre-training a decoder (`causal`) or an encoder.
 * @throws ConfigError when the model is not of that kind; DataError where there is nothing to train on.
 */
export async function openLanguageModel(
  causal: boolean,
  tokens: number,
  inputs: Inputs,
  context: Context,
): Promise<LanguageModelInputs> {
  const owned = new Owned();
  try {
    const vocabulary = await vocabularyOf(causal, tokens, inputs, context);
    const files = await tokenFiles(inputs, tokens, vocabulary, context);
    const start = await openStart(causal, vocabulary, inputs, context);
    const open = async (prefix: string): Promise<TokenFile> => {
      if (vocabulary !== undefined && isWhole(vocabulary)) await checkTokenizer(prefix, vocabulary);
      return owned.use(openTokens(prefix, { vocabSize: start.config.vocab_size }));
    };
    const train = await open(files.train);
    const valid = files.valid === undefined ? undefined : await open(files.valid);
    const json = { architectures: [start.family.architecture], ...start.config };
    const saved = new Map([...(vocabulary?.files() ?? []), ["config.json", configText(json)]]);
    const save: Objective["save"] = (folder, weights) => saveModel(folder, weights, saved);
    const sampling = vocabulary && isWhole(vocabulary) ? { tokenizer: vocabulary, tokens: tokens >> 1 } : undefined;
    return { start, vocabulary, train, valid, save, sampling, owned };
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

/** A new model, or a directory's in the shape that the configuration says (with a larger vocabulary, say). */
async function openStart(
  causal: boolean,
  vocabulary: Vocabulary | undefined,
  { model: folder }: Inputs,
  { model }: Context,
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
  const vocab_size = model?.["vocab_size"] ?? pieces;
  if (vocab_size === 0) {
    throw new ConfigError("model.vocab_size: expected a number where there is no tokenizer, got null");
  }
  const special = stored === undefined ? specialIds(given, vocabulary?.special) : {};
  const config: ModelConfig = family.parseConfig({ ...given, ...special, vocab_size }, "model");
  return { folder, family, config, entries: stored?.entries ?? new Map() };
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
  { data, valid }: Inputs,
  tokens: number,
  vocabulary: Vocabulary | undefined,
  context: Context,
): Promise<TokenPaths> {
  const paths = typeof data === "string" ? [data] : data;
  const folder = join(context.output, "tokens");
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
    heldOut: 0.01,
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
