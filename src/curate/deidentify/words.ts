/** The words of a text with how they are written, for what patterns of characters cannot say: names and places. */
import { flagsOf, lexicon } from "./lexicon.ts";

export type Shape = "lower" | "capital" | "capitals" | "initial";

export interface Word {
  /** Without 's. */
  readonly text: string;
  readonly lower: string;
  readonly shape: Shape;
  readonly start: number;
  readonly end: number;
  /** 's or ' follows. */
  readonly isPossessive: boolean;
  /** Flags of `lexicon.ts`; of words in lower case 0, as they are seldom asked for: `flagsOf`. */
  readonly flags: number;
}

const pattern = /[A-Za-zÀ-ɏ]+(?:['’�-][A-Za-zÀ-ɏ]+)*/g;
const digit = /\d/;
/** With a straight, a curved and a lost apostrophe. */
const possessives = new Set(["'s", "’s", "\uFFFDs", "'S", "’S"]);

/** Words stand in order; a code like "B12" is none. */
export function wordsOf(text: string): Word[] {
  lexicon();
  const words: Word[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const start = match.index;
    let written = match[0];
    if (start > 0 && digit.test(text[start - 1]!)) continue;
    const after = text[start + written.length];
    if (written.length > 60 || (after !== undefined && digit.test(after))) continue;
    const tail = written.length > 2 ? written.slice(-2) : "";
    const isPossessive = possessives.has(tail);
    if (isPossessive) written = written.slice(0, -2);
    const lower = written.toLowerCase();
    const shape = shapeOf(written, lower);
    const flags = shape === "lower" || shape === "initial" ? 0 : flagsOf(lower);
    words.push({ text: written, lower, shape, start, end: start + written.length, isPossessive, flags });
  }
  return words;
}

function shapeOf(text: string, lower: string): Shape {
  const first = text.charCodeAt(0);
  if (first >= 97 && first <= 122) return "lower";
  if (text.length === 1) return text === lower ? "lower" : "initial";
  if (text === text.toUpperCase()) return "capitals";
  return text[0] === lower[0] ? "lower" : "capital";
}

/** Whether it begins a sentence, a line or an item, where any word has a capital. */
export function beginsSentence(text: string, { start }: Word): boolean {
  let at = start - 1;
  while (at >= 0 && (text[at] === " " || text[at] === "\t")) at--;
  return at < 0 || '.!?:;\n\r•*-–—"(/)'.includes(text[at]!);
}
