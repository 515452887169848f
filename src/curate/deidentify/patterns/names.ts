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
import {
  credentials,
  eponymNouns,
  eponyms,
  looseTitles,
  particles,
  relatives,
  stopWords,
  suffixes,
  titles,
} from "../word-lists.ts";
import { beginsSentence, type Word } from "../words.ts";

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
const isUnknown = ({ flags, shape, text }: Word): boolean =>
  flags === 0 && (shape === "capital" ? text.length > 2 : shape === "capitals" && text.length > 5);
/** A name by the dictionaries, and no ordinary word. */
const isClear = ({ flags }: Word): boolean => (flags & name) !== 0 && (flags & ordinary) === 0;
const isStop = ({ lower }: Word): boolean => stopWords.has(lower);
const hasCapital = ({ shape }: Word): boolean => shape === "capital" || shape === "capitals";

const gapOf = ({ text, words }: Read, left: number): string => {
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
    if (next.shape === "lower" && !isEponym) return false;
  }
  return false;
}

type Accepts = (word: Word, previous: Word | undefined) => boolean;

/** How far a name reaches that begins at word `from`: words with capitals, initials, particles; `from` where none does. */
function runFrom(read: Read, from: number, accepts: Accepts, most = 5): number {
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
    if (word.shape === "initial" && word.text !== "I") {
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

function isParticle(read: Read, at: number): boolean {
  const [next, after] = [read.words[at + 1], read.words[at + 2]];
  if (next === undefined || !/^[. ]{1,2}$/.test(gapOf(read, at))) return false;
  return (hasCapital(next) && !isStop(next)) || (particles.has(next.lower) && after !== undefined && hasCapital(after));
}

/** Behind a title: anything first, then what is a name or may be one. */
const afterTitle: Accepts = (word, previous) => {
  if (previous === undefined) return true;
  if (isClear(word) || isUnknown(word)) return true;
  const isAfterFirst = previous.shape === "initial" || (previous.flags & first) !== 0;
  return isAfterFirst && word.shape === "capital" && (word.flags & name) !== 0;
};

/** Where nothing but the word itself says so. */
const nameOnly: Accepts = (word) => (word.flags & name) !== 0 || isUnknown(word);

const found = (read: Read, from: number, to: number, rule: string): NameFound => ({
  class: "NAME",
  rule,
  start: read.words[from]!.start,
  end: endOf(read, to - 1),
  from,
  to,
});

/** A suffix has a dot of its own; behind an initial it may be the sentence's. */
function endOf({ text, words }: Read, at: number): number {
  const { end, shape, lower } = words[at]!;
  const isSuffix = shape !== "initial" && (lower === "jr" || lower === "sr");
  return text[end] === "." && isSuffix ? end + 1 : end;
}

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
  if (isLoose && (title.shape === "lower" || beginsSentence(read.text, title)) && !isClear(next) && !isUnknown(next))
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
  if (isStop(word) || word.isPossessive) return undefined;
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
  const isName = isOrdinary
    ? (end.flags & surname) !== 0 && isPlain && (!beginsSentence(text, word) || isCommon)
    : isCommon
      ? isKnown || isUnknown(end) || (hasMiddle && isPlain)
      : (end.flags & surname) !== 0 && isPlain && (end.flags & place) === 0;
  return isName ? found(read, at, runFrom(read, last, nameOnly, 2), "first-last") : undefined;
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

const subjectVerbs = new Set(
  "is was has had will denies denied reports reported states stated presents presented says said complains complained underwent came returns returned lives tolerated feels felt does did wants wanted agrees agreed notes noted continues continued remains recommended recommends advised saw called asked signed performed who".split(
    " ",
  ),
);
const conjunctions = new Set("that and but when while because if although as so then where since".split(" "));
/** What is done to instruments. */
const handled = new Set(
  "placed used inserted removed introduced carried passed utilized then applied advanced deployed exchanged positioned performed made done obtained noted".split(
    " ",
  ),
);
const meetings = new Set(
  "discussed discuss spoke speak talked talk met meet conferred consulted reviewed visit appointment followup follow-up referred transferred case".split(
    " ",
  ),
);
const wordsBefore = new Set(
  "by per patient cc see saw seen consulted called informed notified via contacted told asked client resident paged".split(
    " ",
  ),
);

/** A first name alone ("John was with him"); a surname alone only where a person is expected. */
function alone(read: Read, at: number): NameFound | undefined {
  const { words, text } = read;
  const word = words[at]!;
  if (word.shape !== "capital" || word.flags & ordinary || eponyms.has(word.lower) || isStop(word)) return undefined;
  if (word.text.length < 3 || isThing(read, at)) return undefined;
  const [previous, next] = [words[at - 1], words[at + 1]];
  const gapBefore = at > 0 ? gapOf(read, at - 1) : "\n";
  if (previous?.lower === "poison") return undefined;
  if (
    previous !== undefined &&
    /^\.? $/.test(gapBefore) &&
    /^(?:st|saint|mt|mount|port|fort|lake|san|santa|new)$/.test(previous.lower)
  )
    return undefined;
  const nextIsFacility =
    next !== undefined && gapOf(read, at) === " " && (hasCapital(next) || facilityStart.test(next.lower));
  if (word.flags & commonFirst) {
    if (nextIsFacility && (next.flags & ordinary || facilityStart.test(next.lower))) return undefined;
    if (countries.has(word.lower)) return undefined;
    return found(read, at, at + 1, "first");
  }
  if (!(word.flags & surname) || countries.has(word.lower) || nextIsFacility) return undefined;
  const isFree = beginsSentence(text, word) || (previous !== undefined && conjunctions.has(previous.lower));
  const after = words[at + 2]?.lower ?? "";
  const isSubject =
    next !== undefined && gapOf(read, at) === " " && isFree && subjectVerbs.has(next.lower) && !handled.has(after);
  const isMet =
    previous !== undefined && /^(?:with|to)$/.test(previous.lower) && meetings.has(words[at - 2]?.lower ?? "");
  const isObject =
    previous !== undefined &&
    gapBefore === " " &&
    (isMet || wordsBefore.has(previous.lower)) &&
    !/^,? et al/.test(text.slice(word.end, word.end + 8)) &&
    (word.flags & commonSurname) !== 0;
  const isHeading = text[word.end] === ":";
  return (isSubject || isObject) && !isHeading && (word.flags & place) === 0
    ? found(read, at, at + 1, "surname")
    : undefined;
}

const facilityStart = /^(?:hospital|clinic|medical|county|university|college|street|avenue|road|center|beach|city)$/;
const countries = new Set(
  "virginia carolina georgia dakota jersey florida texas montana nevada arizona america asia africa india china jordan israel chad kenya cuba malta cyprus ireland scotland england wales france paris london germany italy spain mexico canada brazil russia japan korea vietnam philippines australia washington tennessee indiana louisiana".split(
    " ",
  ),
);

/** "her husband Robert", "a daughter, Amy", "a friend named Kai". */
function byRelative(read: Read, at: number): NameFound | undefined {
  const word = read.words[at + 1];
  if (word === undefined || word.shape !== "capital" || isStop(word)) return undefined;
  const gap = gapOf(read, at);
  if (!/^(?: |, | \()$/.test(gap) || read.words[at]!.shape !== "lower") return undefined;
  const isName = (word.flags & name) !== 0 ? gap === " " || !(word.flags & ordinary) : isUnknown(word);
  if (!isName || isThing(read, at + 1)) return undefined;
  const to = runFrom(
    read,
    at + 1,
    (one, previous) => (previous === undefined ? true : isClear(one) || isUnknown(one)),
    3,
  );
  return to > at + 1 ? found(read, at + 1, to, "relative") : undefined;
}

const credential = new RegExp(`,? \\(?(?:${credentials})\\b`, "g");
const tokenEnd = /[A-Za-zÀ-ɏ.]/;

/** "Jane Roe, MD", "John Okafor RN": backwards from the credential. */
function byCredential(read: Read, indexAt: (offset: number) => number): NameFound[] {
  const result: NameFound[] = [];
  credential.lastIndex = 0;
  for (let match = credential.exec(read.text); match !== null; match = credential.exec(read.text)) {
    if (match.index === 0 || !tokenEnd.test(read.text[match.index - 1]!)) continue;
    const hasComma = match[0].startsWith(",");
    const to = indexAt(match.index);
    let from = to;
    while (from > to - 5 && from > 0) {
      const word = read.words[from - 1]!;
      if (from < to && !/^(?:\.? |\.|-)$/.test(gapOf(read, from - 1))) break;
      if (from === to && match.index - word.end > 1) break;
      const isMid = word.shape === "initial" || (particles.has(word.lower) && from < to);
      if (!isMid && (!hasCapital(word) || isStop(word) || !nameOnly(word, undefined) || titles.has(word.lower))) break;
      from--;
    }
    while (from < to && particles.has(read.words[from]!.lower) && read.words[from]!.shape === "lower") from++;
    const run = read.words.slice(from, to);
    const full = run.filter((word) => word.shape !== "initial");
    const isClearEnough = hasComma ? full.length > 0 : full.some(isClear) && run.length > 1;
    // Short ones are other things, too: OD, the right eye.
    const isDegree = /M\.?D|R\.?N|Ph|[A-Z]{3}|-C/.test(match[0]);
    if (!isClearEnough || (!isDegree && !full.some(isClear))) continue;
    if (full.every((word) => (word.flags & veryOrdinary) !== 0) && full.length < 2) continue;
    result.push(found(read, from, to, "credential"));
  }
  return result;
}

const people = String.raw`patient|pt|(?<![A-Za-z] )name|client|resident|attending|referring|consultant|consulting|requesting|ordering|admitting|treating|supervising|primary care|family|pcp|surgeon|co-?surgeon|assistants?|first assistant|an(?:a)?esthesiologists?|an(?:a)?esthetist|physician|doctor|provider|practitioner|author|scribe|radiologist|pathologist|cardiologist|oncologist|technologist|technician|sonographer|nurse|rn|fellow|intern|therapist|counselor|psychologist|social worker|case manager|dietitian|pharmacist|interpreter|informant|historian|witness|guarantor|subscriber|insured|spouse|guardian|next of kin|nok|emergency contact|contact|contact person|caregiver|poa|proxy|mother|father|husband|wife|son|daughter|brother|sister|employer contact`;
const acts = String.raw`(?:electronically )?(?:dictated|transcribed|signed|reviewed|verified|authenticated|co-?signed|approved|prepared|entered|performed|read|interpreted|seen|ordered|witnessed|reported|completed|documented|attested)(?: and \w{4,14})?(?: electronically)? by|e-signed by`;
const label = new RegExp(
  String.raw`(?<![A-Za-z])(?:(?:the )?(?:${people})(?:['’]s)?(?:[ /-](?:physician|provider|doctor|surgeon|md|nurse|care physician|care provider|name|practitioner|contact)){0,2}(?:\(s\)|s)?(?: \([A-Za-z ,]{1,30}\))?[ \t]{0,3}[:=][ \t]{0,12}|(?:last|first|middle|maiden|full|preferred|legal|sur)[ ]?name[ \t]{0,3}[:=]?[ \t]{1,12}|(?:${acts})[ \t]{0,2}:?[ \t]{1,12}|(?:c\.?c|attn|attention|copy to|copies to|re|from|to|signature|signed|sincerely|regards|respectfully|yours truly|dear)[ \t]{0,2}[:,][ \t]{0,12}(?:\n[ \t]{0,8}){0,3}|dear[ ]|aka[: ]{1,2}|a\.k\.a\.,?[ ])`,
  "gi",
);
const nothing = /^(?:none|n\/a|unknown|self|same|as above|see|not)\b/i;

/** Behind a label: "PATIENT NAME: SMITH, JOHN Q.", "Signed by Roe, Jane". */
function byLabel(read: Read, indexAt: (offset: number) => number): NameFound[] {
  const { text, words } = read;
  const result: NameFound[] = [];
  label.lastIndex = 0;
  for (let match = label.exec(text); match !== null; match = label.exec(text)) {
    const offset = match.index + match[0].length;
    if (nothing.test(text.slice(offset, offset + 10))) continue;
    let from = indexAt(offset);
    for (let count = 0; count < 4; count++) {
      const to = labelled(read, from, count === 0 ? offset : undefined, /name/i.test(match[0]));
      if (to === undefined) break;
      if (to.name !== undefined) result.push(to.name);
      // More names in the same line: "Smith, MD; Jones, MD", "A and B".
      const rest = text.slice(to.end, to.end + 40);
      const more = /^(?:,? (?:M\.?D\.?|D\.?O\.?|RN|PA-C|NP|PhD))?(?:;|,| and| &|\/) {0,2}/.exec(rest);
      if (more === null) break;
      from = indexAt(to.end + more[0].length);
      if (words[from] === undefined || words[from]!.start > to.end + more[0].length + 4) break;
    }
  }
  return result;
}

function labelled(
  read: Read,
  start: number,
  offset: number | undefined,
  isName: boolean,
): { end: number; name?: NameFound } | undefined {
  const { words, text } = read;
  let from = start;
  if (words[from] !== undefined && titles.has(words[from]!.lower) && words[from + 1] !== undefined) {
    return { end: words[from]!.end, ...(offset === undefined ? {} : {}) };
  }
  const word = words[from];
  if (word === undefined || (offset !== undefined && word.start > offset + 2)) return undefined;
  const accepts: Accepts = (one) =>
    nameOnly(one, undefined) && (!(one.flags & veryOrdinary) || (isName && (one.flags & name) !== 0));
  let to = runFrom(read, from, accepts);
  if (to === from) return undefined;
  // Last, First Middle.
  const next = words[to];
  if (next !== undefined && /^, ?$/.test(gapOf(read, to - 1)) && hasCapital(next) && accepts(next, undefined)) {
    const isCredential = new RegExp(`^(?:${credentials})\\b`).test(text.slice(next.start, next.start + 8));
    if (!isCredential) to = runFrom(read, to, accepts, 3);
  }
  const run = words.slice(from, to).filter(({ shape }) => shape !== "initial");
  const hasClear = run.some((one) => isClear(one) || (isUnknown(one) && !eponyms.has(one.lower)));
  const arePair = run.length > 1 && run.every(({ flags }) => (flags & name) !== 0);
  const areInitials = run.length === 0 && to - from > 1 && offset !== undefined;
  if (/^[ \t]{0,3}:/.test(text.slice(words[to - 1]!.end, words[to - 1]!.end + 4))) return undefined;
  const isOne = run.length === 1 && isName && (run[0]!.flags & name) !== 0;
  const isPerson = (hasClear || arePair || areInitials || isOne) && !isThing(read, to - 1);
  return isPerson ? { end: endOf(read, to - 1), name: found(read, from, to, "label") } : undefined;
}

const initialsPattern =
  /(?<![A-Za-z.])(?:(?<=\b(?:patient|pt|initials|client|infant|baby|name)[ :]{1,3})([A-Z]\.? ?[A-Z]\.?(?: ?[A-Z]\.)?)(?![A-Za-z])|([A-Z]\. ?[A-Z]\.(?: ?[A-Z]\.)?)(?= (?:is an?|was an?|is \d|has been|presents|presented|reports|denies|complains|states|was seen|was admitted)\b)|(?<=\n[ \t]{0,8})([A-Z]{2,3})(?=\/[a-z]{2,3}\s*(?:\n|$))|(?<=\b(?:Dictated|Transcribed|Typed|Signed) by:? )([A-Z]{2,3})(?=[\s.;,/]))/g;

/** "J.S. is a 45-year-old", "JS/abc" under a dictation. */
function byInitials({ text }: Read): Found[] {
  const result: Found[] = [];
  for (const match of text.matchAll(initialsPattern)) {
    const value = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    if (/^(?:MD|RN|NP|PA|DO)$|^U\. ?S|^I\. ?[VM]|^P\. ?O/.test(value)) continue;
    result.push({ class: "NAME", rule: "initials", start: match.index, end: match.index + value.length });
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
    if (word.shape === "lower" && (isOrdinary || (flags & name) === 0)) return;
    if (isOrdinary && (word.shape !== "capital" || beginsSentence(read.text, word))) return;
    if (isThing(read, at) || (isOrdinary && nextHasCapital(read, at))) return;
    result.push(found(read, at, at + 1, "again"));
  });
  return result;
}

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
    if (relatives.has(word.lower)) add(byRelative(read, at));
    if (!hasCapital(word)) return;
    if (word.flags & first) add(byFirstName(read, at));
    if (word.flags & surname) add(byLastFirst(read, at));
    if (word.flags & name) add(alone(read, at));
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
  return [...names, ...again(read, names), ...byInitials(read)];
}
