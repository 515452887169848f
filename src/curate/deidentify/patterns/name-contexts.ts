/**
 * Names by what is said around them: what people alone do, whose they are, what somebody is called, an age, a list. A first name
 * needs little, a surname or a word of no dictionary more.
 */
import { commonFirst, commonSurname, first, name, ordinary, place, surname, veryOrdinary } from "../lexicon.ts";
import { eponymNouns, eponyms, relatives, thingPairs, titles } from "../word-lists.ts";
import { beginsSentence, type Word } from "../words.ts";
import {
  type Accepts,
  found,
  gapOf,
  hasCapital,
  isClear,
  isStop,
  isThing,
  isUnknown,
  labelOnly,
  nameOnly,
  type NameFound,
  type Read,
  runFrom,
} from "./name-runs.ts";

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
  "asked arrived came went told said moved retired graduated married drove reports denies states describes complains says enjoys agrees believes admits endorses feels recalls wishes prefers declines".split(
    " ",
  ),
);

const toHumans = new Set(
  "told asked drove thanked accompanied advised instructed reminded counseled counselled brought married divorced".split(
    " ",
  ),
);

/** "Emeka denies", "Hope reports", "drove Kai": by what is done. */
export function byHumanVerb(read: Read, at: number): NameFound | undefined {
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
export function alone(read: Read, at: number): NameFound | undefined {
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

/** "orthopedist Park", "physician Amy Roe". */
export const calling = /(?:ologist|iatrist|pedist|edist|herapist|ician|urgeon|ternist)$/;

/** What follows somebody who is named behind a relative. */
const afterName =
  /^(?:['’]s\b|[.,;:)]|\s*$| ?\(| (?:who|is|was|has|had|will|at|and|in|on|to|from|as|by|with|died|called|states|reports|confirms|present|here|drove|lives)\b)/;

/** "her husband Robert", "a daughter, Amy", "a friend named Kai", "Pt's son Robert Roe". */
export function byRelative(read: Read, at: number): NameFound | undefined {
  const { words, text } = read;
  const word = words[at + 1];
  const gap = gapOf(read, at);
  if (word === undefined || isStop(word) || !/^(?: |, | \()$/.test(gap)) return undefined;
  if (words[at]!.shape === "capitals") return inCapitals(read, at + 1);
  if (word.shape !== "capital" || isThing(read, at + 1)) return undefined;
  if (eponyms.has(word.lower) && !(word.flags & first)) return undefined;
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
export function andAnother(read: Read, one: NameFound): NameFound | undefined {
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
export function byPossession(read: Read, at: number): NameFound | undefined {
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
export function bySurname(read: Read, at: number): NameFound | undefined {
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
  return isBy &&
    /^(?:[.,;)]|\s*$| and\b| on\b| in\b| at\b| from\b| for\b| who\b)/.test(behind) &&
    !/^,? et al/.test(behind)
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
export const personBehind =
  /^(?: (?:is an?|is \d|was seen|was evaluated|was admitted|has been|reports|denies|presents|presented|states|complains|returns|called|will|lives|enjoys|confirms|says)\b|,? (?:an?|the) (?:\d{1,3}|very|pleasant)|,? \d{1,3}[ -]?(?:y|M\b|F\b)| \((?:MRN|DOB|date of birth|born)\b|,? (?:MRN|DOB|D\.O\.B|G\dP\d))/;

const meeting = new Set("with from by for to was is and student doctor via per than".split(" "));
/** A first name or none that is known, then a surname; nothing that things are called by. */
function areFirstAndLast(run: readonly Word[], isAddressed: boolean): boolean {
  const [given, last] = [run[0]!, run.at(-1)!];
  if (eponyms.has(given.lower) || run.some(({ lower }) => facilityStart.test(lower))) return false;
  if (eponyms.has(last.lower)) return isAddressed && ((given.flags & first) !== 0 || isUnknown(given));
  const isGiven = (given.flags & first) !== 0 || isUnknown(given);
  const isLast = (last.flags & surname) !== 0 || ((given.flags & first) !== 0 && isUnknown(last));
  return (
    isGiven &&
    isLast &&
    (isAddressed || isClear(last) || isClear(given) || run.every(({ flags }) => (flags & name) !== 0))
  );
}

/** Two words or more that could be a name, where somebody is spoken of: "Emeka Roe is a", "for referring Sanjay Roe". */
export function byPair(read: Read, at: number): NameFound | undefined {
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
  const isAddressed = previous !== undefined && /^(?:by|to|with|from|for|call|ask|contact|see)$/.test(previous.lower);
  if (isMet && areFirstAndLast(run, isAddressed)) return found(read, at, to, "pair");
  if (!isSpokenOf && !personBehind.test(text.slice(end, end + 24))) return undefined;
  const areNames = run.every(({ flags }) => (flags & name) !== 0);
  return areNames || run.some(isClear) || isSpokenOf ? found(read, at, to, "pair") : undefined;
}
