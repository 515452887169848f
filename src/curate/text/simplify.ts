/**
 * A text as near-duplicates are compared by: lower case, numbers as 0, punctuation as spaces, single spaces, no marks on
 * letters. As datatrove 0.10's `simplify_text` with its defaults. Its Python has Unicode 14; younger characters may differ.
 */
import { isSpace, strip } from "./characters.ts";

/** datatrove's `PUNCTUATION`: fewer than Unicode has ("–" and "…" are in it, "§" and "‐" are not), and control characters but tab and line feed. */
export const punctuationMarks: ReadonlySet<string> = new Set([
  ..."!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»",
  ...Array.from({ length: 160 }, (_, unit) => String.fromCharCode(unit)).filter((one) => /[^\P{Cc}\t\n]/u.test(one)),
]);

/** What becomes a space, by UTF-16 unit. */
const blanks = new Uint8Array(0x10000).map((_, unit) => Number(isSpace(unit)));
for (const mark of punctuationMarks) blanks[mark.charCodeAt(0)] = 1;

const numbers = /\p{Nd}+(?:[.,،٫⎖⎗⎘]\p{Nd}+)?/gu;
const withoutMarks = (text: string): string => text.normalize("NFD").replace(/\p{Mn}/gu, "");

/** The rule as it is written down. */
function simplifyAny(lower: string): string {
  const spaced = lower
    .replace(numbers, "0")
    .replace(/[^]/g, (unit) => (blanks[unit.charCodeAt(0)] === 1 ? " " : unit))
    .replace(/ +/g, " ");
  return strip(withoutMarks(strip(spaced)));
}

/** Letters without marks, for units below `folded.length` as they are met; none is 0. */
const folded = new Uint16Array(0x3000).fill(0xffff);

function foldOf(unit: number): number {
  const known = folded[unit]!;
  if (known !== 0xffff) return known;
  const plain = withoutMarks(String.fromCharCode(unit));
  return (folded[unit] = plain === "" ? 0 : plain.charCodeAt(0));
}

/** Digits of other scripts, and what parts their decimals, are not among these. */
const isPlain = (unit: number): boolean =>
  unit < 0x600 || (unit >= 0x2000 && unit < 0x3000 && (unit < 0x2396 || unit > 0x2398));
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;

let units = new Uint16Array(1 << 16);

/** In one pass, which texts of scripts with digits of their own do not take. */
export function simplifyText(text: string): string {
  const lower = text.toLowerCase();
  const { length } = lower;
  if (units.length < length) units = new Uint16Array(length * 2);
  let end = 0;
  let spaced = true;
  for (let i = 0; i < length; i++) {
    const unit = lower.charCodeAt(i);
    if (isDigit(unit)) {
      while (isDigit(lower.charCodeAt(i + 1))) i += 1;
      const parting = lower.charCodeAt(i + 1);
      if (parting > 0x7f && !isPlain(parting)) return simplifyAny(lower);
      if ((parting === 0x2e || parting === 0x2c) && isDigit(lower.charCodeAt(i + 2))) {
        i += 2;
        while (isDigit(lower.charCodeAt(i + 1))) i += 1;
      }
      units[end++] = 0x30;
      spaced = false;
    } else if (blanks[unit] === 1) {
      if (!spaced) units[end++] = 0x20;
      spaced = true;
    } else {
      if (!isPlain(unit)) return simplifyAny(lower);
      const plain = unit < 0x80 ? unit : foldOf(unit);
      if (plain !== 0) units[end++] = plain;
      spaced = false;
    }
  }
  return strip(Buffer.from(units.buffer, 0, end * 2).toString("utf16le"));
}
