/**
 * Byte pair encoding as Hugging Face tokenizers 0.22 applies it (models/bpe): a word's characters, or the characters of
 * its bytes, become symbols; of all adjacent pairs that of lowest rank is merged, the leftmost first, until none is left.
 * A character without a symbol falls back to its bytes where the vocabulary has them all, else becomes the unknown token,
 * else is lost. Leaves out dropout, and prefixes and suffixes of pieces.
 */
import { createPairTable, NO_RANK } from "../bpe/bpe.ts";
import { createHeap } from "../heap.ts";
import { createSliceCache } from "../slice-cache.ts";
import { byteCharacters, inByteCharacters } from "./bytes.ts";

/** The "model" of a tokenizer.json. */
export interface BpeModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Pairs of tokens and what they become, by rank. */
  readonly merges: readonly (readonly [left: number, right: number, product: number])[];
  readonly unknownToken: string | undefined;
  /** Neighbouring unknown characters become one token. */
  readonly fuseUnknown: boolean;
  readonly byteFallback: boolean;
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoreMerges: boolean;
}

/** The tokens of a word; places count UTF-16 units from its beginning. */
export interface Pieces {
  readonly ids: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

const CACHED_WORDS = 1 << 16;
/** Up to so many symbols looking through all of them is faster than a heap. */
const SHORT = 48;

/** Symbols of a word under way, by place; `from` and `to` are where they are in the word. */
interface Symbols {
  ids: number[];
  from: number[];
  to: number[];
}

/** A function that gives the tokens of `text.slice(start, end)`; `byBytes`: symbols are characters of bytes. */
export function wordEncoder(model: BpeModel, byBytes: boolean): (text: string, start: number, end: number) => Pieces {
  const { vocabulary, ignoreMerges } = model;
  const symbolsOf = byBytes ? byteSymbols(model) : characterSymbols(model);
  const merge = merger(model);
  const cache = createSliceCache<Pieces>(CACHED_WORDS);

  const compute = (word: string): Pieces => {
    if (ignoreMerges) {
      const id = vocabulary.get(byBytes ? inByteCharacters(word) : word);
      if (id !== undefined) return { ids: [id], starts: [0], ends: [word.length] };
    }
    const { ids, from, to } = merge(symbolsOf(word));
    return { ids, starts: from, ends: to };
  };
  return (text, start, end) => {
    const known = cache.get(text, start, end, 0);
    if (known !== undefined) return known;
    const pieces = compute(text.slice(start, end));
    cache.set(text, start, end, 0, pieces);
    return pieces;
  };
}

/** What a character that is no symbol becomes, as the reference has it. */
function unknownCollector({ vocabulary, unknownToken, fuseUnknown }: BpeModel): {
  add(symbols: Symbols, from: number, to: number): void;
  flush(symbols: Symbols): void;
} {
  const id = unknownToken === undefined ? undefined : vocabulary.get(unknownToken);
  let pending: [from: number, to: number] | undefined;
  const flush = (symbols: Symbols): void => {
    if (pending === undefined) return;
    symbols.ids.push(id!);
    symbols.from.push(pending[0]);
    symbols.to.push(pending[1]);
    pending = undefined;
  };
  return {
    flush,
    add(symbols, from, to) {
      if (id === undefined) return;
      if (pending !== undefined && fuseUnknown) {
        pending[1] = to;
        return;
      }
      flush(symbols);
      pending = [from, to];
    },
  };
}

function byteSymbols(model: BpeModel): (word: string) => Symbols {
  const symbolOfByte = byteCharacters.map((character) => model.vocabulary.get(character) ?? -1);
  const unknown = unknownCollector(model);
  return (word) => {
    const symbols: Symbols = { ids: [], from: [], to: [] };
    const push = (byte: number, from: number, to: number): void => {
      const id = symbolOfByte[byte]!;
      if (id < 0) {
        unknown.add(symbols, from, to);
        return;
      }
      unknown.flush(symbols);
      symbols.ids.push(id);
      symbols.from.push(from);
      symbols.to.push(to);
    };
    for (let from = 0; from < word.length;) {
      const code = word.codePointAt(from)!;
      const to = from + (code > 0xffff ? 2 : 1);
      if (code < 0x80) push(code, from, to);
      else eachByte(code, (byte) => push(byte, from, to));
      from = to;
    }
    unknown.flush(symbols);
    return symbols;
  };
}

function characterSymbols(model: BpeModel): (word: string) => Symbols {
  const { vocabulary, byteFallback } = model;
  const symbolOfCode = new Map<number, number>();
  for (const [token, id] of vocabulary) {
    const code = token.codePointAt(0);
    if (code !== undefined && token.length === (code > 0xffff ? 2 : 1)) symbolOfCode.set(code, id);
  }
  const symbolOfByte = Array.from({ length: 256 }, (_, byte) => vocabulary.get(byteToken(byte)) ?? -1);
  const unknown = unknownCollector(model);
  return (word) => {
    const symbols: Symbols = { ids: [], from: [], to: [] };
    const push = (id: number, from: number, to: number): void => {
      symbols.ids.push(id);
      symbols.from.push(from);
      symbols.to.push(to);
    };
    for (let from = 0; from < word.length;) {
      const code = word.codePointAt(from)!;
      const to = from + (code > 0xffff ? 2 : 1);
      const id = symbolOfCode.get(code);
      if (id !== undefined) {
        unknown.flush(symbols);
        push(id, from, to);
      } else {
        const bytes: number[] = [];
        if (byteFallback) eachByte(code, (byte) => bytes.push(symbolOfByte[byte]!));
        // Unknown characters before them come after them: the reference's order.
        if (bytes.length > 0 && !bytes.includes(-1)) for (const byte of bytes) push(byte, from, to);
        else unknown.add(symbols, from, to);
      }
      from = to;
    }
    unknown.flush(symbols);
    return symbols;
  };
}

/** A byte's token where a vocabulary of characters has tokens for bytes. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

/** The UTF-8 bytes of a code point. */
function eachByte(code: number, visit: (byte: number) => void): void {
  if (code < 0x80) {
    visit(code);
    return;
  }
  const trailing = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  visit(([0xc0, 0xe0, 0xf0][trailing - 1]! | (code >> (6 * trailing))) & 0xff);
  for (let left = trailing - 1; left >= 0; left--) visit(0x80 | ((code >> (6 * left)) & 0x3f));
}

/** A function that merges symbols in place. */
function merger({ merges }: BpeModel): (symbols: Symbols) => Symbols {
  const table = createPairTable(merges.length);
  const products = new Int32Array(merges.length);
  // Of a pair that comes twice, the later rank counts.
  merges.forEach(([left, right, product], rank) => {
    table.set(left, right, rank);
    products[rank] = product;
  });
  const ranks = new Int32Array(SHORT);

  const mergeShort = ({ ids, from, to }: Symbols): void => {
    let length = ids.length;
    for (let at = 0; at + 1 < length; at++) ranks[at] = table.get(ids[at]!, ids[at + 1]!);
    for (;;) {
      let best = NO_RANK;
      let place = 0;
      for (let at = 0; at + 1 < length; at++) {
        if (ranks[at]! >= best) continue;
        best = ranks[at]!;
        place = at;
      }
      if (best === NO_RANK) break;
      ids[place] = products[best]!;
      to[place] = to[place + 1]!;
      length--;
      for (let at = place + 1; at < length; at++) {
        ids[at] = ids[at + 1]!;
        from[at] = from[at + 1]!;
        to[at] = to[at + 1]!;
        ranks[at] = ranks[at + 1]!;
      }
      if (place > 0) ranks[place - 1] = table.get(ids[place - 1]!, ids[place]!);
      if (place + 1 < length) ranks[place] = table.get(ids[place]!, ids[place + 1]!);
    }
    ids.length = length;
    from.length = length;
    to.length = length;
  };

  return (symbols) => {
    if (symbols.ids.length <= SHORT) mergeShort(symbols);
    else mergeLong(symbols, table, products);
    return symbols;
  };
}

const PLACE = 2 ** 26;

/** The same in n log n: entries of a heap are rank and place in one number, and are checked when they come out. */
function mergeLong({ ids, from, to }: Symbols, table: ReturnType<typeof createPairTable>, products: Int32Array): void {
  const { length } = ids;
  const next = Int32Array.from({ length }, (_, at) => at + 1);
  const previous = Int32Array.from({ length }, (_, at) => at - 1);
  const gone = -2;
  const heap = createHeap<number>((a, b) => a < b);
  const offer = (at: number): void => {
    const right = at < 0 ? length : next[at]!;
    if (right >= length) return;
    const rank = table.get(ids[at]!, ids[right]!);
    if (rank !== NO_RANK) heap.push(rank * PLACE + at);
  };
  for (let at = 0; at < length; at++) offer(at);
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const at = top % PLACE;
    const rank = (top - at) / PLACE;
    const right = next[at]!;
    if (right === gone || right >= length || table.get(ids[at]!, ids[right]!) !== rank) continue;
    ids[at] = products[rank]!;
    to[at] = to[right]!;
    next[at] = next[right]!;
    next[right] = gone;
    if (next[at]! < length) previous[next[at]!] = at;
    offer(previous[at]!);
    offer(at);
  }
  let kept = 0;
  for (let at = 0; at < length; at++) {
    if (next[at] === gone) continue;
    ids[kept] = ids[at]!;
    from[kept] = from[at]!;
    to[kept] = to[at]!;
    kept++;
  }
  ids.length = kept;
  from.length = kept;
  to.length = kept;
}
