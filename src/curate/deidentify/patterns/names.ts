/**
 * Names of people: 45 CFR 164.514(b)(2)(i)(A). A word with a capital is a name by what stands around it (a title, a credential, a
 * label, a relative, a first name) and by what dictionaries know; "Foley catheter" and "Dr. Foley" differ by that alone. What is a
 * name somewhere in a document is one everywhere in it, but in the name of a thing.
 */
import { monthNumber } from "../calendar.ts";
import type { Found } from "../classes.ts";
import {
  commonFirst,
  commonSurname,
  first,
  flagsOf,
  name,
  ordinary,
  place,
  surname,
  veryOrdinary,
} from "../lexicon.ts";
import { eponyms, looseTitles, particles, relatives, stopWords, suffixes, thingPairs, titles } from "../word-lists.ts";
import { beginsSentence, type Word } from "../words.ts";
import {
  byHumanVerb,
  alone,
  byRelative,
  andAnother,
  byPossession,
  bySurname,
  byPair,
  calling,
  personBehind,
} from "./name-contexts.ts";
import { byCredential, byInitials, byLabel } from "./name-labels.ts";
import {
  afterTitle,
  found,
  gapOf,
  hasCapital,
  isClear,
  isParticle,
  isStop,
  isThing,
  isUnknown,
  isTownAfterFirst,
  nameOnly,
  type NameFound,
  type Read,
  runFrom,
} from "./name-runs.ts";

/** "officer Black": of these a surname is enough, as they are said of nobody else. */
const isCalled = ({ lower }: Word, { flags }: Word): boolean =>
  (flags & surname) !== 0 &&
  /^(?:officer|detective|sergeant|captain|chaplain|pastor|judge|attorney|coach|deputy)$/.test(lower);

/** Dr. Smith, Mr. and Mrs. Jones, Drs. Kim and Lee, Nurse Joy, dr. smith. */
function byTitle(read: Read, at: number): NameFound[] {
  const { words } = read;
  const title = words[at]!;
  const gap = gapOf(read, at);
  if (!/^\.? {0,2}$/.test(gap)) return [];
  const next = words[at + 1]!;
  const isLoose = looseTitles.has(title.lower);
  if (next.shape === "lower") {
    const isName = !isLoose && title.lower.length < 4 && (flagsOf(next.lower) & (surname | ordinary)) === surname;
    return isName && next.text.length > 2 ? [found(read, at + 1, at + 2, "title")] : [];
  }
  if (
    isLoose &&
    (title.shape === "lower" || beginsSentence(read.text, title)) &&
    !isClear(next) &&
    !isUnknown(next) &&
    !isCalled(title, next)
  )
    return [];
  if (isLoose && next.shape !== "capital") return [];
  if (title.shape === "lower" && next.shape === "capitals" && isLoose) return [];
  const result: NameFound[] = [];
  let from = at + 1;
  for (let count = 0; count < 6; count++) {
    const to = runFrom(read, from, afterTitle);
    if (to === from) break;
    result.push(found(read, from, to, "title"));
    if (title.lower !== "drs" && title.lower !== "messrs") break;
    const link = gapOf(read, to - 1);
    const following = words[to];
    if (following === undefined) break;
    if (/^, ?$/.test(link) && following.lower !== "and") from = to;
    else if (/^,? $/.test(link) && following.lower === "and" && gapOf(read, to) === " ") from = to + 1;
    else break;
  }
  return result;
}

/** "John Smith", "Mary J. Watson", "Juan de la Cruz". */
function byFirstName(read: Read, at: number): NameFound | undefined {
  const { words, text } = read;
  const word = words[at]!;
  const isOrdinary = (word.flags & ordinary) !== 0;
  if ((word.flags & veryOrdinary) !== 0 || eponyms.has(word.lower)) return undefined;
  if (isStop(word) || word.isPossessive || thingPairs.has(`${word.lower} ${words[at + 1]?.lower}`)) return undefined;
  let last = at + 1;
  const isJoined = (left: number): boolean =>
    gapOf(read, left) === " " || (words[left]!.shape === "initial" && gapOf(read, left) === ". ");
  while (last < at + 4 && isJoined(last - 1) && isMiddle(read, last)) last++;
  const end = words[last];
  if (end === undefined || !hasCapital(end) || isStop(end) || !isJoined(last - 1)) return undefined;
  if (end.shape !== word.shape || isThing(read, at)) return undefined;
  const isKnown = (end.flags & (surname | first)) !== 0;
  const isPlain = (end.flags & ordinary) === 0;
  const hasMiddle = last > at + 1;
  if (word.shape === "capitals") {
    const isPair = isKnown && isPlain && !isOrdinary && (end.flags & surname) !== 0;
    return isPair && (word.flags & commonFirst || end.flags & commonSurname)
      ? found(read, at, last + 1, "first-last")
      : undefined;
  }
  const isCommon = (word.flags & commonFirst) !== 0;
  if (eponyms.has(end.lower) && !isCommon) return undefined;
  const isInside = !beginsSentence(text, word);
  const isSurname = (end.flags & surname) !== 0;
  const isTown = isTownAfterFirst(end, word);
  const isName = isOrdinary
    ? isSurname
      ? isPlain && (isInside || isCommon)
      : isInside && isUnknown(end)
    : isCommon
      ? isKnown || isTown || isUnknown(end) || (hasMiddle && isPlain)
      : isSurname && (end.flags & place) === 0 && (isPlain || isInside);
  return isName ? found(read, at, Math.max(last + 1, runFrom(read, last, nameOnly, 2)), "first-last") : undefined;
}

const isMiddle = (read: Read, at: number): boolean => {
  const word = read.words[at]!;
  return (word.shape === "initial" && word.text !== "I") || (particles.has(word.lower) && isParticle(read, at));
};

/** "Smith, John A." */
function byLastFirst(read: Read, at: number): NameFound | undefined {
  const [last, given] = [read.words[at]!, read.words[at + 1]];
  if (given === undefined || given.shape !== last.shape || !/^, ?$/.test(gapOf(read, at))) return undefined;
  if (monthNumber(last.lower) !== undefined || monthNumber(given.lower) !== undefined) return undefined;
  // "Roe, Kai is a 70-year-old": whatever they are.
  const isPerson = personBehind.test(read.text.slice(given.end, given.end + 24)) && !isStop(last) && !isStop(given);
  if (
    isPerson &&
    nameOnly(last, undefined) &&
    nameOnly(given, undefined) &&
    /\d{1,3}|yo\b|year/.test(read.text.slice(given.end, given.end + 16))
  )
    return found(read, at, at + 2, "last-first");
  if (!(last.flags & surname) || last.flags & ordinary || eponyms.has(last.lower) || isThing(read, at))
    return undefined;
  if (!(given.flags & commonFirst) || given.flags & ordinary || isThing(read, at + 1)) return undefined;
  // A list of first names or of places is no name.
  if ((last.flags & commonFirst) !== 0 && (last.flags & commonSurname) === 0) return undefined;
  return found(
    read,
    at,
    runFrom(read, at + 1, (word) => isClear(word), 3),
    "last-first",
  );
}

/** "with Amy, Kai and Dr. Roe": what stands in a list with a name. */
function inList(read: Read, names: readonly NameFound[]): NameFound[] {
  const result: NameFound[] = [];
  for (const { to: from, rule } of names) {
    if (rule === "label" || rule === "known") continue;
    for (let at = from, count = 0; count < 4; count++) {
      const gap = gapOf(read, at - 1);
      if (gap === " " && read.words[at]?.lower === "and" && gapOf(read, at) === " ") at++;
      else if (gap !== ", ") break;
      const word = read.words[at];
      if (word?.shape !== "capital" || isStop(word) || eponyms.has(word.lower) || isThing(read, at)) break;
      const goesOn = /^(?:[,.;)]| and | \()/.test(read.text.slice(word.end, word.end + 5));
      if (!goesOn || !((word.flags & first) !== 0 || isClear(word))) break;
      result.push(found(read, at, at + 1, "list"));
      at++;
    }
  }
  return result;
}

/** Everything that a document calls somebody, wherever it stands. */
function again(read: Read, names: readonly NameFound[]): NameFound[] {
  const known = new Set<string>();
  for (const { from, to, rule } of names) {
    if (rule === "first" || rule === "surname") continue;
    for (const { lower, text, shape } of read.words.slice(from, to)) {
      if (shape !== "initial" && text.length >= 3 && !particles.has(lower) && !suffixes.has(lower)) known.add(lower);
    }
  }
  if (known.size === 0) return [];
  const result: NameFound[] = [];
  read.words.forEach((word, at) => {
    if (!known.has(word.lower) || isStop(word)) return;
    const flags = word.shape === "lower" ? flagsOf(word.lower) : word.flags;
    const isOrdinary = (flags & ordinary) !== 0;
    // "grace", "penny": first names are words, too.
    if (word.shape === "lower" && (isOrdinary || (flags & name) !== surname)) return;
    if (isOrdinary && word.shape !== "capital") return;
    const isSubject = word.isPossessive || subjectBehind.test(read.text.slice(word.end, word.end + 12));
    if (isOrdinary && beginsSentence(read.text, word) && !isSubject) return;
    if (isThing(read, at) || (isOrdinary && nextHasCapital(read, at))) return;
    result.push(found(read, at, at + 1, "again"));
  });
  return result;
}

const subjectBehind =
  /^,? (?:reports|denies|describes|states|should|enjoys|presented|is|was|has|lives|asked|says|did|does|and|called|will|told|felt|feels|wants|agreed|would|could|can|\w{2,12}ed)\b|^[,"”]/;

const nextHasCapital = (read: Read, at: number): boolean => {
  const next = read.words[at + 1];
  return next !== undefined && gapOf(read, at) === " " && hasCapital(next) && (next.flags & name) === 0;
};

/** Names in a text, of each rule; they may overlap. */
export function findNames(read: Read, known: readonly string[] = []): Found[] {
  const { words } = read;
  const indexAt = (offset: number): number => {
    let [low, high] = [0, words.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (words[middle]!.start < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const names: NameFound[] = [...byLabel(read, indexAt), ...byCredential(read, indexAt)];
  words.forEach((word, at) => {
    if (titles.has(word.lower)) names.push(...byTitle(read, at));
    if (relatives.has(word.lower) || calling.test(word.lower)) {
      const one = byRelative(read, at);
      add(one);
      if (one !== undefined) add(andAnother(read, one));
    }
    if (!hasCapital(word)) return;
    if (word.flags & first) add(byFirstName(read, at));
    if (word.flags & surname) add(byLastFirst(read, at));
    if (word.flags & name) add(alone(read, at));
    if (word.shape === "capital") {
      add(byPair(read, at));
      add(byPossession(read, at));
      add(bySurname(read, at));
      add(byHumanVerb(read, at));
    }
  });
  function add(one: NameFound | undefined): void {
    if (one !== undefined) names.push(one);
  }
  const given = known.flatMap((text) => [...text.matchAll(/[A-Za-zÀ-ɏ'’-]{2,40}/g)].map(([one]) => one.toLowerCase()));
  const knownWords = new Set(given.filter((one) => !stopWords.has(one)));
  words.forEach((word, at) => {
    const isGiven = knownWords.has(word.lower) && (word.shape !== "lower" || !(flagsOf(word.lower) & ordinary));
    if (isGiven && !isThing(read, at)) names.push(found(read, at, at + 1, "known"));
  });
  return [...names, ...inList(read, names), ...again(read, names), ...byInitials(read)];
}
