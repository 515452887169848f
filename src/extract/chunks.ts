/** A document as the texts that a model reads: whole where it fits, else windows of whole sentences. */
import type { Document } from "../corpus/documents.ts";
import { joinTitle } from "../tasks/relations.ts";
import type { Range } from "../tasks/places.ts";
import { splitSentences } from "../corpus/sentences.ts";

/** Title and text as one, with the way back. */
export interface JoinedText {
  readonly text: string;
  readonly sentences: readonly Range[];
  /** Length of the title, and where the text begins; 0 without a title. */
  readonly titleLength: number;
  readonly textStart: number;
}

/** As tasks join title and abstract; sentences do not cross from one to the other. */
export function joinDocument({ title, text }: Pick<Document, "title" | "text">): JoinedText {
  const head = title.trim() === "" ? "" : title;
  const joined = head === "" ? text : text.trim() === "" ? head : joinTitle(head, text);
  const textStart = head === "" ? 0 : joined.length - text.length;
  const moved = splitSentences(text).map(([start, end]): Range => [start + textStart, end + textStart]);
  const inTitle = splitSentences(head);
  return {
    text: joined,
    sentences: text.trim() === "" ? inTitle : [...inTitle, ...moved],
    titleLength: head.length,
    textStart,
  };
}

/** Where a range of the joined text stands in the document; undefined where it crosses from title to text. */
export function placeIn({ titleLength, textStart }: JoinedText, [start, end]: Range): Place | undefined {
  if (end <= titleLength) return { field: "title", start, end };
  return start >= textStart ? { field: "text", start: start - textStart, end: end - textStart } : undefined;
}

export interface Place {
  readonly field: "title" | "text";
  /** UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

/**
 * Ranges of at most `budget` tokens, consecutive sentences with one in common between neighbours, so that a pair in
 * two sentences is seen together. A sentence beyond the budget is a range by itself.
 */
export function chunksOf(joined: JoinedText, budget: number, tokensOf: (text: string) => number): Range[] {
  const { text, sentences } = joined;
  if (text.trim() === "") return [];
  if (tokensOf(text) <= budget) return [[0, text.length]];
  const lengths = sentences.map(([start, end]) => tokensOf(text.slice(start, end)));
  const chunks: Range[] = [];
  for (let first = 0; first < sentences.length;) {
    let [last, sum] = [first, lengths[first]!];
    while (last + 1 < sentences.length && sum + lengths[last + 1]! <= budget) sum += lengths[++last]!;
    chunks.push([sentences[first]![0], sentences[last]![1]]);
    if (last + 1 === sentences.length) break;
    // The common sentence is left out where it would leave no room for the next.
    const shared = last > first && lengths[last]! + lengths[last + 1]! <= budget;
    first = shared ? last : last + 1;
  }
  return chunks;
}
