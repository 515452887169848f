/**
 * Identifiers in a text: every rule is asked, and where two of them meet the surer one stands (a number's own form before a label,
 * a title before a dictionary). Patterns and dictionaries, as Philter (Norgeot et al. 2020, npj Digital Medicine 3:57) has them; a
 * tagger's words come in as `more`.
 */
import type { Found, IdentifierClass } from "./classes.ts";
import { agePatterns } from "./patterns/ages.ts";
import { contactPatterns } from "./patterns/contact.ts";
import { findDates } from "./patterns/dates.ts";
import { findNames } from "./patterns/names.ts";
import { findNumbers, mentionPatterns, numberPatterns } from "./patterns/numbers.ts";
import { matchesOf } from "./patterns/pattern.ts";
import { findPlaces, placePatterns } from "./patterns/places.ts";
import { judgedNames } from "./linear.ts";
import type { Read } from "./patterns/name-runs.ts";
import { wordsOf } from "./words.ts";

export interface FindOptions {
  /** Default: all. */
  readonly classes?: readonly IdentifierClass[] | undefined;
  /** Words that are nobody's name here, in any case: "Foley", the hospital's own abbreviations. */
  readonly allow?: readonly string[] | undefined;
  /** Names that the record itself gives (of the patient, of clinicians), found wherever they stand. */
  readonly known?: readonly string[] | undefined;
  /** "rules": names by rules alone; default: a small linear model adds what rules for contexts miss. */
  readonly names?: "rules" | "model" | undefined;
  /** Found by other means, a tagger. */
  readonly more?: readonly Found[] | undefined;
}

const patterns = [...contactPatterns, ...numberPatterns, ...placePatterns, ...agePatterns, ...mentionPatterns];

/** Rules that guess give way to those that know. */
const weak: Readonly<Record<string, number>> = {
  mention: 9,
  again: 4,
  list: 5,
  first: 5,
  surname: 5,
  pair: 3.5,
  place: 3,
  "labelled-phone": 2,
  international: 2,
  digits: 6,
  mixed: 6,
  month: 3,
  weekday: 3,
  tagger: 7,
  linear: 8,
  extension: 3,
  local: 3,
};
const classRank: Partial<Record<IdentifierClass, number>> = { NAME: 2, ID: 1.5, LOCATION: 1.7, DATE: 0.5 };
const rankOf = ({ class: name, rule }: Found): number => weak[rule] ?? classRank[name] ?? 1;

const mask = /\[[A-Z_]{2,11}\]/g;

/**
 * Identifiers of `text`, in order and without overlaps; offsets in UTF-16 code units.
 * Time grows with the text alone.
 */
export function findIdentifiers(
  text: string,
  { classes, allow = [], known = [], names = "model", more = [] }: FindOptions = {},
): Found[] {
  const words = wordsOf(text);
  const read = { text, words };
  const all = [
    ...matchesOf(text, patterns),
    ...findNumbers(text),
    ...findDates(text),
    ...findPlaces(read),
    ...findNames(read, known),
    ...more,
  ];
  const withModel = names === "model" && classes?.includes("NAME") !== false;
  const both = withModel ? [...all, ...judged(read, all)] : all;
  const allowed = new Set(allow.map((word) => word.toLowerCase()));
  const masks = [...text.matchAll(mask)].map(({ index, 0: one }): Found => ({
    class: "ID",
    rule: "mask",
    start: index,
    end: index + one.length,
  }));
  const wanted = classes === undefined ? both : both.filter((one) => classes.includes(one.class));
  const kept =
    allowed.size === 0 ? wanted : wanted.filter(({ start, end }) => !allowed.has(text.slice(start, end).toLowerCase()));
  return apart(text, kept, masks);
}

/** Names that the linear model adds. */
function judged(read: Read, all: readonly Found[]): Found[] {
  const marks = new Uint8Array(read.text.length);
  for (const one of all) if (one.class === "NAME") marks.fill(1, one.start, one.end);
  return judgedNames(read, ({ start }) => marks[start] === 1).map((at) => {
    const { start, end } = read.words[at]!;
    return { class: "NAME", rule: "linear", start, end };
  });
}

/** The surer first, then the longer; of others what is left beside them. */
function apart(text: string, all: readonly Found[], masks: readonly Found[]): Found[] {
  const ordered = all.toSorted(
    (a, b) => rankOf(a) - rankOf(b) || b.end - b.start - (a.end - a.start) || a.start - b.start,
  );
  const taken = placesTaken();
  masks.forEach((one) => taken.add(one.start, one.end));
  const result: Found[] = [];
  for (const { start, end, class: name, rule } of ordered) {
    let [from, to] = taken.free(start, end);
    while (from < to && /[\s,;:]/.test(text[from]!)) from++;
    while (to > from && /\s/.test(text[to - 1]!)) to--;
    if (from >= to || (to - from < 2 && end - start > 1)) continue;
    taken.add(from, to);
    result.push({ class: name, rule, start: from, end: to });
  }
  return result.sort((a, b) => a.start - b.start);
}

/** Ranges in order of their starts, looked up by halves. */
function placesTaken(): { add(start: number, end: number): void; free(start: number, end: number): [number, number] } {
  const buckets = new Map<number, [number, number][]>();
  const size = 256;
  const each = (start: number, end: number, act: (ranges: [number, number][], key: number) => void): void => {
    for (let key = Math.floor(start / size); key <= Math.floor((end - 1) / size); key++)
      act(buckets.get(key) ?? [], key);
  };
  return {
    add(start, end) {
      each(start, end, (ranges, key) => buckets.set(key, [...ranges, [start, end]]));
    },
    free(start, end) {
      let [from, to] = [start, end];
      each(start, end, (ranges) => {
        for (const [a, b] of ranges) {
          if (b <= from || a >= to) continue;
          if (a <= from) from = Math.max(from, b);
          else to = Math.min(to, a);
        }
      });
      return [from, to];
    },
  };
}
