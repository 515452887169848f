/** What `evaluate perplexity` measures on: token files with the counts beside them, or documents tokenized now. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readDocuments } from "../corpus/documents.ts";
import { DataError } from "../errors.ts";
import type { TokenStream } from "../eval/perplexity.ts";
import { readSettings } from "../io/json.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { openTokens } from "../corpus/token-files.ts";
import { titleAndText } from "../corpus/text.ts";
import type { Progress } from "./progress.ts";

export interface EvaluationText {
  readonly stream: TokenStream;
  readonly documents: number;
  readonly words: number | undefined;
  readonly bytes: number | undefined;
}

export interface ReadingOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly note: (text: string) => void;
}

/** @throws DataError where there is nothing to measure on. */
export async function openEvaluationText(
  inputs: readonly string[],
  model: string,
  options: ReadingOptions,
): Promise<EvaluationText> {
  const [first] = inputs;
  if (inputs.length === 1 && existsSync(`${first}.idx`)) return openTokenText(first!);
  const tokenizer = await loadTokenizer(model);
  const ids: number[] = [];
  const counts = { documents: 0, words: 0, bytes: 0 };
  const failures: string[] = [];
  const onFailure = ({ source, message }: { source: string; message: string }): void => {
    failures.push(`${source}: ${message}`);
  };
  for await (const document of readDocuments(inputs, { signal: options.signal, onFailure })) {
    const text = titleAndText(document);
    if (text.trim() === "") continue;
    for (const id of tokenizer.encodeIds(text)) ids.push(id);
    counts.documents += 1;
    counts.words += wordsOf(text);
    counts.bytes += Buffer.byteLength(text);
    options.progress.update({ done: counts.documents, unit: "documents" });
  }
  options.progress.end();
  if (failures.length > 0) options.note(`${failures.length} documents could not be read, the first: ${failures[0]}`);
  if (counts.documents === 0) throw new DataError(`${inputs.join(", ")}: expected documents with text, got none`);
  const stream: TokenStream = { tokens: ids.length, read: (start, length) => ids.slice(start, start + length) };
  return { stream, ...counts };
}

/** Separated by white space, as the counts beside token files are. */
function wordsOf(text: string): number {
  return text.split(/\s+/).length;
}

async function openTokenText(prefix: string): Promise<EvaluationText> {
  const stream = openTokens(prefix);
  const manifest = await readSettings(join(dirname(prefix), "tokens.json"));
  const counts = manifest?.[basename(prefix)] as { tokens?: number; words?: number; bytes?: number } | undefined;
  const known = counts?.tokens === stream.tokens ? counts : undefined;
  return { stream, documents: stream.documents, words: known?.words, bytes: known?.bytes };
}
