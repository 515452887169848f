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
  eponymNouns,
  eponyms,
  thingPairs,
  looseTitles,
  particles,
  relatives,
  stopWords,
  suffixes,
  titles,
} from "../word-lists.ts";
import { beginsSentence, type Word } from "../words.ts";
import { byCredential, byInitials, byLabel } from "./name-labels.ts";
import {
  type Accepts,
  afterTitle,
  found,
  gapOf,
  hasCapital,
  isClear,
  isParticle,
  isStop,
  isThing,
  isUnknown,
  labelOnly,
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
  const isName = isOrdinary
    ? isSurname
      ? isPlain && (isInside || isCommon)
      : isInside && isUnknown(end)
    : isCommon
      ? isKnown || isUnknown(end) || (hasMiddle && isPlain)
      : isSurname && (end.flags & place) === 0 && (isPlain || isInside);
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
  "by per patient cc see saw seen consulted called informed notified via contacted told asked drove brought helped gave took accompanied joined visited thanked texted emailed client resident paged".split(
    " ",
  ),
);

/** What people alone do. */
const human = new Set(
  "asked reports denies states describes complains says enjoys agrees believes admits endorses feels recalls wishes prefers declines".split(
    " ",
  ),
);

const toHumans = new Set(
  "told asked drove thanked accompanied advised instructed reminded counseled counselled brought married divorced".split(
    " ",
  ),
);

/** "Emeka denies", "Hope reports", "drove Kai": by what is done. */
function byHumanVerb(read: Read, at: number): NameFound | undefined {
  const { words } = read;
  const [word, next] = [words[at]!, words[at + 1]];
  if (isStop(word) || isThing(read, at)) return undefined;
  const previous = read.words[at - 1];
  const does = next?.shape === "lower" && gapOf(read, at) === " " && human.has(next.lower);
  const isNamed = previous?.lower === "is" && words[at - 2]?.lower === "name" && gapOf(read, at - 1) === " ";
  if (isNamed && nameOnly(word, undefined)) return found(read, at, runFrom(read, at, nameOnly, 3), "relative");
  const isDone = previous?.shape === "lower" && gapOf(read, at - 1) === " " && toHumans.has(previous.lower);
  const may =
    next !== undefined &&
    gapOf(read, at) === " " &&
    /^(?:will|would|wants|plans|hopes|thinks|noticed|lives|smokes|works|attends|walks)$/.test(next.lower);
  if (may && next.shape === "lower" && (word.flags & first) !== 0 && !(word.flags & veryOrdinary))
    return found(read, at, at + 1, "human-verb");
  if (!does && !isDone) return undefined;
  return (word.flags & first) !== 0 || isUnknown(word) ? found(read, at, at + 1, "human-verb") : undefined;
}

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
  if (!(word.flags & name) || countries.has(word.lower) || nextIsFacility) return undefined;
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
    (word.flags & (commonSurname | first)) !== 0;
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

/** What follows somebody who is named behind a relative. */
const afterName =
  /^(?:['’]s\b|[.,;:)]|\s*$| ?\(| (?:who|is|was|has|had|will|at|and|in|on|to|from|as|by|with|died|called|states|reports|confirms|present|here|drove|lives)\b)/;

/** "her husband Robert", "a daughter, Amy", "a friend named Kai", "Pt's son Robert Roe". */
function byRelative(read: Read, at: number): NameFound | undefined {
  const { words, text } = read;
  const word = words[at + 1];
  const gap = gapOf(read, at);
  if (word === undefined || isStop(word) || !/^(?: |, | \()$/.test(gap)) return undefined;
  if (words[at]!.shape === "capitals") return inCapitals(read, at + 1);
  if (word.shape !== "capital" || isThing(read, at + 1)) return undefined;
  const isOrdinary = (word.flags & ordinary) !== 0;
  // Behind a comma it may be anything that begins with a capital.
  const isFollowed = afterName.test(text.slice(word.end, word.end + 10)) || hasNameBehind(read, at + 1);
  const isFirst = gap === " " && (word.flags & first) !== 0;
  const isName = (word.flags & name) !== 0 ? !isOrdinary || isFirst || isFollowed : isUnknown(word);
  if (!isName) return undefined;
  const accepts: Accepts = (one, previous) => previous === undefined || nameOnly(one, previous);
  return found(read, at + 1, runFrom(read, at + 1, accepts, 3), "relative");
}

/** "friends Amy and Kai": behind one of several another. */
function andAnother(read: Read, one: NameFound): NameFound | undefined {
  const [and, word] = [read.words[one.to], read.words[one.to + 1]];
  if (and?.lower !== "and" || word?.shape !== "capital" || isStop(word)) return undefined;
  if (gapOf(read, one.to) !== " " || read.words[one.from - 1]?.lower.endsWith("s") !== true) return undefined;
  return nameOnly(word, undefined)
    ? found(read, one.to + 1, runFrom(read, one.to + 1, nameOnly, 2), "relative")
    : undefined;
}

/** In a note of capitals alone: two words or more, one of them a clear name or all of them names. */
function inCapitals(read: Read, from: number): NameFound | undefined {
  const to = runFrom(read, from, labelOnly, 3);
  const run = read.words.slice(from, to).filter(({ shape }) => shape !== "initial");
  if (run.length < 2 || run.some(({ shape }) => shape !== "capitals") || isThing(read, to - 1)) return undefined;
  return run.some(isClear) || run.every(({ flags }) => (flags & name) !== 0)
    ? found(read, from, to, "relative")
    : undefined;
}

/** "Kai's maternal aunt", "Rose's husband". */
function byPossession(read: Read, at: number): NameFound | undefined {
  const { words } = read;
  const word = words[at]!;
  if (!word.isPossessive || isStop(word) || !((word.flags & name) !== 0 || isUnknown(word))) return undefined;
  const next = [words[at + 1], words[at + 2]].map((one) => one?.lower ?? "");
  const isOwner =
    relatives.has(next[0]!) ||
    (/^(?:maternal|paternal|older|younger|elder|late|second|first|ex)$/.test(next[0]!) && relatives.has(next[1]!));
  return isOwner ? found(read, at, at + 1, "possession") : undefined;
}

/** "Roe, 63yo, day 3 after": an age behind it. "CABG by Roe." */
function bySurname(read: Read, at: number): NameFound | undefined {
  const { text, words } = read;
  const word = words[at]!;
  if (isStop(word) || !nameOnly(word, undefined) || isThing(read, at)) return undefined;
  const behind = text.slice(word.end, word.end + 40);
  if (!(word.flags & veryOrdinary) && /^,? \d{1,3}[ -]?(?:y\b|yo\b|y\/o|yrs?\b|years?[ -]old|M\b|F\b)/.test(behind))
    return found(read, at, at + 1, "age");
  if (/^ family\b/.test(behind) && words[at - 1]?.lower === "the" && !eponyms.has(word.lower))
    return found(read, at, at + 1, "surname");
  if (eponyms.has(word.lower) || (word.flags & (surname | place)) !== surname) return undefined;
  if (/^ \([a-zA-Z ]{2,20}\) (?:recommends?|saw|following|agrees|aware|to see|will|was|is)\b/.test(behind))
    return found(read, at, at + 1, "surname");
  const isBy = words[at - 1]?.lower === "by" && gapOf(read, at - 1) === " ";
  return isBy && /^(?:[.,;)]|\s*$| and\b| on\b| in\b| at\b)/.test(behind) && !/^,? et al/.test(behind)
    ? found(read, at, at + 1, "surname")
    : undefined;
}

/** A word behind it that is a name, too: "Grant Stone". */
function hasNameBehind(read: Read, at: number): boolean {
  const next = read.words[at + 1];
  const isNext = next !== undefined && gapOf(read, at) === " " && next.shape === "capital";
  return isNext && (next.flags & name) !== 0 && !isStop(next);
}

const persons = new Set(
  "pt patient client referring saw met evaluating evaluated treating examined interviewed meet see seeing thanks regarding re".split(
    " ",
  ),
);
const personBehind =
  /^(?: (?:is an?|is \d|was seen|was evaluated|was admitted|has been|reports|denies|presents|presented|states|complains|returns|called|will|lives|enjoys|confirms|says)\b|,? (?:an?|the) (?:\d{1,3}|very|pleasant)|,? \d{1,3}[ -]?(?:y|M\b|F\b)| \((?:MRN|DOB|date of birth|born)\b|,? (?:MRN|DOB|D\.O\.B|G\dP\d))/;

const meeting = new Set("with from by for to was is and student doctor via per than".split(" "));
/** A first name or none that is known, then a surname; nothing that things are called by. */
function areFirstAndLast(run: readonly Word[]): boolean {
  const [given, last] = [run[0]!, run.at(-1)!];
  if (run.some(({ lower }) => eponyms.has(lower) || facilityStart.test(lower))) return false;
  const isGiven = (given.flags & first) !== 0 || isUnknown(given);
  const isLast = (last.flags & surname) !== 0 || ((given.flags & first) !== 0 && isUnknown(last));
  return isGiven && isLast && (isClear(last) || isClear(given) || run.every(({ flags }) => (flags & name) !== 0));
}

/** Two words or more that could be a name, where somebody is spoken of: "Emeka Roe is a", "for referring Sanjay Roe". */
function byPair(read: Read, at: number): NameFound | undefined {
  const { text, words } = read;
  const word = words[at]!;
  if (isStop(word) || !nameOnly(word, undefined) || titles.has(word.lower)) return undefined;
  const previous = words[at - 1];
  const isSpokenOf = previous !== undefined && gapOf(read, at - 1) === " " && persons.has(previous.lower);
  const next = words[at + 1];
  if (next === undefined || next.start - word.end > 2) return undefined;
  const to = runFrom(read, at, nameOnly, 4);
  const run = words.slice(at, to).filter(({ shape }) => shape !== "initial");
  if (thingPairs.has(run.map(({ lower }) => lower).join(" ")) || run.every(({ flags }) => (flags & veryOrdinary) !== 0))
    return undefined;
  if (
    run.length < 2 ||
    run.some(({ shape, lower }) => shape !== "capital" || eponymNouns.has(lower)) ||
    isThing(read, to - 1)
  )
    return undefined;
  const { end } = words[to - 1]!;
  const standsAlone =
    /[:\n] *$/.test(text.slice(Math.max(0, word.start - 4), word.start)) &&
    /^ ?(?:\n| {2}|\t|$)/.test(text.slice(end, end + 3));
  if (standsAlone && (word.flags & first) !== 0 && (words[to - 1]!.flags & surname) !== 0)
    return found(read, at, to, "pair");
  const isBehind = previous !== undefined && gapOf(read, at - 1) === " ";
  const isFirst = (word.flags & first) !== 0;
  const isListed = /[:,(;] ?$/.test(text.slice(Math.max(0, word.start - 2), word.start));
  const goesOn = /^(?: [a-z(\d]|[,;.)(]|'s)/.test(text.slice(end, end + 3));
  const isMet =
    (isBehind && (meeting.has(previous.lower) || previous.shape === "lower")) ||
    (isListed && goesOn) ||
    (isFirst && goesOn);
  if (isMet && areFirstAndLast(run)) return found(read, at, to, "pair");
  if (!isSpokenOf && !personBehind.test(text.slice(end, end + 24))) return undefined;
  const areNames = run.every(({ flags }) => (flags & name) !== 0);
  return areNames || run.some(isClear) || isSpokenOf ? found(read, at, to, "pair") : undefined;
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
    if (relatives.has(word.lower)) {
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
  return [...names, ...again(read, names), ...byInitials(read)];
}
