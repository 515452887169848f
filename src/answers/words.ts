/** Words of questions and sentences with the stems that the index knows them by. */
import { wordRanges } from "../search/words.ts";

export { wordsOf as stemsOf } from "../search/words.ts";

export interface StemmedWord {
  /** As it stands, in lower case. */
  readonly word: string;
  readonly stem: string;
}

/** Words of a text in order. */
export function stemmedWords(text: string): StemmedWord[] {
  return wordRanges(text).map(({ word: stem, start, end }) => ({ word: text.slice(start, end).toLowerCase(), stem }));
}
