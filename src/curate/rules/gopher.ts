/**
 * Gopher's rules on quality (Rae et al. 2021, arXiv 2112.11446, appendix A.1.1), as datatrove 0.10 computes them
 * (`GopherQualityFilter`), in its order: what is decided, and by which rule, is the same. The stop words are English.
 */
import * as z from "zod";
import { strip, terminalMarks } from "../text/characters.ts";
import { punctuationMarks } from "../text/simplify.ts";
import { codePoints, countOf, lessThan, moreThan, splitLines, type Drop, type Judged } from "./judged.ts";

const limit = z.number().min(0).nullable();

export const gopherSettings = z.strictObject({
  /** Words that are not punctuation alone. */
  leastWords: limit,
  mostWords: limit,
  /** Characters of a word, on average. */
  leastWordLength: limit,
  mostWordLength: limit,
  /** "#" a word, and ellipses a word. */
  mostSymbols: limit,
  /** Part of the lines that begin with a bullet. */
  mostBulletLines: limit,
  /** Part of the lines that end in an ellipsis. */
  mostEllipsisLines: limit,
  /** Part of the words that have a letter. */
  leastWordsWithLetters: limit,
  /** Different ones of `stopWords`. */
  leastStopWords: limit,
  stopWords: z.array(z.string()),
});
export type GopherSettings = z.output<typeof gopherSettings>;

/** The paper's, as datatrove has them. */
export const gopherDefaults: GopherSettings = {
  leastWords: 50,
  mostWords: 100_000,
  leastWordLength: 3,
  mostWordLength: 10,
  mostSymbols: 0.1,
  mostBulletLines: 0.9,
  mostEllipsisLines: 0.3,
  leastWordsWithLetters: 0.8,
  leastStopWords: 2,
  stopWords: ["the", "be", "to", "of", "and", "that", "have", "with"],
};

/** Of UTF-16 units: what alone makes no word, and letters. */
const isMark = new Uint8Array(0x10000);
for (const mark of [...punctuationMarks, ...terminalMarks]) if (mark.length === 1) isMark[mark.charCodeAt(0)] = 1;
const wideMarks = new Set([...terminalMarks].filter((mark) => mark.length === 2));

function isSymbolOnly(word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    if (isMark[word.charCodeAt(i)] === 1) continue;
    if (!wideMarks.has(word.slice(i, i + 2))) return false;
    i += 1;
  }
  return true;
}

function hasLetter(word: string): boolean {
  let isAscii = true;
  for (let i = 0; i < word.length; i++) {
    const unit = word.charCodeAt(i) | 0x20;
    if (unit >= 0x61 && unit <= 0x7a) return true;
    if (unit > 0x7f) isAscii = false;
  }
  return !isAscii && /\p{L}/u.test(word);
}

function wordDrop(words: readonly string[], settings: GopherSettings): Drop | undefined {
  let [count, characters] = [0, 0];
  for (const word of words) {
    if (isSymbolOnly(word)) continue;
    count += 1;
    characters += codePoints(word);
  }
  const length = characters / count;
  return (
    lessThan(count, settings.leastWords, "gopher-few-words", "words") ??
    moreThan(count, settings.mostWords, "gopher-many-words", "words") ??
    lessThan(length, settings.leastWordLength, "gopher-short-words", "characters a word") ??
    moreThan(length, settings.mostWordLength, "gopher-long-words", "characters a word")
  );
}

function lineDrop(text: string, settings: GopherSettings): Drop | undefined {
  const lines = splitLines(text).map(strip);
  const bullets = lines.filter((line) => line.startsWith("•") || line.startsWith("-")).length;
  const ellipses = lines.filter((line) => line.endsWith("...") || line.endsWith("…")).length;
  return (
    moreThan(bullets / lines.length, settings.mostBulletLines, "gopher-bullets", "of the lines begin with a bullet") ??
    moreThan(
      ellipses / lines.length,
      settings.mostEllipsisLines,
      "gopher-ellipsis-lines",
      "of the lines end in an ellipsis",
    )
  );
}

/** By which of Gopher's rules a text is dropped, if by any. */
export function gopherDrop({ text, words }: Judged, settings: GopherSettings): Drop | undefined {
  const all = words();
  const hashes = (): number => countOf(text, "#") / all.length;
  const ellipses = (): number => (countOf(text, "...") + countOf(text, "…")) / all.length;
  const letters = (): number => all.filter(hasLetter).length / all.length;
  const stops = (): number => new Set(all.filter((word) => settings.stopWords.includes(word))).size;
  return (
    wordDrop(all, settings) ??
    moreThan(hashes(), settings.mostSymbols, "gopher-hashes", '"#" a word') ??
    moreThan(ellipses(), settings.mostSymbols, "gopher-ellipses", "ellipses a word") ??
    lineDrop(text, settings) ??
    lessThan(letters(), settings.leastWordsWithLetters, "gopher-few-letters", "of the words have a letter") ??
    lessThan(stops(), settings.leastStopWords, "gopher-few-stop-words", "different stop words")
  );
}
