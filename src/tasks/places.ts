/**
 * Where generated names stand in the text they were generated from. Names come respaced (Moses puts "TNF-α / IFN-γ" for
 * "TNF-α/IFN-γ") and often lower-cased, so case and white space do not count; a name must begin and end as words do.
 */

import type { Range } from "../corpus/text.ts";

export type { Range };

export interface Searchable {
  /** Lower-case letters without white space. */
  readonly compact: string;
  /** Of every code unit of `compact`, where it came from; one more for the end. */
  readonly origin: readonly number[];
  readonly text: string;
}

/** Prepares a text for `findName`. */
export function searchable(text: string): Searchable {
  let compact = "";
  const origin: number[] = [];
  let at = 0;
  for (const character of text) {
    if (!/\s/u.test(character)) {
      const lower = character.toLowerCase();
      for (let i = 0; i < lower.length; i++) origin.push(at);
      compact += lower;
    }
    at += character.length;
  }
  origin.push(text.length);
  return { compact, origin, text };
}

const wordBefore = /[\p{L}\p{N}]$/u;
const wordAfter = /^[\p{L}\p{N}]/u;
const mostPlaces = 64;

/** Ranges in the text where `name` stands as a whole, in order. */
export function findName(name: string, { compact, origin, text }: Searchable): Range[] {
  const wanted = searchable(name).compact;
  const found: Range[] = [];
  if (wanted === "") return found;
  for (let at = compact.indexOf(wanted); at !== -1 && found.length < mostPlaces; at = compact.indexOf(wanted, at + 1)) {
    const start = origin[at]!;
    const lastUnit = origin[at + wanted.length - 1]!;
    const end = lastUnit + String.fromCodePoint(text.codePointAt(lastUnit)!).length;
    const cutsBefore = wordAfter.test(wanted) && wordBefore.test(text.slice(Math.max(0, start - 2), start));
    const cutsAfter = wordBefore.test(wanted) && wordAfter.test(text.slice(end, end + 2));
    if (!cutsBefore && !cutsAfter) found.push([start, end]);
  }
  return found;
}

/** Ranges of a text's words: runs of letters and digits, and single marks. */
export function wordsIn(text: string): Range[] {
  return [...text.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)].map(({ index, 0: word }) => [
    index,
    index + word.length,
  ]);
}
