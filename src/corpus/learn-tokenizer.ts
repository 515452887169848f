/** A tokenizer learned from documents on disk, in a folder of its own. */
import { openOutput } from "../io/outputs.ts";
import { saveTokenizer } from "../tokenizers/files.ts";
import { tokenizerFileNames, trainTokenizer } from "../tokenizers/registry.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { readDocuments, refuseBareNotes, type ReadDocumentsOptions } from "./documents.ts";

export interface LearnTokenizerOptions extends Pick<ReadDocumentsOptions, "signal" | "onFailure" | "columns"> {
  /** Folder to make. */
  readonly output: string;
  /** One of `learnableKinds`. */
  readonly kind: string;
  /** Most tokens of the vocabulary. */
  readonly vocabSize: number;
  /** Replace a tokenizer that is there. */
  readonly overwrite?: boolean | undefined;
  /** Documents so far; `read`: that was all, and learning begins. */
  readonly onProgress?: ((progress: { readonly documents: number; readonly read: boolean }) => void) | undefined;
}

/**
 * Learns a tokenizer from titles and texts, and writes it. What is there stays until the new one is learned.
 * @throws ConfigError where the folder holds something else; DataError where no document can be read.
 */
export async function learnTokenizer(
  inputs: readonly string[],
  { output, kind, vocabSize, overwrite, columns, signal, onFailure, onProgress }: LearnTokenizerOptions,
): Promise<Tokenizer> {
  await using claimed = await openOutput(output, { kind: "a tokenizer", names: tokenizerFileNames, inputs, overwrite });
  await refuseBareNotes(inputs);
  let documents = 0;
  async function* texts(): AsyncGenerator<string> {
    for await (const { title, text } of readDocuments(inputs, { columns, signal, onFailure })) {
      documents += 1;
      onProgress?.({ documents, read: false });
      if (title !== "") yield title;
      yield text;
    }
    onProgress?.({ documents, read: true });
  }
  const tokenizer = await trainTokenizer(texts(), { kind, vocabSize });
  await claimed.clear();
  await saveTokenizer(tokenizer, output);
  return tokenizer;
}
