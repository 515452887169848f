/** The texts that a command is applied to: its own words, or those of a file. */
import type { TextRow } from "../corpus/text.ts";
import { readTexts } from "../corpus/texts.ts";
import { UsageError } from "../errors.ts";
import type { Items } from "../io/streams.ts";

/** `words` as they are, or the texts of `file`. @throws UsageError unless there is one of the two. */
export function textsOf(words: readonly string[], file: string | undefined, signal?: AbortSignal): Items<TextRow> {
  if (words.length > 0 === (file !== undefined)) {
    throw new UsageError(`expected texts or --file FILE, got ${file === undefined ? "none" : "both"}`);
  }
  return file === undefined ? words.map((text, i) => ({ id: String(i + 1), text })) : readTexts(file, { signal });
}
