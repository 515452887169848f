/**
 * Byte pair encoding as fastBPE applies it (Sennrich et al. 2016, arXiv 1508.07909): a word is its code points, the
 * last one marked `</w>`; the adjacent pair of lowest rank is merged wherever it occurs, from left to right, until no
 * pair has a rank. Left out: fastBPE's mode that takes merges apart again until every piece is in a vocabulary.
 */

export type Merge = readonly [left: string, right: string];

/** Ends the last piece of every word. */
export const WORD_END = "</w>";

const NO_RANK = 0x7fffffff;
/** Above any count of symbols; two symbols make one exact number. */
const PAIR = 1 << 26;

/** Returns the function that cuts a word into pieces; the last one ends in `</w>`. Rank is the place in `merges`. */
export function createBpe(merges: readonly Merge[]): (word: string) => string[] {
  const symbols = new Map<string, number>();
  const intern = (symbol: string): number => {
    const known = symbols.get(symbol);
    if (known !== undefined) return known;
    symbols.set(symbol, symbols.size);
    return symbols.size - 1;
  };
  const ranks = new Map<number, number>();
  const products = new Int32Array(merges.length);
  merges.forEach(([left, right], rank) => {
    ranks.set(intern(left) * PAIR + intern(right), rank);
    products[rank] = intern(left + right);
  });
  const rankOf = (left: number, right: number): number =>
    left < 0 || right < 0 ? NO_RANK : (ranks.get(left * PAIR + right) ?? NO_RANK);

  return (word) => {
    const characters = Array.from(word);
    if (characters.length === 0) return [];
    const ids = characters.map((character, index) => {
      return symbols.get(index === characters.length - 1 ? character + WORD_END : character) ?? -1;
    });
    return mergeAll(characters, ids, rankOf, products);
  };
}

function mergeAll(
  characters: readonly string[],
  ids: number[],
  rankOf: (left: number, right: number) => number,
  products: Int32Array,
): string[] {
  // starts[i]: index of the first character of symbol i; ranks[i]: rank of the pair (i, i + 1).
  const starts = ids.map((_, index) => index);
  const ranks = ids.map((id, index) => (index + 1 < ids.length ? rankOf(id, ids[index + 1]!) : NO_RANK));
  let length = ids.length;
  for (;;) {
    let best = NO_RANK;
    for (let index = 0; index + 1 < length; index++) if (ranks[index]! < best) best = ranks[index]!;
    if (best === NO_RANK) break;
    let kept = 0;
    let merged = false;
    for (let index = 0; index < length;) {
      const merges = index + 1 < length && ranks[index] === best;
      const rank = ranks[merges ? index + 1 : index]!;
      ids[kept] = merges ? products[best]! : ids[index]!;
      starts[kept] = starts[index]!;
      if (kept > 0 && (merges || merged)) ranks[kept - 1] = rankOf(ids[kept - 1]!, ids[kept]!);
      // Right where the next symbol stays as it is; done again above where it does not.
      ranks[kept] = rank;
      merged = merges;
      kept++;
      index += merges ? 2 : 1;
    }
    length = kept;
  }
  return Array.from({ length }, (_, index) => {
    const last = index === length - 1;
    const piece = characters.slice(starts[index], last ? undefined : starts[index + 1]).join("");
    return last ? piece + WORD_END : piece;
  });
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
export function countPieces(words: ReadonlyMap<string, number>, bpe: (word: string) => string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const piece of bpe(word)) counts.set(piece, (counts.get(piece) ?? 0) + count);
  }
  return new Map([...counts].sort((a, b) => b[1] - a[1] || compareCodePoints(a[0], b[0])));
}
