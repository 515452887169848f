/**
 * Character classes of the Moses tokenizer as bits per code point, unpacked from `tables.ts`, and Python's idea
 * of whitespace, which is not JavaScript's: U+001C to U+001F and U+0085 belong to it, U+FEFF does not.
 */
import { packedRanges } from "./tables.ts";

export const NUMBER = 1;
export const ALPHANUMERIC = 2;
export const ALPHABETIC = 4;
export const LOWERCASE = 8;
export const CURRENCY = 16;
export const DETOKENIZER_ALPHABETIC = 32;
export const WHITESPACE = 64;

const whitespace: readonly (readonly [first: number, last: number])[] = [
  [0x09, 0x0d],
  [0x1c, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
];

const { basic, supplementary } = unpackClasses();

/** Class bits of the Basic Multilingual Plane, indexed by UTF-16 code unit (surrogates have none). */
export const basicClasses: Uint8Array = basic;

/** Class bits of a code point. */
export function classOf(code: number): number {
  return code < 0x10000 ? basic[code]! : (supplementary.get(code) ?? 0);
}

/** `str.split()` of Python: the parts between runs of whitespace, none of them empty. */
export function splitWhitespace(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    if (index < text.length && (basic[text.charCodeAt(index)]! & WHITESPACE) === 0) continue;
    if (index > start) parts.push(text.slice(start, index));
    start = index + 1;
  }
  return parts;
}

function unpackClasses(): { basic: Uint8Array; supplementary: Map<number, number> } {
  const basic = new Uint8Array(0x10000);
  const supplementary = new Map<number, number>();
  const mark = (first: number, last: number, bit: number): void => {
    for (let code = first; code <= last; code++) {
      if (code < 0x10000) basic[code]! |= bit;
      else supplementary.set(code, (supplementary.get(code) ?? 0) | bit);
    }
  };
  for (const [first, last] of whitespace) mark(first, last, WHITESPACE);
  const classes = [
    [packedRanges.number, NUMBER],
    [packedRanges.alphanumeric, ALPHANUMERIC],
    [packedRanges.alphabetic, ALPHABETIC],
    [packedRanges.lowercase, LOWERCASE],
    [packedRanges.currency, CURRENCY],
    [packedRanges.detokenizerAlphabetic, DETOKENIZER_ALPHABETIC],
  ] as const;
  for (const [packed, bit] of classes) {
    let last = 0;
    for (const item of packed.split(" ")) {
      const [gap, extra = "0"] = item.split(".");
      const first = last + Number.parseInt(gap!, 36);
      last = first + Number.parseInt(extra, 36);
      mark(first, last, bit);
    }
  }
  return { basic, supplementary };
}
