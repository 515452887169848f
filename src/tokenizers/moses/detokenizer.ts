/**
 * The Moses detokenizer for English as sacremoses has it: joins tokens, undoes the XML escapes and `@-@`, and decides
 * by kind of token where a space belongs. Lossy: `p<0.05` comes back as `p < 0.05`. Other languages are left out.
 */
import { CURRENCY, DETOKENIZER_ALPHABETIC, classOf, splitWhitespace } from "./classes.ts";

const unescaped = new Map([
  ["&bar;", "|"],
  ["&#124;", "|"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&bra;", "["],
  ["&ket;", "]"],
  ["&quot;", '"'],
  ["&apos;", "'"],
  ["&#91;", "["],
  ["&#93;", "]"],
  ["&amp;", "&"],
]);

/** Blocks where no space is written between words, both ends exclusive as in sacremoses 0.0.53 to 0.1.1. */
const ideographicBlocks: readonly (readonly [before: number, after: number])[] = [
  [0x1100, 0x11ff],
  [0x2e80, 0xa4cf],
  [0xa840, 0xa87f],
  [0xac00, 0xd7af],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe4f],
  [0xff65, 0xffdc],
  [0x17000, 0x18aff],
  [0x1b000, 0x1b12f],
  [0x1b170, 0x1b2ff],
  [0x20000, 0x2ffff],
];

const opening = new Set("([{¿¡");
const punctuation = /^[,.?!:;\\%}\])]+$/;
const quotes = /^['"„“`]+$/;
const doubleQuotes = /^[„“”]+$/;

/** The text of Moses tokens, e.g. `["5", "%", "of", "TNF", "@-@", "α"]` → `5% of TNF-α`. */
export function mosesDetokenize(tokens: readonly string[]): string {
  const text = ` ${tokens.join(" ")} `
    .replaceAll(" @-@ ", "-")
    .replaceAll(/&(?:bar|#124|lt|gt|bra|ket|quot|apos|#91|#93|amp);/g, (entity) => unescaped.get(entity)!);
  const words = splitWhitespace(text);
  const openQuotes = new Map<string, boolean>();
  let result = "";
  let space = " ";
  words.forEach((word, index) => {
    const previous = words[index - 1];
    if (startsIdeographic(word)) {
      result += previous !== undefined && endsIdeographic(previous) ? word : space + word;
      space = " ";
    } else if (isOpening(word)) {
      result += space + word;
      space = "";
    } else if (punctuation.test(word) || (previous !== undefined && isContraction(word))) {
      result += word;
      space = " ";
    } else if (quotes.test(word)) {
      const kind = doubleQuotes.test(word) ? '"' : word;
      const closes = openQuotes.get(kind) ?? false;
      const possessive = !closes && word === "'" && previous !== undefined && previous.endsWith("s");
      result += closes || possessive ? word : space + word;
      space = closes || possessive ? " " : "";
      if (!possessive) openQuotes.set(kind, !closes);
    } else {
      result += space + word;
      space = " ";
    }
  });
  return result.replaceAll(/ {2,}/g, " ").replaceAll(/^ | $/g, "");
}

function startsIdeographic(word: string): boolean {
  return isIdeographic(word.codePointAt(0)!);
}

function endsIdeographic(word: string): boolean {
  const last = word.charCodeAt(word.length - 1);
  const low = last >= 0xdc00 && last <= 0xdfff && word.length > 1;
  return isIdeographic(low ? word.codePointAt(word.length - 2)! : last);
}

function isIdeographic(code: number): boolean {
  return code > 0x1100 && ideographicBlocks.some(([before, after]) => code > before && code < after);
}

function isOpening(word: string): boolean {
  for (const character of word) {
    if ((classOf(character.codePointAt(0)!) & CURRENCY) === 0 && !opening.has(character)) return false;
  }
  return true;
}

function isContraction(word: string): boolean {
  return word.startsWith("'") && word.length > 1 && (classOf(word.codePointAt(1)!) & DETOKENIZER_ALPHABETIC) !== 0;
}
