/** What of a passage is embedded, as an index is made and as it is searched. */
import type { IndexedDocument } from "./types.ts";

/** What is embedded of a passage: the document's title goes before one that does not begin with it. */
export function passageText(
  { title, text }: Pick<IndexedDocument, "title" | "text">,
  { start, end }: { readonly start: number; readonly end: number },
): string {
  const own = text.slice(start, end);
  return start === 0 || title === "" ? own : `${title} ${own}`;
}
