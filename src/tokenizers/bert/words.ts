/**
 * Text between added tokens → ids and offsets: BertNormalizer, BertPreTokenizer (white space ends words, punctuation is
 * a word), WordPiece. One pass cuts the text at ASCII white space and punctuation and at Han, which no normalization
 * reaches across; what is between is looked up in a bounded cache, and only on a miss normalized and matched.
 */
import { type BertNormalizer, normalizeAligned, type AlignedText } from "./normalizer.ts";
import { characterClasses, PUNCTUATION, SPACE } from "./unicode.ts";
import type { Sink } from "../pair-encoder.ts";
import type { WordPieces } from "./wordpiece.ts";

export interface BertWords {
  /** Appends what `text.slice(start, end)` gives. */
  encode(text: string, start: number, end: number, sink: Sink): void;
  /** The same for a part of text that is normalized already. */
  encodeAligned(aligned: AlignedText, start: number, end: number, sink: Sink): void;
}

interface Chunk {
  readonly ids: readonly number[];
  /** Flat, from the chunk's beginning. */
  readonly offsets: readonly number[];
}

const cacheEntries = 1 << 15; // a generation; two are kept
const longestCached = 48; // UTF-16 units

const wordCharacter = 0;
const asciiSpace = 1;
const asciiPunctuation = 2;
const ascii = new Uint8Array(128);
for (const character of " \t\n\r") ascii[character.charCodeAt(0)] = asciiSpace;
for (const character of "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") ascii[character.charCodeAt(0)] = asciiPunctuation;
const plain = /^[0-9A-Za-z]*$/;

const firstHan = 0x3400;

/** Han of the basic plane: normalization does not reach across its beginning, since a space is put there. */
function isHan(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= firstHan && code <= 0x4dbf);
}

/** The scanner for one normalizer and vocabulary. */
export function bertWords(normalizer: BertNormalizer, pieces: WordPieces): BertWords {
  const { handleChineseChars } = normalizer;
  let recent = new Map<string, Chunk>();
  let older = new Map<string, Chunk>();
  const punctuationIds = Array.from({ length: 128 }, (_, code) => {
    const ids: number[] = [];
    if (ascii[code] === asciiPunctuation) pieces(String.fromCharCode(code), ids, []);
    return ids[0];
  });
  const pieceIds: number[] = [];
  const pieceEnds: number[] = [];

  const encodeAligned = (aligned: AlignedText, start: number, end: number, sink: Sink): void => {
    const { starts, ends } = aligned;
    eachWord(aligned.text, start, end, (wordStart, wordEnd) => {
      pieceIds.length = 0;
      pieceEnds.length = 0;
      pieces(aligned.text.slice(wordStart, wordEnd), pieceIds, pieceEnds);
      let from = wordStart;
      for (let i = 0; i < pieceIds.length; i++) {
        const to = wordStart + pieceEnds[i]!;
        sink.ids.push(pieceIds[i]!);
        sink.offsets?.push(starts[from]!, ends[to - 1]!);
        from = to;
      }
    });
  };

  const computeChunk = (chunk: string): Chunk => {
    const ids: number[] = [];
    const offsets: number[] = [];
    if (plain.test(chunk)) {
      const ends: number[] = [];
      pieces(normalizer.lowercase ? chunk.toLowerCase() : chunk, ids, ends);
      for (let i = 0; i < ends.length; i++) offsets.push(ends[i - 1] ?? 0, ends[i]!);
    } else {
      const aligned = normalizeAligned(chunk, 0, chunk.length, normalizer);
      encodeAligned(aligned, 0, aligned.text.length, { ids, offsets });
    }
    return { ids, offsets };
  };

  const lookUp = (chunk: string): Chunk => {
    const known = recent.get(chunk);
    if (known !== undefined) return known;
    const found = older.get(chunk) ?? computeChunk(chunk);
    if (chunk.length > longestCached) return found;
    if (recent.size >= cacheEntries) {
      older = recent;
      recent = new Map();
    }
    recent.set(copied(chunk), found);
    return found;
  };

  const encode = (text: string, start: number, end: number, sink: Sink): void => {
    const { ids, offsets } = sink;
    let at = start;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (code < 128 && ascii[code] !== wordCharacter) {
        if (ascii[code] === asciiPunctuation) {
          ids.push(punctuationIds[code]!);
          offsets?.push(at, at + 1);
        }
        at += 1;
        continue;
      }
      const first = at;
      at += 1;
      for (; at < end; at++) {
        const next = text.charCodeAt(at);
        if (next < 128 ? ascii[next] !== wordCharacter : next >= firstHan && handleChineseChars && isHan(next)) break;
      }
      const chunk = lookUp(text.slice(first, at));
      for (let i = 0; i < chunk.ids.length; i++) ids.push(chunk.ids[i]!);
      if (offsets === undefined) continue;
      for (let i = 0; i < chunk.offsets.length; i++) offsets.push(first + chunk.offsets[i]!);
    }
  };

  return { encode, encodeAligned };
}

/** BertPreTokenizer over normalized text. */
function eachWord(text: string, start: number, end: number, word: (start: number, end: number) => void): void {
  const classes = characterClasses();
  let first = start;
  for (let at = start; at < end;) {
    const code = text.codePointAt(at)!;
    const next = at + (code > 0xffff ? 2 : 1);
    const kind = classes[code]!;
    if ((kind & (SPACE | PUNCTUATION)) !== 0) {
      if (first < at) word(first, at);
      if ((kind & PUNCTUATION) !== 0) word(at, next);
      first = next;
    }
    at = next;
  }
  if (first < end) word(first, end);
}

/** A copy that does not keep alive the text that the chunk was cut from, as an engine's slice does. */
function copied(chunk: string): string {
  const units: number[] = [];
  for (let i = 0; i < chunk.length; i++) units.push(chunk.charCodeAt(i));
  return String.fromCharCode(...units);
}
