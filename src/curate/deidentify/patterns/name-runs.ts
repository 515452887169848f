/**
 * Runs of words that could be somebody's name, and whether they are the name of a thing instead ("Foley catheter").
 */
import type { Found } from "../classes.ts";
import { first, name, ordinary, place } from "../lexicon.ts";
import { eponymNouns, eponyms, particles, stopWords, suffixes } from "../word-lists.ts";
import type { Word } from "../words.ts";

/** A text and its words. */
export interface Read {
  readonly text: string;
  readonly words: readonly Word[];
  /** What is found already, in order: names do not begin inside. */
  readonly taken?: readonly Found[];
}

export interface NameFound extends Found {
  /** Places in `words`, the end exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Known to no dictionary, and no abbreviation: a name where one is expected. */
export const isUnknown = ({ flags, shape, text }: Word): boolean =>
  flags === 0 && (shape === "capital" ? text.length > 2 : shape === "capitals" && text.length > 5);
/** A name by the dictionaries, and no ordinary word. */
export const isClear = ({ flags }: Word): boolean => (flags & name) !== 0 && (flags & ordinary) === 0;
export const isStop = ({ lower }: Word): boolean => stopWords.has(lower);
export const hasCapital = ({ shape }: Word): boolean => shape === "capital" || shape === "capitals";

export const gapOf = ({ text, words }: Read, left: number): string => {
  const [a, b] = [words[left], words[left + 1]];
  if (a === undefined || b === undefined) return "\n";
  return a.isPossessive ? "'s" : text.slice(a.end, Math.min(b.start, a.end + 8));
};

/** Whether the word at `at` begins the name of a thing: "Foley catheter", "Bell's palsy", "Jackson-Pratt drain". */
export function isThing(read: Read, at: number): boolean {
  const first = read.words[at]!;
  const isEponym = first.isPossessive || eponyms.has(first.lower);
  for (let i = at; i < at + 3; i++) {
    const [word, next] = [read.words[i]!, read.words[i + 1]];
    if (next === undefined || next.start - word.end > 3) return false;
    if (!/^(?:['’�]?[sS]?['’]?[ -]|[/-])$/.test(read.text.slice(word.end, next.start))) return false;
    if (eponymNouns.has(next.lower)) return true;
    // "Kelly right-angle clamp", "Bell's facial palsy": words between.
    if (next.shape === "lower" && !isEponym && read.text[word.end] !== "/") return false;
  }
  return false;
}

/** "by Dr. X. A second look": no initial, but the next sentence. */
function beginsNext(read: Read, at: number, from: number): boolean {
  if (at === from || gapOf(read, at - 1) !== ". " || read.text[read.words[at]!.end] === ".") return false;
  return read.words[at + 1]?.shape === "lower";
}

export type Accepts = (word: Word, previous: Word | undefined) => boolean;

/** How far a name reaches that begins at word `from`: words with capitals, initials, particles; `from` where none does. */
export function runFrom(read: Read, from: number, accepts: Accepts, most = 5): number {
  let [at, end] = [from, from];
  let previous: Word | undefined;
  for (; at < from + most; at++) {
    const word = read.words[at];
    if (word === undefined) break;
    if (at > from) {
      const gap = gapOf(read, at - 1);
      const isInitial = previous?.shape === "initial";
      if (!(gap === " " || (gap === ". " && isInitial) || (gap === "." && isInitial) || gap === "  ")) {
        if (!(/^,? $/.test(gap) && suffixes.has(word.lower))) break;
      }
    }
    if (suffixes.has(word.lower) && end > from) {
      end = at + 1;
      break;
    }
    if (word.shape === "initial" && word.text !== "I" && !beginsNext(read, at, from)) {
      // "A" and "I" are words, too: an initial has a dot or stands between names.
      previous = word;
      end = at + 1;
      continue;
    }
    if (particles.has(word.lower) && isParticle(read, at)) {
      previous = word;
      continue;
    }
    if (!hasCapital(word) || isStop(word) || !accepts(word, previous)) break;
    previous = word;
    end = at + 1;
  }
  return end;
}

export function isParticle(read: Read, at: number): boolean {
  const [next, after] = [read.words[at + 1], read.words[at + 2]];
  if (next === undefined || !/^[. ]{1,2}$/.test(gapOf(read, at))) return false;
  return (hasCapital(next) && !isStop(next)) || (particles.has(next.lower) && after !== undefined && hasCapital(after));
}

/** Behind a title: anything first, then what is a name or may be one. */
export const afterTitle: Accepts = (word, previous) => {
  if (previous === undefined) return true;
  if (isClear(word) || isUnknown(word)) return true;
  const isAfterFirst = previous.shape === "initial" || (previous.flags & first) !== 0 || isUnknown(previous);
  return isAfterFirst && word.shape === "capital" && (word.flags & name) !== 0;
};

/** Towns are surnames, too, behind a first name that is no town: "Tom Ashdown", not "Florence Italy". */
export const isTownAfterFirst = (word: Word, previous: Word): boolean =>
  (word.flags & place) !== 0 &&
  (word.flags & ordinary) === 0 &&
  (previous.flags & first) !== 0 &&
  (previous.flags & place) === 0;

/** Where nothing but the word itself says so, or the one before it. */
export const nameOnly: Accepts = (word, previous) =>
  (word.flags & name) !== 0 || isUnknown(word) || (previous !== undefined && isTownAfterFirst(word, previous));

/** By a label's side capitals may be short: "ZHOU, LI". */
export const labelOnly: Accepts = (word, previous) =>
  nameOnly(word, previous) || (word.flags === 0 && word.text.length > 2);

export const found = (read: Read, from: number, to: number, rule: string): NameFound => ({
  class: "NAME",
  rule,
  start: read.words[from]!.start,
  end: endOf(read, to - 1),
  from,
  to,
});

/** A suffix has a dot of its own; behind an initial it may be the sentence's. */
export function endOf({ text, words }: Read, at: number): number {
  const { end, shape, lower } = words[at]!;
  const isSuffix = shape !== "initial" && (lower === "jr" || lower === "sr");
  return text[end] === "." && isSuffix ? end + 1 : end;
}
