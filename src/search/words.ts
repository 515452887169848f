/**
 * Texts as words, the one way for every store, query and highlight: runs of letters and digits, lower case, accents and
 * ligatures folded to ASCII letters, British spellings as American ones (spelling.ts), English stems (stem.ts). Greek and
 * other scripts stay. No stop word is removed, so that phrases work. LanceDB is given these words as they are, with its own
 * lower case, stems and folding off: both stores agree.
 */
import { americanBeginning, americanSpelling } from "./spelling.ts";
import { stemEnglish } from "./stem.ts";

export interface WordRange {
  readonly word: string;
  /** UTF-16 units of the text. */
  readonly start: number;
  readonly end: number;
}

/** Longer runs are sequences and keys; they are no words. */
const longest = 64;
const run = /[\p{Alphabetic}\p{N}\u0300-\u036F]+/gu;
/** Letters without a decomposition in Unicode. */
const folded: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ħ: "h",
  ı: "i",
  ŧ: "t",
  ŋ: "n",
  ĸ: "q",
};

/** Texts repeat their words: a stem is looked up more often than it is made. */
const known = new Map<string, string>();
const mostKnown = 200_000;

function wordOf(raw: string): string {
  let word = known.get(raw);
  if (word !== undefined) return word;
  word = stemEnglish(americanSpelling(plain(raw)));
  if (known.size >= mostKnown) known.clear();
  known.set(raw, word);
  return word;
}

function plain(raw: string): string {
  if (/^[a-zA-Z0-9]+$/.test(raw)) return raw.toLowerCase();
  const letters = raw
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{Alphabetic}\p{N}]/gu, "");
  return letters.replace(/[ßæœøđðþłħıŧŋĸ]/g, (letter) => folded[letter]!);
}

/** The words of a text in order; of those that are asked for, "studies" and "Studied" are both "studi". */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [raw] of text.matchAll(run)) {
    const word = raw.length > longest ? "" : wordOf(raw);
    if (word !== "") words.push(word);
  }
  return words;
}

/** As `wordsOf`, each with its place in the text. */
export function wordRanges(text: string): WordRange[] {
  const ranges: WordRange[] = [];
  for (const { 0: raw, index } of text.matchAll(run)) {
    const word = raw.length > longest ? "" : wordOf(raw);
    if (word !== "") ranges.push({ word, start: index, end: index + raw.length });
  }
  return ranges;
}

export interface StemmedWord {
  /** As it stands, in lower case. */
  readonly word: string;
  readonly stem: string;
}

/** As `wordsOf`, with what people read beside what an index compares. */
export function stemmedWords(text: string): StemmedWord[] {
  return wordRanges(text).map(({ word: stem, start, end }) => ({ word: text.slice(start, end).toLowerCase(), stem }));
}

/**
 * Words of which the last is a beginning, as of `mutati*`: its stem where that is a beginning of it, so that the words
 * that a user means are not missed for their stems being shorter ("mutations*" is "mutat").
 */
export function wordsWithBeginning(text: string): string[] {
  const raw = [...text.matchAll(run)].map(([one]) => one).filter((one) => one.length <= longest);
  return raw
    .map((one, i) => {
      if (i < raw.length - 1) return wordOf(one);
      const [whole, stem] = [americanBeginning(plain(one)), wordOf(one)];
      // "mutati" breaks off within an ending that stems lose: "mutation" is "mutat".
      if (whole.startsWith(stem)) return stem.replace(/(?<=.{3}(?:t|s|og))io?$/, "");
      return whole.replace(/(?:ies|y)$/, "");
    })
    .filter((word) => word !== "");
}
