/**
 * How spaCy's tokenizer cuts one chunk of text without white space, after its documented algorithm (spacy.io/usage/
 * linguistic-features#how-tokenizer-works): special words first, then prefixes and suffixes off both ends until one is left,
 * then what looks like an address stays whole, then infixes. English, spaCy 3.8; by scanning, in linear time, where spaCy
 * has regular expressions.
 */
import { Character, classOf } from "./characters.ts";
import { longestSpecial, specials } from "./special-words.ts";

const { prefix, suffix, lower, upper, letter, symbol, quote, beforeStop } = Character;

/** Behind a digit these are cut off, by their last UTF-16 unit. No digit stands in one, so that one fits at most. */
const units = new Map<number, string[]>();
for (const unit of `km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa
  mbar mb MB kb KB gb GB tb TB T G M K % км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар
  Кб КБ кб Мб МБ мб Гб ГБ гб Тб ТБ тбكم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ كم غرام جرام جم كغ ملغ كوب اكواب
  US$ C$ A$ $ £ € ¥ ฿ ﷼`.split(/\s+/)) {
  const last = unit.charCodeAt(unit.length - 1);
  units.set(last, [...(units.get(last) ?? []), unit]);
}

const dot = 0x2e;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const has = (code: number, bits: number): boolean => (classOf(code) & bits) !== 0;

/** The code point at `at`, or -1 outside [from, to). */
function codeAt(text: string, at: number, from: number, to: number): number {
  return at >= from && at < to ? text.codePointAt(at)! : -1;
}

/** The code point that ends before `end`, or -1. */
function codeBefore(text: string, end: number, from: number): number {
  if (end <= from) return -1;
  const unit = text.charCodeAt(end - 1);
  const paired = unit >= 0xdc00 && unit <= 0xdfff && end - 2 >= from ? text.codePointAt(end - 2)! : 0;
  return paired > 0xffff ? paired : unit;
}

const widthOf = (code: number): number => (code > 0xffff ? 2 : 1);

function dotsFrom(text: string, from: number, to: number): number {
  let end = from;
  while (end < to && text.charCodeAt(end) === dot) end += 1;
  return end - from;
}

/** Length of the prefix of text[from, to), 0 where it has none. */
function prefixLength(text: string, from: number, to: number): number {
  const code = codeAt(text, from, from, to);
  if (code < 0) return 0;
  if (has(code, prefix)) return widthOf(code);
  if (code === 0x2b) return isDigit(codeAt(text, from + 1, from, to)) ? 0 : 1;
  if (code === dot) return dotsFrom(text, from, to) > 1 ? dotsFrom(text, from, to) : 0;
  if (from + 1 < to && text.startsWith("$", from + 1)) return code === 0x43 || code === 0x41 ? 2 : 0;
  return from + 2 < to && text.startsWith("US$", from) ? 3 : 0;
}

/** Length of the longest suffix of text[from, to), 0 where it has none. */
function suffixLength(text: string, from: number, to: number): number {
  const last = codeBefore(text, to, from);
  if (last < 0) return 0;
  if (last === dot) return stopsAtEnd(text, from, to);
  if (last === 0x73 || last === 0x53) {
    const before = codeBefore(text, to - 1, from);
    if (before === 0x27 || before === 0x2019) return 2;
  }
  const amount = unitAtEnd(text, from, to);
  if (amount > 0) return amount;
  if (last === 0x2026 && codeBefore(text, to - 1, from) === last) return 2;
  if (has(last, suffix)) return widthOf(last);
  return last === 0x2b && isDigit(codeBefore(text, to - 1, from)) ? 1 : 0;
}

function stopsAtEnd(text: string, from: number, to: number): number {
  let start = to;
  while (start > from && text.charCodeAt(start - 1) === dot) start -= 1;
  if (to - start > 1) return to - start;
  const before = codeBefore(text, to - 1, from);
  if (before < 0) return 0;
  if (has(before, beforeStop)) return 1;
  const second = codeBefore(text, to - 1 - widthOf(before), from);
  if (has(before, upper) && second >= 0 && has(second, upper)) return 1;
  return second === 0xb0 && /[FCK]/.test(String.fromCodePoint(before)) ? 1 : 0;
}

function unitAtEnd(text: string, from: number, to: number): number {
  for (const unit of units.get(text.charCodeAt(to - 1)) ?? []) {
    const start = to - unit.length;
    if (start > from && isDigit(text.charCodeAt(start - 1)) && text.startsWith(unit, start)) return unit.length;
  }
  const code = text.charCodeAt(to - 1);
  return code >= 0x20a0 && code <= 0x20bf && isDigit(codeBefore(text, to - 1, from)) ? 1 : 0;
}

const hyphens = ["-", "–", "—", "--", "---", "——", "~"];

/** Length of the infix of text[from, to) at `at`, 0 where there is none. */
function infixLength(text: string, at: number, from: number, to: number): number {
  const code = codeAt(text, at, from, to);
  if (code === dot && dotsFrom(text, at, to) > 1) return dotsFrom(text, at, to);
  if (code === 0x2026 || has(code, symbol)) return widthOf(code);
  // Letters and digits, most of a text, are no infix.
  if (code < 0x80 ? has(code, letter) || isDigit(code) : code !== 0x2013 && code !== 0x2014) return 0;
  const before = codeBefore(text, at, from);
  const after = codeAt(text, at + 1, from, to);
  if (before < 0 || after < 0) return 0;
  const operator = code === 0x2b || code === 0x2d || code === 0x2a || code === 0x5e;
  if (operator && isDigit(before) && (isDigit(after) || after === 0x2d)) return 1;
  if (code === dot) return has(before, lower | quote) && has(after, upper | quote) ? 1 : 0;
  if (code === 0x2c) return has(before, letter) && has(after, letter) ? 1 : 0;
  if (!has(before, letter) && !isDigit(before)) return 0;
  if (code === 0x3a || code === 0x3c || code === 0x3e || code === 0x3d || code === 0x2f)
    return has(after, letter) ? 1 : 0;
  for (const hyphen of hyphens) {
    if (!text.startsWith(hyphen, at)) continue;
    const next = codeAt(text, at + hyphen.length, from, to);
    if (next >= 0 && has(next, letter)) return hyphen.length;
  }
  return 0;
}

const scheme = /[\p{L}\p{N}_+.-]{2,}:\/\//uy;
const address =
  /(?!(?:10|127)(?:\.\p{Nd}{1,3}){3}|(?:169\.254|192\.168)(?:\.\p{Nd}{1,3}){2}|172\.(?:1[6-9]|2\p{Nd}|3[0-1])(?:\.\p{Nd}{1,3}){2})(?:1\p{Nd}\p{Nd}|2[01]\p{Nd}|22[0-3]|[1-9]\p{Nd}?)(?:\.(?:1?\p{Nd}{1,2}|2[0-4]\p{Nd}|25[0-5])){2}\.(?:1\p{Nd}\p{Nd}|2[0-4]\p{Nd}|25[0-4]|[1-9]\p{Nd}?)(?=[:/?#]|$)/uy;
const rest = /(?::\p{Nd}{2,5})?(?:$|[/?#])/uy;
const hostEnd = /[:/?#@]|$/g;
const label = /^[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff_-]{0,62}[A-Za-z0-9\u00a1-\uffff])?$/u;

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

/** Whether a host, a port and a path are all of `text` from `start`: dperini's pattern for addresses, as spaCy has it. */
function hostAt(text: string, start: number): boolean {
  if (matchesAt(address, text, start) && matchesAt(rest, text, address.lastIndex)) return true;
  hostEnd.lastIndex = start;
  const end = hostEnd.exec(text)!.index;
  const labels = text.slice(start, end).split(".");
  const domain = [...labels.pop()!];
  if (labels.length === 0 || domain.length < 2 || domain.length > 63) return false;
  if (!domain.every((character) => has(character.codePointAt(0)!, lower))) return false;
  return labels.every((part) => label.test(part)) && matchesAt(rest, text, end);
}

/** Whether all of `text` looks like an address: with a scheme or without, somebody@, a host's name, a port, a path. */
function isAddress(text: string): boolean {
  if (!text.includes(".")) return false;
  if (hostAt(text, 0) || (matchesAt(scheme, text, 0) && hostAt(text, scheme.lastIndex))) return true;
  for (let at = text.indexOf("@", 1); at > 0; at = text.indexOf("@", at + 1)) if (hostAt(text, at + 1)) return true;
  return false;
}

function specialAt(text: string, from: number, to: number): readonly string[] | undefined {
  return to - from > longestSpecial ? undefined : specials.get(text.slice(from, to));
}

/** The tokens of one chunk; `special` is false where special words themselves are cut to find them among tokens. */
export function chunkTokens(text: string, special: boolean = true): string[] {
  const tokens: string[] = [];
  const ends: string[] = [];
  const isSpecial = (from: number, to: number): boolean =>
    special && to > from && specialAt(text, from, to) !== undefined;
  let [from, to] = [0, text.length];
  for (let before = -1; to > from && to - from !== before && !isSpecial(from, to);) {
    before = to - from;
    const first = prefixLength(text, from, to);
    if (first > 0 && isSpecial(from + first, to)) {
      tokens.push(text.slice(from, from + first));
      from += first;
      break;
    }
    const last = suffixLength(text, from + first, to);
    if (last > 0 && isSpecial(from, to - last)) {
      ends.push(text.slice(to - last, to));
      to -= last;
      break;
    }
    if (first > 0) tokens.push(text.slice(from, from + first));
    if (last > 0) ends.push(text.slice(to - last, to));
    from += first;
    to -= last;
  }
  if (to > from) pushMiddle(text.slice(from, to), special, tokens);
  for (let i = ends.length - 1; i >= 0; i--) tokens.push(ends[i]!);
  return tokens;
}

/** Whether anything of a word is a prefix, a suffix or an infix. */
export function hasAffix(word: string): boolean {
  const to = word.length;
  if (prefixLength(word, 0, to) > 0 || suffixLength(word, 0, to) > 0) return true;
  return [...word].some((_, at) => infixLength(word, at, 0, to) > 0);
}

function pushMiddle(text: string, special: boolean, tokens: string[]): void {
  const known = special ? specialAt(text, 0, text.length) : undefined;
  if (known !== undefined) return void tokens.push(...known);
  if (isAddress(text)) return void tokens.push(text);
  let start = 0;
  for (let at = 0; at < text.length;) {
    const length = infixLength(text, at, 0, text.length);
    // An infix at the very beginning is left where it is.
    if (length > 0 && at > 0) {
      if (at > start) tokens.push(text.slice(start, at));
      tokens.push(text.slice(at, at + length));
      start = at + length;
    }
    at += length > 0 ? length : 1;
  }
  if (start < text.length) tokens.push(text.slice(start));
}
