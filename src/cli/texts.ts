/** The texts that a command is applied to: its own words, or those of a file. */
import type { TextRow } from "../corpus/text.ts";
import { readTexts } from "../corpus/texts.ts";
import { UsageError } from "../errors.ts";
import type { Items } from "../io/streams.ts";
import { columnsOf } from "./command.ts";

interface FileValues {
  readonly file: string | undefined;
  readonly "id-column": string | undefined;
  readonly "text-column": string | undefined;
}

/** `words` as they are, or the texts of the file given. @throws UsageError unless there is one of the two. */
export function textsOf(words: readonly string[], given: FileValues, signal?: AbortSignal): Items<TextRow> {
  const { file } = given;
  if (words.length > 0 === (file !== undefined)) {
    throw new UsageError(`expected texts or --file FILE, got ${file === undefined ? "none" : "both"}`);
  }
  if (file !== undefined) return readTexts(file, { signal, columns: columnsOf(given) });
  return words.map((text, i) => ({ id: String(i + 1), text }));
}
