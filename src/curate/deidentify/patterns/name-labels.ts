/** Names by what says so outright: a label before them, a credential behind, initials where a person is meant. */
import type { Found } from "../classes.ts";
import { first, name, surname, veryOrdinary } from "../lexicon.ts";
import { credentials, eponyms, particles, titles } from "../word-lists.ts";
import {
  type Accepts,
  endOf,
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
import { beginsSentence, type Word } from "../words.ts";

const credential = new RegExp(`,? \\(?(?:${credentials})\\b`, "g");
const tokenEnd = /[A-Za-zÀ-ɏ.]/;

/** "Jane Roe, MD", "John Okafor RN": backwards from the credential. */
export function byCredential(read: Read, indexAt: (offset: number) => number): NameFound[] {
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
    const arePair =
      run.length > 1 &&
      full.length > 0 &&
      full.every((word) => nameOnly(word, undefined)) &&
      full.some(({ flags }) => (flags & name) !== 0);
    if (!isClearEnough || (!isDegree && !full.some(isClear) && !arePair)) continue;
    const isPlain = full.every((word) => (word.flags & veryOrdinary) !== 0) && run.length < 2;
    if (isPlain && (!isDegree || beginsSentence(read.text, run[0]!) || !(run[0]!.flags & surname))) continue;
    result.push(found(read, from, to, "credential"));
  }
  return result;
}

const people = String.raw`patient|pt|(?<![A-Za-z] )name|caller|md|m\.d\.|submitting|performing|client|resident|attending|referring|consultant|consulting|requesting|ordering|admitting|treating|supervising|primary care|family|pcp|surgeon|co-?surgeon|assistants?|first assistant|an(?:a)?esthesiologists?|an(?:a)?esthetist|physician|doctor|provider|practitioner|author|scribe|radiologist|pathologist|cardiologist|oncologist|technologist|technician|sonographer|nurse|rn|fellow|intern|therapist|counselor|psychologist|social worker|case manager|dietitian|pharmacist|interpreter|informant|historian|witness|guarantor|subscriber|insured|spouse|guardian|next of kin|nok|emergency contact|contact|contact person|caregiver|poa|proxy|mother|father|husband|wife|son|daughter|brother|sister|employer contact`;
const acts = String.raw`(?:electronically )?(?:dictated|transcribed|signed|reviewed|verified|authenticated|co-?signed|approved|prepared|entered|performed|read|interpreted|seen|ordered|witnessed|reported|completed|documented|attested)(?: and \w{4,14})?(?: electronically)? by|e-signed by`;
const label = new RegExp(
  String.raw`(?<![A-Za-z])(?:(?:the )?(?:${people})(?:['’]s)?(?:[ /-](?:physician|provider|doctor|surgeon|md|nurse|care physician|care provider|name|practitioner|contact)){0,2}(?:\(s\)|s)?(?: \([A-Za-z ,]{1,30}\))?[ \t]{0,3}[:=][ \t]{0,12}|(?:last|first|middle|maiden|full|preferred|legal|sur)[ ]?name[ \t]{0,3}[:=]?[ \t]{1,12}|(?:${acts})[ \t]{0,2}:?[ \t]{1,12}|(?:c\.?c|attn|attention|copy to|copies to|re|from|to|signature|signed|sincerely|regards|respectfully|yours truly|dear)[ \t]{0,2}[:,][ \t]{0,12}(?:\n[ \t]{0,8}){0,3}|(?:sincerely|regards|yours truly|respectfully|yours faithfully)[ \t]{0,3}\n[ \t\n]{0,8}|dear[ ]|aka[: ]{1,2}|a\.k\.a\.,?[ ])`,
  "gi",
);
const nothing = /^(?:none|n\/a|unknown|self|same|as above|see|not)\b/i;

/** Behind a label: "PATIENT NAME: SMITH, JOHN Q.", "Signed by Roe, Jane". */
export function byLabel(read: Read, indexAt: (offset: number) => number): NameFound[] {
  const { text, words } = read;
  const result: NameFound[] = [];
  label.lastIndex = 0;
  for (let match = label.exec(text); match !== null; match = label.exec(text)) {
    const offset = match.index + match[0].length;
    if (nothing.test(text.slice(offset, offset + 10))) continue;
    let from = indexAt(offset);
    for (let count = 0; count < 4; count++) {
      const to = labelled(read, from, count === 0 ? offset : undefined, /name|patient|\bpt\b/i.test(match[0]));
      if (to === undefined) break;
      if (to.name !== undefined) result.push(to.name);
      // More names in the same line: "Smith, MD; Jones, MD", "A and B".
      const rest = text.slice(to.end, to.end + 40);
      const more = /^(?:,? (?:M\.?D\.?|D\.?O\.?|RN|PA-C|NP|PhD))?(?:;|,| and| &|\/) {0,2}/.exec(rest);
      if (more === null) break;
      from = indexAt(to.end + more[0].length);
      if (
        words[from] === undefined ||
        leadingCredential.test(text.slice(words[from]!.start, words[from]!.start + 8)) ||
        words[from]!.start > to.end + more[0].length + 4
      )
        break;
    }
  }
  return result;
}

/** Another name behind it: "MAY, LI", "Chance Roe". */
function leads(read: Read, word: Word): boolean {
  const at = read.words.indexOf(word);
  const next = read.words[at + 1];
  return (
    next !== undefined &&
    /^,? $/.test(gapOf(read, at)) &&
    next.shape === word.shape &&
    (isClear(next) || isUnknown(next) || (next.flags === 0 && next.text.length > 2))
  );
}

const leadingCredential = new RegExp(`^(?:${credentials})\\b`);

function labelled(
  read: Read,
  start: number,
  offset: number | undefined,
  isName: boolean,
): { end: number; name?: NameFound } | undefined {
  const { words, text } = read;
  const from = start;
  if (words[from] !== undefined && titles.has(words[from]!.lower) && words[from + 1] !== undefined) {
    return { end: words[from]!.end };
  }
  const word = words[from];
  if (word === undefined || (offset !== undefined && word.start > offset + 2)) return undefined;
  const accepts: Accepts = (one, previous) => {
    if (!(isName ? labelOnly : nameOnly)(one, previous)) return false;
    const follows =
      previous !== undefined &&
      (previous.shape === "initial" || (previous.flags & first) !== 0 || isClear(previous) || isUnknown(previous));
    return !(one.flags & veryOrdinary) || ((isName || follows || leads(read, one)) && (one.flags & name) !== 0);
  };
  let to = runFrom(read, from, accepts);
  if (to === from) return undefined;
  // Last, First Middle.
  const next = words[to];
  if (next !== undefined && /^, ?$/.test(gapOf(read, to - 1)) && hasCapital(next) && accepts(next, words[to - 1])) {
    const isCredential = leadingCredential.test(text.slice(next.start, next.start + 8));
    const last = words[to - 1];
    if (!isCredential && (isClear(next) || isUnknown(next) || next.flags & first || isName)) {
      to = runFrom(read, to, (one, before) => accepts(one, before ?? last), 3);
    }
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
export function byInitials({ text }: Read): Found[] {
  const result: Found[] = [];
  for (const match of text.matchAll(initialsPattern)) {
    const value = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    if (/^(?:MD|RN|NP|PA|DO)$|^U\. ?S|^I\. ?[VM]|^P\. ?O/.test(value)) continue;
    result.push({ class: "NAME", rule: "initials", start: match.index, end: match.index + value.length });
  }
  return result;
}
