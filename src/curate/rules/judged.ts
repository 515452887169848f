/**
 * What rules on text share: a text whose words are cut once for all of them, lengths and lines as Python counts them (code
 * points; `str.splitlines`), so that decisions are datatrove's to the last document, and how a decision is written down.
 */
import { strip } from "../text/characters.ts";
import { splitWords } from "../text/words.ts";

export interface Judged {
  readonly text: string;
  /** In code points. */
  readonly length: number;
  readonly words: () => readonly string[];
}

/** Why a text is dropped. */
export interface Drop {
  readonly rule: string;
  /** What was measured, and the limit. */
  readonly detail: string;
}

/** A limit, or null where the rule is off. */
export type Limit = number | null;

export function judged(text: string): Judged {
  let words: readonly string[] | undefined;
  return { text, length: codePoints(text), words: () => (words ??= splitWords(text)) };
}

export function codePoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next >= 0xdc00 && next <= 0xdfff) pairs += 1;
  }
  return text.length - pairs;
}

/** Python's `str.splitlines`. */
export function splitLines(text: string): string[] {
  // oxlint-disable-next-line no-control-regex -- separators of files, groups and records end lines in Python
  const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** How many there are of `part`, none overlapping another. */
export function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}

export const isBlank = (text: string): boolean => strip(text) === "";

export interface Repeated {
  /** Of those that were there before. */
  readonly count: number;
  readonly characters: number;
}

/** What of a list is repeated in it. */
export function repeated(parts: readonly string[]): Repeated {
  const seen = new Set<string>();
  let [count, characters] = [0, 0];
  for (const part of parts) {
    if (seen.has(part)) {
      count += 1;
      characters += codePoints(part);
    } else seen.add(part);
  }
  return { count, characters };
}

/** `value` as a decision's detail gives it: at most three places. */
const shownNumber = (value: number): string => String(Math.round(value * 1000) / 1000);

/** A drop where `value` is more than `most`. */
export function moreThan(value: number, most: Limit, rule: string, what: string): Drop | undefined {
  if (most === null || !(value > most)) return undefined;
  return { rule, detail: `${shownNumber(value)} ${what}, at most ${most}` };
}

/** A drop where `value` is less than `least`. */
export function lessThan(value: number, least: Limit, rule: string, what: string): Drop | undefined {
  if (least === null || !(value < least)) return undefined;
  return { rule, detail: `${shownNumber(value)} ${what}, at least ${least}` };
}
