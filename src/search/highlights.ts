/** Where words of a query stand in a document: compared as the index compares them, so that "failures" is marked for "failure". */
import { wordRanges, wordsOf, wordsWithBeginning } from "./words.ts";

export interface Marked {
  /** Whole words, in any of their forms. */
  readonly words: readonly string[];
  /** Beginnings of words. */
  readonly prefixes: readonly string[];
}

/** Ranges of `text` within the given ranges of it, in order, each once. */
export function highlightsOf(
  text: string,
  ranges: readonly (readonly [start: number, end: number])[],
  { words, prefixes }: Marked,
): [start: number, end: number][] {
  if (words.length + prefixes.length === 0) return [];
  const stems = new Set(words.flatMap(wordsOf));
  const beginnings = prefixes.flatMap(wordsWithBeginning);
  const found = new Map<number, number>();
  for (const [from, to] of ranges) {
    for (const { word, start, end } of wordRanges(text.slice(from, to))) {
      if (stems.has(word) || beginnings.some((one) => word.startsWith(one))) found.set(from + start, from + end);
    }
  }
  return [...found].sort(([a], [b]) => a - b);
}
