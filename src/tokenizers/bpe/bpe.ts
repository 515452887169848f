/**
 * Byte pair encoding as fastBPE applies it (Sennrich et al. 2016, arXiv 1508.07909): a word is its code points, the
 * last one with a mark where the vocabulary has one; the adjacent pair of lowest rank is merged wherever it occurs, from
 * left to right, until no pair has a rank. Left out: fastBPE's mode that undoes merges until every piece is in a
 * vocabulary.
 */

export type Merge = readonly [left: string, right: string];

export const NO_RANK = 0x7fffffff;

export interface Bpe {
  /** Cuts a word into pieces; the last one ends in the mark. */
  split(word: string): string[];
  /** Indices in the vocabulary of the same pieces; `unknown` for one that is not in it. */
  encode(word: string, unknown: number): number[];
}

export interface BpeOptions {
  /** What the last piece of every word ends in, such as `</w>`: nothing unless said otherwise. */
  readonly wordEnd?: string;
  readonly vocabulary?: readonly string[];
}

/** Byte pair encoding by these merges, whose rank is their place, into the pieces of a vocabulary. */
export function createBpe(merges: readonly Merge[], { wordEnd = "", vocabulary = [] }: BpeOptions = {}): Bpe {
  // Symbols below vocabulary.length are the vocabulary's own indices.
  const symbols = new Map(vocabulary.map((piece, index) => [piece, index]));
  const intern = (symbol: string): number => {
    const known = symbols.get(symbol);
    if (known !== undefined) return known;
    symbols.set(symbol, symbols.size);
    return symbols.size - 1;
  };
  const ranks = createPairTable(merges.length);
  const products = new Int32Array(merges.length);
  merges.forEach(([left, right], rank) => {
    ranks.set(intern(left), intern(right), rank);
    products[rank] = intern(left + right);
  });
  const { inner, final } = characterSymbols(symbols, wordEnd);
  const cut = (word: string): { ids: number[]; starts: number[] } => {
    const ids: number[] = [];
    const starts: number[] = [];
    for (let index = 0; index < word.length;) {
      const code = word.codePointAt(index)!;
      const next = index + (code > 0xffff ? 2 : 1);
      ids.push((next < word.length ? inner : final).get(code) ?? -1);
      starts.push(index);
      index = next;
    }
    mergeAll(ids, starts, ranks, products);
    return { ids, starts };
  };
  return {
    encode(word, unknown) {
      const { ids } = cut(word);
      for (let index = 0; index < ids.length; index++) {
        if (ids[index]! < 0 || ids[index]! >= vocabulary.length) ids[index] = unknown;
      }
      return ids;
    },
    split(word) {
      const { starts } = cut(word);
      return starts.map((start, index) => {
        return index + 1 < starts.length ? word.slice(start, starts[index + 1]) : word.slice(start) + wordEnd;
      });
    },
  };
}

/** Symbols of one character by code point: inside a word, and at its end. */
function characterSymbols(
  symbols: ReadonlyMap<string, number>,
  wordEnd: string,
): { inner: Map<number, number>; final: Map<number, number> } {
  const inner = new Map<number, number>();
  const final = new Map<number, number>();
  for (const [symbol, id] of symbols) {
    const code = symbol.codePointAt(0);
    if (code === undefined) continue;
    const rest = symbol.slice(code > 0xffff ? 2 : 1);
    if (rest === "") inner.set(code, id);
    if (rest === wordEnd) final.set(code, id);
  }
  return { inner, final };
}

export interface PairTable {
  set(left: number, right: number, value: number): void;
  /** NO_RANK for a pair that was not set. */
  get(left: number, right: number): number;
}

/** Pairs of symbols → rank: open addressing in one typed array, at most half full. */
export function createPairTable(size: number): PairTable {
  const mask = 2 ** Math.ceil(Math.log2(2 * size + 2)) - 1;
  // Three numbers a slot: left, right, rank; left is -1 in an empty slot.
  const slots = new Int32Array(3 * (mask + 1)).fill(-1);
  const find = (left: number, right: number): number => {
    let slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (slots[3 * slot] !== -1 && (slots[3 * slot] !== left || slots[3 * slot + 1] !== right)) {
      slot = (slot + 1) & mask;
    }
    return 3 * slot;
  };
  return {
    set(left, right, value) {
      slots.set([left, right, value], find(left, right));
    },
    get(left, right) {
      if (left < 0 || right < 0) return NO_RANK;
      const slot = find(left, right);
      return slots[slot] === -1 ? NO_RANK : slots[slot + 2]!;
    },
  };
}

/** Merges in place: `ids` are symbols, `starts` where they start in the word. */
function mergeAll(ids: number[], starts: number[], table: PairTable, products: Int32Array): void {
  // ranks[i]: rank of the pair (i, i + 1).
  const ranks = ids.map((id, index) => (index + 1 < ids.length ? table.get(id, ids[index + 1]!) : NO_RANK));
  let length = ids.length;
  for (;;) {
    let best = NO_RANK;
    for (let index = 0; index + 1 < length; index++) if (ranks[index]! < best) best = ranks[index]!;
    if (best === NO_RANK) break;
    let kept = 0;
    let merged = false;
    for (let index = 0; index < length;) {
      const merges = index + 1 < length && ranks[index] === best;
      // Right where the next symbol stays as it is; done again below where it does not.
      const rank = ranks[merges ? index + 1 : index]!;
      ids[kept] = merges ? products[best]! : ids[index]!;
      starts[kept] = starts[index]!;
      if (kept > 0 && (merges || merged)) ranks[kept - 1] = table.get(ids[kept - 1]!, ids[kept]!);
      ranks[kept] = rank;
      merged = merges;
      kept++;
      index += merges ? 2 : 1;
    }
    length = kept;
  }
  ids.length = length;
  starts.length = length;
}

/** Orders strings by code point, which is also the order of their UTF-8 bytes. */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** How often every piece occurs when `bpe` cuts words that occur so often: most frequent first, then by code point. */
export function countPieces(words: ReadonlyMap<string, number>, bpe: Bpe): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const piece of bpe.split(word)) counts.set(piece, (counts.get(piece) ?? 0) + count);
  }
  return new Map([...counts].sort((a, b) => b[1] - a[1] || compareCodePoints(a[0], b[0])));
}
