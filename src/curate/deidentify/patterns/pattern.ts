/**
 * A regular expression that finds identifiers of one class. Its group 1, else the whole match, is the identifier and ends where
 * the match ends. Repetitions are bounded or begin where nothing like them stands before, so that time grows with the text alone.
 */
import type { Found, IdentifierClass } from "../classes.ts";

export interface Pattern {
  readonly class: IdentifierClass;
  readonly rule: string;
  readonly pattern: RegExp;
  /** Without this in the text there is none. */
  readonly needs?: RegExp | undefined;
  /** Whether it is one after all: check digits, the text around it. */
  readonly check?: (
    value: string,
    place: { readonly text: string; readonly start: number; readonly end: number },
  ) => boolean;
}

/** Where `patterns` match. A match that is refused hides no other that begins inside it. */
export function matchesOf(text: string, patterns: readonly Pattern[]): Found[] {
  const found: Found[] = [];
  for (const { class: name, rule, pattern, check, needs } of patterns) {
    if (needs !== undefined && !needs.test(text)) continue;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const value = match[1] ?? match[0];
      const end = match.index + match[0].length;
      const start = end - value.length;
      if (check === undefined || check(value, { text, start, end })) found.push({ class: name, start, end, rule });
      else if (start > match.index) pattern.lastIndex = start;
    }
  }
  return found;
}

/** How many digits stand in it. */
export function digitsIn(value: string): number {
  let count = 0;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code >= 48 && code <= 57) count++;
  }
  return count;
}
