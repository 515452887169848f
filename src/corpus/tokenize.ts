/** From documents to the token files that training reads: one for training, one held out. */
import { dirname, join } from "node:path";
import * as z from "zod";
import { filesFingerprint } from "../io/fingerprint.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readSettings } from "../io/json.ts";
import { openOutput } from "../io/outputs.ts";
import { DataError } from "../errors.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { type Document, readDocuments, type ReadDocumentsOptions, refuseBareNotes } from "./documents.ts";
import { countWords, titleAndText } from "./text.ts";
import { writeTokens } from "./token-files.ts";

export interface TokenizeOptions {
  /** Folder: train.bin, train.idx, valid.bin, valid.idx, tokens.json. */
  readonly output: string;
  /** Share of documents held out, chosen by a hash of their id and the seed. */
  readonly heldOut: number;
  readonly seed: number;
  /** Replace token files that are there. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TokenizeProgress) => void) | undefined;
}

/** What the folder holds. */
const tokenNames = ["train.bin", "train.idx", "valid.bin", "valid.idx", "tokens.json"];

export interface TokenizeProgress {
  readonly documents: number;
  readonly tokens: number;
  readonly bytes: number;
}

/** What a split holds; `words` are whitespace-separated, `bytes` are of UTF-8 text. */
export interface SplitCounts {
  readonly documents: number;
  readonly tokens: number;
  readonly words: number;
  readonly bytes: number;
}

/** tokens.json. */
export interface TokenManifest {
  readonly vocabSize: number;
  /** Fingerprint of the tokenizer; absent in files of before it was kept. */
  readonly tokenizer?: string;
  readonly train: SplitCounts;
  readonly valid: SplitCounts;
}

/** What token files say of the tokenizer that made them: its vocabulary and rules, not its settings. */
export function tokenizerFingerprint({ files }: Pick<Tokenizer, "files">): string {
  return filesFingerprint(new Map([...files()].filter(([name]) => !/config|special_tokens_map/.test(name))));
}

/**
 * Token files are those of this tokenizer, as far as the tokens.json beside them says.
 * @throws DataError where another made them.
 */
export async function checkTokenizer(prefix: string, tokenizer: Pick<Tokenizer, "files">): Promise<void> {
  const path = join(dirname(prefix), "tokens.json");
  const made = (await readSettings(path, z.looseObject({ tokenizer: z.string().optional() })))?.tokenizer;
  const own = tokenizerFingerprint(tokenizer);
  if (made === undefined || made === own) return;
  throw new DataError(`${prefix}: expected token files of this tokenizer (${own}), got those of another (${made})`, {
    hint: `name the tokenizer that made them, or make them again: galen tokenize --tokenizer MODEL --output DIR`,
  });
}

/** True for the share of ids that is held out: a pure function of id and seed. */
export function isHeldOut(id: string, share: number, seed: number): boolean {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296 < share;
}

/**
 * Tokenizes documents into `output`; nothing appears under the final names unless all was read.
 * @throws DataError when there is no document to train on.
 */
export async function buildTokenFiles(
  documents: AsyncIterable<Document> | Iterable<Document>,
  tokenizer: Tokenizer,
  options: TokenizeOptions,
): Promise<TokenManifest> {
  const { output, overwrite } = options;
  const claimed = await openOutput(output, { kind: "token files", names: tokenNames, overwrite });
  try {
    return await writeSplits(documents, tokenizer, options);
  } finally {
    await claimed[Symbol.asyncDispose]();
  }
}

async function writeSplits(
  documents: AsyncIterable<Document> | Iterable<Document>,
  tokenizer: Tokenizer,
  { output, heldOut, seed, signal, onProgress }: TokenizeOptions,
): Promise<TokenManifest> {
  const { vocabSize } = tokenizer;
  const splits = {
    train: { writer: await writeTokens(join(output, "train"), { vocabSize }), words: 0, bytes: 0 },
    valid: { writer: await writeTokens(join(output, "valid"), { vocabSize }), words: 0, bytes: 0 },
  };
  const done = { documents: 0, tokens: 0, bytes: 0 };
  try {
    for await (const document of documents) {
      signal?.throwIfAborted();
      const text = titleAndText(document);
      if (text.trim() === "") continue;
      const split = splits[isHeldOut(document.id, heldOut, seed) ? "valid" : "train"];
      const ids = tokenizer.encodeIds(text);
      await split.writer.write(ids);
      const bytes = Buffer.byteLength(text);
      split.words += countWords(text);
      split.bytes += bytes;
      done.documents += 1;
      done.tokens += ids.length;
      done.bytes += bytes;
      onProgress?.(done);
    }
    if (done.documents === 0) throw new DataError("training data: expected at least one document with text, got none");
    // Both before either gets its name: what fails for want of room fails here.
    await splits.train.writer.flush();
    await splits.valid.writer.flush();
    const close = async ({ writer, words, bytes }: (typeof splits)["train"]): Promise<SplitCounts> => ({
      ...(await writer.close()),
      words,
      bytes,
    });
    const [train, valid] = [await close(splits.train), await close(splits.valid)];
    const manifest = { vocabSize, tokenizer: tokenizerFingerprint(tokenizer), train, valid };
    await writeFileAtomically(join(output, "tokens.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  } catch (error) {
    await splits.train.writer.abort();
    await splits.valid.writer.abort();
    throw error;
  }
}

export interface TokenizedDocuments extends TokenManifest {
  /** What could not be read. */
  readonly failures: number;
}

/**
 * `buildTokenFiles` of documents on disk. What cannot be read is reported, counted and left out.
 * @throws DataError for an input that does not exist, or when there is no document to train on.
 */
export async function tokenizeDocuments(
  inputs: readonly string[],
  tokenizer: Tokenizer,
  { onFailure, columns, ...options }: TokenizeOptions & Pick<ReadDocumentsOptions, "onFailure" | "columns">,
): Promise<TokenizedDocuments> {
  await refuseBareNotes(inputs);
  let failures = 0;
  const documents = readDocuments(inputs, {
    signal: options.signal,
    columns,
    onFailure(failure) {
      failures += 1;
      onFailure?.(failure);
    },
  });
  return { ...(await buildTokenFiles(documents, tokenizer, options)), failures };
}
