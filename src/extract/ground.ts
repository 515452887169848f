/**
 * Where generated names stand in the text they were generated from. Names come lower-cased and respaced (Moses puts
 * "TNF-α / IFN-γ" for "TNF-α/IFN-γ"), so case and white space do not count; a name must begin and end as words do.
 */
import type { Range } from "./sentences.ts";

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

export interface Places {
  readonly head: Range | undefined;
  readonly tail: Range | undefined;
  /** Sentences that hold them, in order: one where they share it. */
  readonly sentences: readonly Range[];
}

/** The two places that stand closest: in one sentence if any do, else with the fewest sentences between. */
export function placePair(heads: readonly Range[], tails: readonly Range[], sentences: readonly Range[]): Places {
  const sentenceOf = (place: Range): number => sentences.findLastIndex(([start]) => start <= place[0]);
  let best: { head: Range; tail: Range; cost: number } | undefined;
  for (const head of heads) {
    for (const tail of tails) {
      const overlap = head[0] < tail[1] && tail[0] < head[1];
      const apart = Math.abs(sentenceOf(head) - sentenceOf(tail));
      const cost = (overlap ? 1e12 : 0) + apart * 1e7 + Math.abs(head[0] - tail[0]);
      if (best === undefined || cost < best.cost) best = { head, tail, cost };
    }
  }
  const [head, tail] = [best?.head ?? heads[0], best?.tail ?? tails[0]];
  const indices = [head, tail]
    .flatMap((place) => (place === undefined ? [] : [sentenceOf(place)]))
    .sort((a, b) => a - b);
  return { head, tail, sentences: [...new Set(indices)].flatMap((i) => sentences.slice(i, i + 1)) };
}
