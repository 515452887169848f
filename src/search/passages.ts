/** Where a document's title stands in its text, and what of a passage is embedded, as an index is made and as it is searched. */
import type { IndexedDocument, Section } from "./types.ts";

/** The section that is the title; undefined where there is none. */
export function titleOf({ title, sections }: Pick<IndexedDocument, "title" | "sections">): Section | undefined {
  // A text without a title may begin with a heading of that name.
  return title !== "" && sections[0]?.label === "TITLE" ? sections[0] : undefined;
}

/** What is embedded of a passage: the document's title goes before one that does not begin with it. */
export function passageText(
  { title, text }: Pick<IndexedDocument, "title" | "text">,
  { start, end }: { readonly start: number; readonly end: number },
): string {
  const own = text.slice(start, end);
  return start === 0 || title === "" ? own : `${title} ${own}`;
}
