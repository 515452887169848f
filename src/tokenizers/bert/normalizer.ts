/**
 * BertNormalizer as Hugging Face tokenizers 0.22 does it (clean_text, handle_chinese_chars, strip_accents, lowercase, in
 * this order), keeping for every UTF-16 unit of the result the units of the text that it came from. A character that
 * replaces another has its place; an added one (second character of a decomposition) that of the character before it;
 * a removed one belongs to nobody.
 */
import { characterClasses, CJK, MARK, NEWER, REMOVED, SPACE } from "./unicode.ts";

export interface BertNormalizer {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  /** null follows `lowercase`. */
  readonly stripAccents: boolean | null;
  readonly lowercase: boolean;
}

/** Unit i of `text` came from the units starts[i] to ends[i] of the original. */
export interface AlignedText {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Characters under way: code points, their places, and (after NFD) whether one was added behind the one before. */
interface Characters {
  readonly codes: number[];
  readonly starts: number[];
  readonly ends: number[];
}

const replacement = 0xfffd;
const decomposed = new Map<number, number[]>();
const lowered = new Map<number, number[]>();

/** Normalizes `text.slice(start, end)`; places count from the beginning of `text`. */
export function normalizeAligned(text: string, start: number, end: number, options: BertNormalizer): AlignedText {
  let characters = readCharacters(text, start, end, options.cleanText);
  if (options.handleChineseChars) characters = spaceChinese(characters);
  if (options.stripAccents ?? options.lowercase) characters = stripAccents(characters);
  const { codes, starts, ends } = options.lowercase ? lowerCase(characters) : characters;
  const parts: string[] = [];
  const unitStarts: number[] = [];
  const unitEnds: number[] = [];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    parts.push(String.fromCodePoint(code));
    for (let unit = code > 0xffff ? 2 : 1; unit > 0; unit--) {
      unitStarts.push(starts[i]!);
      unitEnds.push(ends[i]!);
    }
  }
  return { text: parts.join(""), starts: unitStarts, ends: unitEnds };
}

function noCharacters(): Characters {
  return { codes: [], starts: [], ends: [] };
}

function push(characters: Characters, code: number, start: number, end: number): void {
  characters.codes.push(code);
  characters.starts.push(start);
  characters.ends.push(end);
}

/** Half a surrogate pair reads as U+FFFD, which is what it becomes on its way to the reference. */
function readCharacters(text: string, start: number, end: number, clean: boolean): Characters {
  const classes = characterClasses();
  const characters = noCharacters();
  for (let at = start; at < end;) {
    let code = text.codePointAt(at)!;
    const next = at + (code > 0xffff && at + 1 < end ? 2 : 1);
    if (code >= 0xd800 && code <= 0xdfff) code = replacement;
    const kind = classes[code]!;
    if (!clean) push(characters, code, at, next);
    else if ((kind & REMOVED) === 0) push(characters, (kind & SPACE) === 0 ? code : 0x20, at, next);
    at = next;
  }
  return characters;
}

/** The spaces have the place of the character that they surround. */
function spaceChinese(from: Characters): Characters {
  const classes = characterClasses();
  if (!from.codes.some((code) => (classes[code]! & CJK) !== 0)) return from;
  const to = noCharacters();
  for (let i = 0; i < from.codes.length; i++) {
    const code = from.codes[i]!;
    const isChinese = (classes[code]! & CJK) !== 0;
    if (isChinese) push(to, 0x20, from.starts[i]!, from.ends[i]!);
    push(to, code, from.starts[i]!, from.ends[i]!);
    if (isChinese) push(to, 0x20, from.starts[i]!, from.ends[i]!);
  }
  return to;
}

function mapped(table: Map<number, number[]>, code: number, change: (character: string) => string): number[] {
  let codes = table.get(code);
  if (codes === undefined) {
    codes = Array.from(change(String.fromCodePoint(code)), (character) => character.codePointAt(0)!);
    table.set(code, codes);
  }
  return codes;
}

/** Canonical decomposition with canonical order, then without nonspacing marks. */
function stripAccents(from: Characters): Characters {
  const classes = characterClasses();
  const codes: number[] = [];
  const added: boolean[] = [];
  for (const code of from.codes) {
    const isNewer = (classes[code]! & NEWER) !== 0;
    const parts = code < 0xc0 || isNewer ? [code] : mapped(decomposed, code, (character) => character.normalize("NFD"));
    for (let part = 0; part < parts.length; part++) {
      codes.push(parts[part]!);
      added.push(part > 0);
    }
  }
  orderCanonically(codes, added);
  const to = noCharacters();
  let at = 0;
  for (let i = 0; i < codes.length; i++) {
    if (added[i] === false) at += 1;
    if ((classes[codes[i]!]! & MARK) === 0) push(to, codes[i]!, from.starts[at - 1]!, from.ends[at - 1]!);
  }
  return to;
}

/** Puts marks in canonical order, in place; `added` moves with its character. */
function orderCanonically(codes: number[], added: boolean[]): void {
  const classes = characterClasses();
  for (let first = 0; first < codes.length;) {
    let last = first;
    // A run that the engine's NFD orders as the reference's does; below U+0300 nothing moves.
    while (last < codes.length && codes[last]! >= 0x300 && (classes[codes[last]!]! & NEWER) === 0) last += 1;
    if (last - first > 1) orderRun(codes, added, first, last);
    first = last + 1;
  }
}

function orderRun(codes: number[], added: boolean[], first: number, last: number): void {
  const run = codes.slice(first, last);
  const text = run.map((code) => String.fromCodePoint(code)).join("");
  const ordered = text.normalize("NFD");
  if (ordered === text) return;
  // Equal characters keep their order, so the nth of a kind stays the nth.
  const flags = new Map<number, boolean[]>();
  for (let i = 0; i < run.length; i++) {
    const list = flags.get(run[i]!);
    if (list === undefined) flags.set(run[i]!, [added[first + i]!]);
    else list.push(added[first + i]!);
  }
  let at = first;
  for (const character of ordered) {
    const code = character.codePointAt(0)!;
    codes[at] = code;
    added[at] = flags.get(code)!.shift()!;
    at += 1;
  }
}

/** Each character by itself, as Rust's char::to_lowercase does: no final sigma, no locale. */
function lowerCase(from: Characters): Characters {
  const to = noCharacters();
  for (let i = 0; i < from.codes.length; i++) {
    const parts = mapped(lowered, from.codes[i]!, (character) => character.toLowerCase());
    for (const part of parts) push(to, part, from.starts[i]!, from.ends[i]!);
  }
  return to;
}
