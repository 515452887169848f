/**
 * Learns byte pair encoding from word counts (Sennrich et al. 2016, arXiv 1508.07909; fastBPE's learnbpe): the most
 * frequent adjacent pair becomes a symbol, again and again. Counts of pairs are kept up to date word by word, the most
 * frequent one comes from a heap whose entries are corrected when they reach the top. Ties, which fastBPE breaks by
 * hash order, go to the symbols that are older, and among characters to the lower code points.
 */
import { ConfigError } from "../../errors.ts";
import { createHeap, type Heap } from "../heap.ts";
import { type Merge, compareCodePoints } from "./bpe.ts";

export interface LearnedMerges {
  readonly merges: Merge[];
  /** How often each pair occurred when it was merged. */
  readonly counts: number[];
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Indices of words that hold the pair, or held it. */
  readonly words: number[];
}

interface Entry {
  readonly pair: Pair;
  readonly count: number;
}

const PAIR = 1 << 26;

export interface LearnBpeOptions {
  /** Least frequency of a pair that is merged; 1 unless said otherwise. */
  readonly minCount?: number;
  /** Marks the last character of a word: see `createBpe`. */
  readonly wordEnd?: string;
  /** The symbols of a word that learning goes on from; its characters unless said otherwise. */
  readonly split?: (word: string) => readonly string[];
  /** What two symbols become: one behind the other unless said otherwise. */
  readonly join?: (left: string, right: string) => string;
  /** Whether a pair may become this symbol: any unless said otherwise. */
  readonly allows?: (product: string) => boolean;
  /** With a pair every other merges that becomes the same symbol, as SentencePiece has it; `merges` names the first. */
  readonly closed?: boolean;
}

/**
 * The `numMerges` merges learned from words and how often each occurs; fewer when no pair occurs `minCount` times.
 * @throws ConfigError when `numMerges` or `minCount` is no whole number in range.
 */
export function learnBpe(
  words: ReadonlyMap<string, number>,
  numMerges: number,
  options: LearnBpeOptions = {},
): LearnedMerges {
  const { minCount = 1, wordEnd = "", join = (left, right) => left + right, allows = () => true } = options;
  if (!Number.isSafeInteger(numMerges) || numMerges < 0) {
    throw new ConfigError(`learnBpe: numMerges expected a whole number of 0 or more, got ${numMerges}`);
  }
  if (!Number.isSafeInteger(minCount) || minCount < 1) {
    throw new ConfigError(`learnBpe: minCount expected a whole number of 1 or more, got ${minCount}`);
  }
  const { symbols, sequences, counts } = splitWords(words, options.split ?? ((word) => characters(word, wordEnd)));
  const pairs = countPairs(sequences, counts);
  const heap = createHeap(precedes);
  for (const pair of pairs.values()) heap.push({ pair, count: pair.count });
  const ids = new Map(symbols.map((symbol, id) => [symbol, id]));
  const learned: LearnedMerges = { merges: [], counts: [] };
  while (learned.merges.length < numMerges) {
    const pair = mostFrequent(heap);
    if (!pair || pair.count < minCount) break;
    const left = symbols[pair.left]!;
    const right = symbols[pair.right]!;
    const product = join(left, right);
    if (!allows(product)) continue;
    learned.merges.push([left, right]);
    learned.counts.push(pair.count);
    let merged = ids.get(product);
    if (merged === undefined) {
      merged = symbols.push(product) - 1;
      ids.set(product, merged);
    }
    for (const one of options.closed === true ? pairsOf(product, ids, pairs) : [pair]) {
      for (const changed of mergePair(one, merged, sequences, counts, pairs)) {
        heap.push({ pair: changed, count: changed.count });
      }
    }
  }
  return learned;
}

/** All pairs that become this symbol, that with the longer left part first. */
function* pairsOf(
  product: string,
  ids: ReadonlyMap<string, number>,
  pairs: ReadonlyMap<number, Pair>,
): Generator<Pair> {
  for (let cut = product.length - 1; cut > 0; cut--) {
    const [left, right] = [ids.get(product.slice(0, cut)), ids.get(product.slice(cut))];
    const pair = left === undefined || right === undefined ? undefined : pairs.get(left * PAIR + right);
    if (pair !== undefined) yield pair;
  }
}

function characters(word: string, wordEnd: string): string[] {
  const split = Array.from(word);
  split[split.length - 1] += wordEnd;
  return split;
}

function splitWords(
  words: ReadonlyMap<string, number>,
  split: (word: string) => readonly string[],
): {
  symbols: string[];
  sequences: number[][];
  counts: number[];
} {
  const found = new Set<string>();
  const spelled: (readonly string[])[] = [];
  const counts: number[] = [];
  for (const [word, count] of words) {
    if (word === "") continue;
    const own = split(word);
    for (const symbol of own) found.add(symbol);
    spelled.push(own);
    counts.push(count);
  }
  const symbols = [...found].sort(compareCodePoints);
  const ids = new Map(symbols.map((symbol, id) => [symbol, id]));
  return { symbols, sequences: spelled.map((own) => own.map((symbol) => ids.get(symbol)!)), counts };
}

function countPairs(sequences: readonly number[][], counts: readonly number[]): Map<number, Pair> {
  const pairs = new Map<number, Pair>();
  sequences.forEach((sequence, word) => {
    for (let index = 0; index + 1 < sequence.length; index++) {
      addToPair(pairs, sequence[index]!, sequence[index + 1]!, word, counts[word]!);
    }
  });
  return pairs;
}

function addToPair(pairs: Map<number, Pair>, left: number, right: number, word: number, count: number): Pair {
  const key = left * PAIR + right;
  let pair = pairs.get(key);
  if (!pair) {
    pair = { left, right, count: 0, words: [] };
    pairs.set(key, pair);
  }
  pair.count += count;
  if (pair.words.at(-1) !== word) pair.words.push(word);
  return pair;
}

function takeFromPair(pairs: Map<number, Pair>, left: number, right: number, count: number): void {
  const key = left * PAIR + right;
  const pair = pairs.get(key)!;
  pair.count -= count;
  if (pair.count === 0) pairs.delete(key);
}

/** Merges the pair in every word that holds it; returns the pairs that became more frequent. */
function mergePair(
  merging: Pair,
  merged: number,
  sequences: readonly number[][],
  counts: readonly number[],
  pairs: Map<number, Pair>,
): Set<Pair> {
  const { left, right } = merging;
  const changed = new Set<Pair>();
  for (const word of merging.words) {
    const sequence = sequences[word]!;
    const count = counts[word]!;
    let kept = 0;
    for (let index = 0; index < sequence.length; kept++) {
      if (sequence[index] !== left || sequence[index + 1] !== right) {
        sequence[kept] = sequence[index++]!;
        continue;
      }
      takeFromPair(pairs, left, right, count);
      if (kept > 0) {
        takeFromPair(pairs, sequence[kept - 1]!, left, count);
        changed.add(addToPair(pairs, sequence[kept - 1]!, merged, word, count));
      }
      if (index + 2 < sequence.length) {
        takeFromPair(pairs, right, sequence[index + 2]!, count);
        changed.add(addToPair(pairs, merged, sequence[index + 2]!, word, count));
      }
      sequence[kept] = merged;
      index += 2;
    }
    sequence.length = kept;
  }
  return changed;
}

function mostFrequent(heap: Heap<Entry>): Pair | undefined {
  for (;;) {
    const top = heap.pop();
    if (!top || top.count === top.pair.count) return top?.pair;
    if (top.pair.count > 0 && top.pair.count < top.count) heap.push({ pair: top.pair, count: top.pair.count });
  }
}

/** The more frequent pair first, then the one of older symbols. */
function precedes(a: Entry, b: Entry): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.pair.left === b.pair.left ? a.pair.right < b.pair.right : a.pair.left < b.pair.left;
}
