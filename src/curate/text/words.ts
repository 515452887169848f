/**
 * Words and sentences of a text as spaCy's blank English pipeline with its sentencizer gives them, which datatrove's filters and
 * MinHash count by (`split_into_words`, `split_into_sentences`; datatrove 0.10, spaCy 3.8). Chunks between white space are
 * cut once and remembered (`tokens.ts`); special words that only appear once a text is cut are found as spaCy's matcher finds
 * them, among all of its tokens. Left out: other languages.
 */
import { isSpace, sentenceEnds } from "./characters.ts";
import { createChunkCache, firstHash, nextHash } from "./chunk-cache.ts";
import { specials } from "./special-words.ts";
import { chunkTokens, hasAffix } from "./tokens.ts";

/** A chunk cut into tokens. */
interface Cut {
  readonly tokens: readonly string[];
  /** Whether its tokens hold a special word that is cut in another way. */
  readonly holdsSpecial: boolean;
}

/** Chunks that are one token are that token. */
const cuts = createChunkCache<string | Cut>(19);
const longestKept = 48;

/** How text[start, end), which has no white space, is cut. */
function cutOf(text: string, start: number, end: number, hash: number): string | Cut {
  const known = cuts.find(text, start, end, hash);
  if (known !== undefined) return known;
  const slice = text.slice(start, end);
  const isKept = slice.length <= longestKept;
  // A slice would keep the whole text that it was cut from in memory.
  const chunk = isKept ? Buffer.from(slice, "utf16le").toString("utf16le") : slice;
  const tokens = specials.get(chunk) ?? chunkTokens(chunk);
  const cut = tokens.length === 1 ? chunk : { tokens, holdsSpecial: specialSpans(tokens).some(isOtherwise) };
  if (isKept) cuts.add(text, start, end, hash, cut);
  return cut;
}

/** Special words with affixes, by the first of the tokens that they are cut into where nothing is special. */
const sequences = new Map<string, string[][]>();
for (const word of specials.keys()) {
  if (!hasAffix(word)) continue;
  const tokens = chunkTokens(word, false);
  sequences.set(tokens[0]!, [...(sequences.get(tokens[0]!) ?? []), tokens]);
}

interface SpecialSpan {
  readonly start: number;
  readonly end: number;
  /** What it is cut into; undefined where white space parts what would be a special word. */
  readonly tokens: readonly string[] | undefined;
  readonly matched: readonly string[];
}

const isOtherwise = ({ tokens, matched }: SpecialSpan): boolean =>
  tokens !== undefined && tokens.join("\n") !== matched.join("\n");

/** Where tokens are those of a special word; of those that overlap the longest, then the first (spaCy's `_filter_special_spans`). */
function specialSpans(tokens: readonly string[], starts?: readonly number[]): SpecialSpan[] {
  const found: SpecialSpan[] = [];
  for (const [start, token] of tokens.entries()) {
    for (const matched of sequences.get(token) ?? []) {
      if (!matched.every((one, i) => tokens[start + i] === one)) continue;
      const end = start + matched.length;
      const joined =
        starts === undefined ||
        matched.every(
          (one, i) => i + 1 === matched.length || starts[start + i]! + one.length === starts[start + i + 1],
        );
      found.push({ start, end, tokens: joined ? specials.get(matched.join("")) : undefined, matched });
    }
  }
  found.sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  const seen = new Set<number>();
  const kept = found.filter(({ start, end }) => {
    const free = !seen.has(start) && !seen.has(end - 1);
    for (let i = start; i < end; i++) seen.add(i);
    return free;
  });
  return kept.sort((a, b) => a.start - b.start);
}

export interface Tokens {
  /** White space that is a token too: all but single spaces. */
  readonly tokens: readonly string[];
  /** Where each begins, in UTF-16 units. */
  readonly starts: readonly number[];
}

/** All tokens of a text, with places. */
export function tokensOf(text: string): Tokens {
  const tokens: string[] = [];
  const starts: number[] = [];
  let holdsSpecial = false;
  const add = (from: number, to: number, hash: number, space: boolean): void => {
    const cut = space ? text.slice(from, to) : cutOf(text, from, to, hash);
    if (typeof cut === "string") {
      tokens.push(cut);
      starts.push(from);
      return;
    }
    if (cut.holdsSpecial) holdsSpecial = true;
    let at = from;
    for (const token of cut.tokens) {
      tokens.push(token);
      starts.push(at);
      at += token.length;
    }
  };
  let start = 0;
  let hash = firstHash;
  let inSpace = isSpace(text.charCodeAt(0));
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isSpace(unit) !== inSpace) {
      if (start < i) add(start, i, hash, inSpace);
      start = unit === 0x20 ? i + 1 : i;
      inSpace = !inSpace;
      hash = firstHash;
    }
    hash = nextHash(hash, unit);
  }
  if (start < text.length) add(start, text.length, hash, inSpace);
  return holdsSpecial ? withSpecials(tokens, starts) : { tokens, starts };
}

function withSpecials(tokens: readonly string[], starts: readonly number[]): Tokens {
  const changed: string[] = [];
  const places: number[] = [];
  let next = 0;
  const copy = (to: number): void => {
    for (; next < to; next++) {
      changed.push(tokens[next]!);
      places.push(starts[next]!);
    }
  };
  for (const { start, end, tokens: parts } of specialSpans(tokens, starts)) {
    copy(start);
    let at = starts[start]!;
    for (const part of parts ?? []) {
      changed.push(part);
      places.push(at);
      at += part.length;
    }
    if (parts !== undefined) next = end;
  }
  copy(tokens.length);
  return { tokens: changed, starts: places };
}

/** The words of a text: its tokens without white space. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const { length } = text;
  for (let i = 0; i < length;) {
    while (i < length && isSpace(text.charCodeAt(i))) i += 1;
    const start = i;
    let hash = firstHash;
    for (let unit = text.charCodeAt(i); i < length && !isSpace(unit); unit = text.charCodeAt(i)) {
      hash = nextHash(hash, unit);
      i += 1;
    }
    if (start === i) break;
    const cut = cutOf(text, start, i, hash);
    if (typeof cut === "string") words.push(cut);
    else if (cut.holdsSpecial) return tokensOf(text).tokens.filter((token) => !isSpace(token.charCodeAt(0)));
    else for (const token of cut.tokens) words.push(token);
  }
  return words;
}

const isPunctuation = /^\p{P}*$/u;

/** Where each sentence ends, in UTF-16 units: behind its last token. Of a text without tokens there is none. */
function sentenceBounds(text: string): number[] {
  const { tokens, starts } = tokensOf(text);
  const ends: number[] = [];
  let ended = false;
  for (const [i, token] of tokens.entries()) {
    const isEnd = sentenceEnds.has(token);
    if (isEnd) ended = true;
    else if (ended && !isPunctuation.test(token)) {
      ends.push(starts[i - 1]! + tokens[i - 1]!.length);
      ended = false;
    }
  }
  return ends;
}

/** The sentences of a text, one after the other all of it: white space between them begins the next. */
export function splitBySentencizer(text: string): string[] {
  let start = 0;
  return [...sentenceBounds(text), text.length].map((end) => text.slice(start, (start = end)));
}

/** How many there are; an empty text counts as one, as in datatrove. */
export function countSentences(text: string): number {
  return sentenceBounds(text).length + 1;
}
