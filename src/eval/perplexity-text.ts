/** What perplexity is measured on: token files with the counts beside them, or documents that are tokenized now. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readDocuments, type ReadDocumentsOptions } from "../corpus/documents.ts";
import { countWords, titleAndText } from "../corpus/text.ts";
import { openTokens } from "../corpus/token-files.ts";
import { checkTokenizer } from "../corpus/tokenize.ts";
import { DataError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";

/** Token ids by position; a `TokenFile` is one. */
export interface TokenStream {
  readonly tokens: number;
  read(start: number, length: number): ArrayLike<number>;
}

/** A stream with what it was made of, where that is known. */
export interface PerplexityText {
  readonly stream: TokenStream;
  readonly documents?: number | undefined;
  /** Separated by white space. */
  readonly words?: number | undefined;
  /** Of UTF-8. */
  readonly bytes?: number | undefined;
}

export interface PerplexityTextOptions extends ReadDocumentsOptions {
  /** Called with the number of documents that have been tokenized. */
  readonly onProgress?: ((documents: number) => void) | undefined;
}

/**
 * One prefix of token files, or documents of any kind for the tokenizer in `model`.
 * @throws DataError where there is nothing to measure on, or another tokenizer made the files, and as `readDocuments` does.
 */
export async function openPerplexityText(
  inputs: readonly string[],
  model: string,
  { onProgress, ...reading }: PerplexityTextOptions = {},
): Promise<PerplexityText> {
  const [first] = inputs;
  const tokenizer = await loadTokenizer(model);
  if (inputs.length === 1 && existsSync(`${first}.idx`)) return openTokenText(first!, tokenizer);
  const ids: number[] = [];
  const counts = { documents: 0, words: 0, bytes: 0 };
  for await (const document of readDocuments(inputs, reading)) {
    const text = titleAndText(document);
    if (text.trim() === "") continue;
    for (const id of tokenizer.encodeIds(text)) ids.push(id);
    counts.documents += 1;
    counts.words += countWords(text);
    counts.bytes += Buffer.byteLength(text);
    onProgress?.(counts.documents);
  }
  if (counts.documents === 0) throw new DataError(`${inputs.join(", ")}: expected documents with text, got none`);
  return { stream: { tokens: ids.length, read: (start, length) => ids.slice(start, start + length) }, ...counts };
}

async function openTokenText(prefix: string, tokenizer: Tokenizer): Promise<PerplexityText> {
  await checkTokenizer(prefix, tokenizer);
  const stream = openTokens(prefix, { vocabSize: tokenizer.vocabSize });
  const manifest = (await readSettings(join(dirname(prefix), "tokens.json"))) as Record<string, unknown> | undefined;
  const counts = manifest?.[basename(prefix)] as { tokens?: number; words?: number; bytes?: number } | undefined;
  const known = counts?.tokens === stream.tokens ? counts : undefined;
  return { stream, documents: stream.documents, words: known?.words, bytes: known?.bytes };
}
