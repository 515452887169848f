/** What --data of training may name: token files (a prefix, or a folder with train and valid), or documents. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeFailure } from "../corpus/documents.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { openTokens } from "../corpus/token-files.ts";
import { tokenizeDocuments, type TokenizedDocuments } from "../corpus/tokenize.ts";
import type { Progress } from "./progress.ts";

export interface TokenFilesOptions {
  readonly output: string;
  readonly heldOut: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly note: (text: string) => void;
}

/** `tokenizeDocuments` with progress; what cannot be read is counted and its first named. */
export async function tokenFilesOf(
  inputs: readonly string[],
  tokenizer: Tokenizer,
  { progress, note, ...options }: TokenFilesOptions,
): Promise<TokenizedDocuments> {
  const failures: string[] = [];
  try {
    return await tokenizeDocuments(inputs, tokenizer, {
      ...options,
      onFailure: (failure) => failures.push(describeFailure(failure)),
      onProgress: ({ documents, tokens }) =>
        progress.update({ done: documents, unit: "documents", text: `${(tokens / 1e6).toFixed(1)}M tokens` }),
    });
  } finally {
    progress.end();
    if (failures.length > 0) note(`${failures.length} documents could not be read, the first: ${failures[0]}`);
  }
}

export interface TrainingData {
  readonly train: string;
  readonly valid: string | undefined;
}

/** The token files that one path names; undefined where it names documents. */
export function findTokenFiles(path: string, blockTokens: number): TrainingData | undefined {
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
