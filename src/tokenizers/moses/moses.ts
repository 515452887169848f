/**
 * The Moses tokenizer for English as sacremoses has it (aggressive dash splits, XML escapes), with offsets.
 *
 * sacremoses rewrites the whole text in fourteen steps. Here the text is cut at whitespace into segments whose tokens
 * depend on nothing else than the first character of what follows, so that a segment met before need not be done
 * again; one segment goes through the steps as code points that know where they came from. `moses.test.ts` holds the
 * fourteen steps as regular expressions and compares. Left out: other languages and protected patterns.
 */
import { ALPHABETIC, ALPHANUMERIC, LOWERCASE, NUMBER, WHITESPACE, basicClasses, classOf } from "./classes.ts";
import { createSliceCache } from "../slice-cache.ts";

export interface MosesOptions {
  /** What happens to a period at the end of the text: newer versions of the Perl script always split it off. */
  readonly lastWord?: "sacremoses" | "perl";
}

export interface MosesToken {
  /** The token as Moses writes it: `&` is `&amp;`, a dash between letters `@-@`. */
  readonly text: string;
  /** The token came from `[start, end)` of the original text (UTF-16 code units). */
  readonly start: number;
  readonly end: number;
  /** Source range of every code unit of `text`, where `text` is not simply that slice. */
  readonly sources?: readonly (readonly [start: number, end: number])[];
}

/** What follows a segment, as far as its own tokens depend on it. */
type Following = typeof LOWERCASE_FOLLOWS | typeof DIGIT_FOLLOWS | typeof OTHER_FOLLOWS | typeof END_FOLLOWS;
const LOWERCASE_FOLLOWS = 1;
const DIGIT_FOLLOWS = 2;
const OTHER_FOLLOWS = 3;
const END_FOLLOWS = 4;

interface Segment {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly first: boolean;
  readonly last: boolean;
  readonly following: Following;
  /** Offset in the original text of every code unit of `text`; absent where they are the same. */
  readonly origins: Int32Array | undefined;
}

/** Code points and, for each, the offset in the text that it came from; -1 for an inserted space. */
interface Line {
  readonly codes: number[];
  readonly origins: number[];
}

const SPACE = 0x20;
const QUOTE = 0x27;
const COMMA = 0x2c;
const DASH = 0x2d;
const DOT = 0x2e;
const AT = 0x40;
const BACKQUOTE = 0x60;
/** A dot of a run of two or more, which no later rule may touch; sacremoses writes DOTMULTI instead. */
const RUN_DOT = 0x110000;
const MARKER = "DOTMULTI";

const prefixes = new Set(
  (
    "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z Adj Adm Adv Asst Bart Bldg Brig Bros Capt Cmdr Col Comdr " +
    "Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hr Hosp Insp Lt MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Op Ord " +
    "Pfc Ph Prof Pvt Rep Reps Res Rev Rt Sen Sens Sfc Sgt Sr St Supt Surg v vs i.e rev e.g Rs Nos Nr " +
    "Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec"
  ).split(" "),
);
const prefixesOfNumbers = new Set(["No", "Art", "pp"]);

const escapes = new Map<number, string>([
  [0x26, "&amp;"],
  [0x7c, "&#124;"],
  [0x3c, "&lt;"],
  [0x3e, "&gt;"],
  [QUOTE, "&apos;"],
  [0x22, "&quot;"],
  [0x5b, "&#91;"],
  [0x5d, "&#93;"],
]);

/** Moses tokens of a text, each with the range of the text it came from. */
export function mosesTokenize(text: string, options: MosesOptions = {}): MosesToken[] {
  const tokens: MosesToken[] = [];
  forEachSegment(text, options, (segment) => {
    for (const token of tokenizeSegment(segment)) tokens.push(token);
  });
  return tokens;
}

/**
 * Computes `compute(tokens)` for every segment of a text and hands the values on in order; most segments of a corpus
 * were met before and cost one look-up. The tokens' offsets must not be used: they belong to the first occurrence.
 */
export function createMosesMapper<Value extends object>(
  compute: (tokens: MosesToken[]) => Value,
  options: MosesOptions & { readonly cacheSize?: number } = {},
): (text: string, visit: (value: Value) => void) => void {
  const cache = createSliceCache<Value>(options.cacheSize ?? 1 << 17);
  return (text, visit) => {
    forEachSegment(text, options, (segment) => {
      const { text, start, end, following } = segment;
      if (dependsOnEnds(segment)) {
        visit(compute(tokenizeSegment(segment)));
        return;
      }
      const tag = text.charCodeAt(end - 1) === DOT ? following : 0;
      let value = cache.get(text, start, end, tag);
      if (value === undefined) {
        value = compute(tokenizeSegment(segment));
        cache.set(text, start, end, tag, value);
      }
      visit(value);
    });
  };
}

/** At the ends of the text a comma or an apostrophe has no neighbour. */
function dependsOnEnds({ text, start, end, first, last }: Segment): boolean {
  return (first && isMark(text.charCodeAt(start))) || (last && isMark(text.charCodeAt(end - 1)));
}

function isMark(unit: number): boolean {
  return unit === COMMA || unit === QUOTE;
}

/** Steps 1 to 3: cuts at whitespace. `a' 'b` stays whole, because the rule for apostrophes consumes that space. */
function forEachSegment(original: string, options: MosesOptions, visit: (segment: Segment) => void): void {
  // oxlint-disable-next-line no-control-regex -- these are the characters that Moses deletes
  const cleaned = /[\0-\x08\x0e-\x1b]/.test(original) ? deleteControls(original) : undefined;
  const text = cleaned?.text ?? original;
  const origins = cleaned?.origins;
  const length = text.length;
  let start = skip(text, 0, WHITESPACE);
  const beginning = start;
  while (start < length) {
    let end = skip(text, start, 0);
    let next = skip(text, end, WHITESPACE);
    while (next < length && text.charCodeAt(end - 1) === QUOTE && text.charCodeAt(next) === QUOTE) {
      if (cleaned && next - end > 1) break;
      end = skip(text, next, 0);
      next = skip(text, end, WHITESPACE);
    }
    const last = next === length;
    const following = last ? (options.lastWord === "perl" ? END_FOLLOWS : OTHER_FOLLOWS) : followingOf(text, next);
    visit({ text, start, end, first: start === beginning, last, following, origins });
    start = next;
  }
}

/** First index from `index` on whose whitespace bit is not `bit`. */
function skip(text: string, index: number, bit: number): number {
  while (index < text.length && (basicClasses[text.charCodeAt(index)]! & WHITESPACE) === bit) index++;
  return index;
}

function followingOf(text: string, index: number): Following {
  const code = text.codePointAt(index)!;
  if ((classOf(code) & LOWERCASE) !== 0) return LOWERCASE_FOLLOWS;
  return code >= 0x30 && code <= 0x39 ? DIGIT_FOLLOWS : OTHER_FOLLOWS;
}

/** Steps 1 and 2 for a text with control characters: whitespace is collapsed first, so two spaces can remain. */
function deleteControls(text: string): { text: string; origins: Int32Array } {
  const parts: string[] = [];
  const origins: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if ((basicClasses[unit]! & WHITESPACE) !== 0) {
      parts.push(" ");
      origins.push(index);
      index = skip(text, index, WHITESPACE) - 1;
    } else if (unit >= 0x20) {
      parts.push(text[index]!);
      origins.push(index);
    }
  }
  return { text: parts.join(""), origins: Int32Array.from(origins) };
}

/** Steps 4 to 14 for one segment. */
function tokenizeSegment(segment: Segment): MosesToken[] {
  const { text, start, end } = segment;
  const line: Line = { codes: [], origins: [] };
  if (!segment.first) insertSpace(line);
  const literal = text.slice(start, end).includes(MARKER);
  const flags = separateSymbols(segment, line, literal);
  if (!segment.last) insertSpace(line);
  let separated = line;
  if (flags.comma) {
    separated = separateMarks(separated, COMMA, notNumber, undefined, true);
    separated = separateMarks(separated, COMMA, undefined, notNumber, true);
    if (segment.last) separateLastComma(separated);
  }
  if (flags.quote) {
    separated = separateMarks(separated, QUOTE, notAlphabetic, notAlphabetic, true);
    separated = separateMarks(separated, QUOTE, neither, alphabetic, true);
    separated = separateMarks(separated, QUOTE, alphabetic, notAlphabetic, true);
    separated = separateMarks(separated, QUOTE, alphabetic, alphabetic, false);
    separated = separateMarks(separated, QUOTE, number, (code) => code === 0x73, false);
  }
  const words = splitWords(separated.codes);
  return splitPeriods(separated.codes, words, segment).map(([from, to]) =>
    makeToken(separated, from, to, segment, literal),
  );
}

const number = (code: number): boolean => (classOf(code) & NUMBER) !== 0;
const notNumber = (code: number): boolean => (classOf(code) & NUMBER) === 0;
const alphabetic = (code: number): boolean => (classOf(code) & ALPHABETIC) !== 0;
const notAlphabetic = (code: number): boolean => (classOf(code) & ALPHABETIC) === 0;
const neither = (code: number): boolean => (classOf(code) & (ALPHABETIC | NUMBER)) === 0;

/** Steps 4, 5 and 6: spaces around symbols, ` @-@ ` for a dash between letters, runs of dots made safe. */
function separateSymbols(segment: Segment, line: Line, literal: boolean): { comma: boolean; quote: boolean } {
  const { text, start, end } = segment;
  const flags = { comma: false, quote: false };
  let previous = SPACE;
  // Where sacremoses' search for `DOTMULTI.` has already consumed the character that it has to start at.
  let consumed = -1;
  for (let index = start; index < end;) {
    const code = text.codePointAt(index)!;
    const classes = classOf(code);
    const width = code > 0xffff ? 2 : 1;
    if ((classes & ALPHANUMERIC) !== 0) {
      if (literal && code === 0x44 && text.startsWith(`${MARKER}.`, index) && text[index + 9] !== ".") {
        consumed = insertLiteralMarker(line, index, index !== consumed) ? index + 9 : -1;
        index += 9;
        previous = DOT;
        continue;
      }
      append(line, code, index);
    } else if (code === DOT) {
      let stop = index + 1;
      while (stop < end && text.charCodeAt(stop) === DOT) stop++;
      if (stop > index + 1) {
        insertSpace(line);
        for (let dot = index; dot < stop; dot++) append(line, RUN_DOT, dot);
        insertSpace(line);
        if (stop === index + 2) consumed = stop;
        index = stop;
        previous = DOT;
        continue;
      }
      append(line, code, index);
    } else if (code === COMMA || code === QUOTE || code === BACKQUOTE) {
      if (code === COMMA) flags.comma = true;
      if (code === QUOTE) flags.quote = true;
      append(line, code, index);
    } else if (code === DASH) {
      appendDash(line, index, previous, index + 1 < end ? text.codePointAt(index + 1)! : SPACE);
    } else if ((classes & WHITESPACE) !== 0) {
      insertSpace(line);
      index = skip(text, index, WHITESPACE);
      previous = SPACE;
      continue;
    } else {
      insertSpace(line);
      append(line, code, index);
      insertSpace(line);
    }
    previous = code;
    index += width;
  }
  return flags;
}

/** Step 6 for the literal text `DOTMULTI.` that is not part of a run: becomes `DOTDOTMULTI`, later two dots. */
function insertLiteralMarker(line: Line, index: number, spaceAfter: boolean): boolean {
  for (const character of "DOT") append(line, character.charCodeAt(0), index);
  for (let unit = 0; unit < 7; unit++) append(line, MARKER.charCodeAt(unit), index + unit);
  append(line, MARKER.charCodeAt(7), index + 8);
  if (spaceAfter) insertSpace(line);
  return spaceAfter;
}

function appendDash(line: Line, index: number, previous: number, next: number): void {
  if ((classOf(previous) & classOf(next) & ALPHANUMERIC) === 0) {
    append(line, DASH, index);
    return;
  }
  insertSpace(line);
  append(line, AT, index);
  append(line, DASH, index);
  append(line, AT, index);
  insertSpace(line);
}

function append(line: Line, code: number, origin: number): void {
  line.codes.push(code);
  line.origins.push(origin);
}

function insertSpace(line: Line): void {
  append(line, SPACE, -1);
}

/** One substitution `(left)mark(right)` → `\1 mark \2`, from left to right, matches not overlapping. */
function separateMarks(
  line: Line,
  mark: number,
  left: ((code: number) => boolean) | undefined,
  right: ((code: number) => boolean) | undefined,
  spaceAfter: boolean,
): Line {
  const { codes, origins } = line;
  const result: Line = { codes: [], origins: [] };
  for (let index = 0; index < codes.length;) {
    const at = left ? index + 1 : index;
    const matches =
      codes[at] === mark &&
      (!left || left(codes[index]!)) &&
      (!right || (at + 1 < codes.length && right(codes[at + 1]!)));
    if (!matches) {
      append(result, codes[index]!, origins[index]!);
      index++;
      continue;
    }
    if (left) append(result, codes[index]!, origins[index]!);
    insertSpace(result);
    append(result, mark, origins[at]!);
    if (spaceAfter) insertSpace(result);
    if (right) append(result, codes[at + 1]!, origins[at + 1]!);
    index = right ? at + 2 : at + 1;
  }
  return result;
}

/** `(number),$`: a comma that ends the text. */
function separateLastComma({ codes, origins }: Line): void {
  if (codes.at(-1) !== COMMA || codes.length < 2 || notNumber(codes.at(-2)!)) return;
  codes.splice(-1, 0, SPACE);
  origins.splice(-1, 0, -1);
}

type Range = readonly [from: number, to: number];

function splitWords(codes: readonly number[]): Range[] {
  const words: Range[] = [];
  let from = 0;
  for (let index = 0; index <= codes.length; index++) {
    if (index < codes.length && codes[index] !== SPACE) continue;
    if (index > from) words.push([from, index]);
    from = index + 1;
  }
  return words;
}

/** Steps 9 and 11: periods that end a sentence, and `.'` at the end of the text. */
function splitPeriods(codes: readonly number[], words: readonly Range[], segment: Segment): Range[] {
  const result: Range[] = [];
  words.forEach(([from, to], index) => {
    const next = words[index + 1];
    if (codes[to - 1] === DOT && to - from > 1 && !keepsPeriod(codes, from, to - 1, next?.[0], segment)) {
      result.push([from, to - 1], [to - 1, to]);
    } else if (segment.last && !next && codes[to - 1] === QUOTE && codes[to - 2] === DOT && to - from > 1) {
      if (to - 2 > from) result.push([from, to - 2]);
      result.push([to - 2, to - 1], [to - 1, to]);
    } else {
      result.push([from, to]);
    }
  });
  return result;
}

/** Whether the period after the stem `codes[from, to)` belongs to it. */
function keepsPeriod(
  codes: readonly number[],
  from: number,
  to: number,
  next: number | undefined,
  segment: Segment,
): boolean {
  let following = segment.following;
  if (next !== undefined) {
    const code = codes[next]!;
    if ((classOf(code) & LOWERCASE) !== 0) following = LOWERCASE_FOLLOWS;
    else following = code >= 0x30 && code <= 0x39 ? DIGIT_FOLLOWS : OTHER_FOLLOWS;
  }
  if (following === END_FOLLOWS) return false;
  if (following === LOWERCASE_FOLLOWS) return true;
  const stem = codes.slice(from, to);
  if (stem.includes(DOT) && stem.some(alphabetic)) return true;
  if (stem.length > 6) return false;
  const prefix = String.fromCodePoint(...stem);
  return prefixes.has(prefix) || (following === DIGIT_FOLLOWS && prefixesOfNumbers.has(prefix));
}

/** Steps 12 and 13: dots and XML escapes, and where every code unit of the token came from. */
function makeToken(line: Line, from: number, to: number, segment: Segment, literal: boolean): MosesToken {
  const { codes, origins } = line;
  const first = origins[from]!;
  const lastCode = codes[to - 1]!;
  const stop = origins[to - 1]! + (lastCode > 0xffff && lastCode !== RUN_DOT ? 2 : 1);
  let units = 0;
  let escaped = literal || segment.origins !== undefined;
  for (let index = from; index < to; index++) {
    const code = codes[index]!;
    units += code > 0xffff && code !== RUN_DOT ? 2 : 1;
    if (code < 0x80 && escapes.has(code)) escaped = true;
  }
  if (!escaped && units === stop - first) return { text: segment.text.slice(first, stop), start: first, end: stop };
  return makeRewrittenToken(line, from, to, segment, literal);
}

function makeRewrittenToken(line: Line, from: number, to: number, segment: Segment, literal: boolean): MosesToken {
  const original = (offset: number): number => segment.origins?.[offset] ?? offset;
  const pieces: string[] = [];
  let sources: [number, number][] = [];
  for (let index = from; index < to; index++) {
    const code = line.codes[index]!;
    const origin = line.origins[index]!;
    const wide = code > 0xffff && code !== RUN_DOT;
    const piece = code === RUN_DOT ? "." : (escapes.get(code) ?? String.fromCodePoint(code));
    const range: [number, number] = [original(origin), original(origin + (wide ? 1 : 0)) + 1];
    pieces.push(piece);
    for (let unit = 0; unit < piece.length; unit++) sources.push(range);
  }
  let text = pieces.join("");
  if (literal) {
    const restored: [number, number][] = [];
    let done = 0;
    text = text.replace(/(?:DOT)+MULTI/g, (match, at: number) => {
      const range: [number, number] = [sources[at]![0], sources[at + match.length - 1]![1]];
      const dots = (match.length - 5) / 3;
      restored.push(...sources.slice(done, at), ...Array.from({ length: dots }, () => range));
      done = at + match.length;
      return ".".repeat(dots);
    });
    sources = [...restored, ...sources.slice(done)];
  }
  return { text, start: sources[0]![0], end: sources.at(-1)![1], sources };
}
