/**
 * Learns byte pair encoding from word counts as the trainer of Hugging Face tokenizers does (BpeTrainer, which its
 * WordPieceTrainer runs too): the vocabulary is special tokens, alphabet, then all products in the order in which they
 * came up. Its bookkeeping is followed to the letter (a pair keeps its count after its merge, and merges only in the words
 * known when it was queued), since the order of merges depends on it. Where that trainer follows the order of a hash map
 * (ids of characters with a prefix, characters of equal count at the alphabet's limit), the lower code point comes first.
 */
import { ConfigError } from "../../errors.ts";
import { createHeap } from "../heap.ts";
import type { Merge } from "./bpe.ts";

export interface BpeTraining {
  /** Tokens to stop at; special tokens and alphabet are kept even where they are more. */
  readonly vocabSize: number;
  /** Pairs that occur less often are not merged: 0. */
  readonly minFrequency?: number;
  /** The most frequent characters to keep: all. Others are left out of their words. */
  readonly limitAlphabet?: number;
  /** First in the vocabulary. */
  readonly specialTokens?: readonly string[];
  /** Characters that are in the alphabet whether they occur or not. */
  readonly alphabet?: readonly string[];
  /** What characters inside a word begin with: nothing. */
  readonly prefix?: string;
}

export interface TrainedBpe {
  /** By id. */
  readonly tokens: readonly string[];
  readonly merges: readonly Merge[];
}

/** A pair of symbols waiting for its merge. */
interface Entry {
  readonly left: number;
  readonly right: number;
  count: number;
  readonly words: ReadonlySet<number>;
}

interface Vocabulary {
  readonly tokens: string[];
  idOf(token: string): number;
}

/** @throws ConfigError for options out of range. */
export function trainBpe(wordCounts: ReadonlyMap<string, number>, options: BpeTraining): TrainedBpe {
  const { vocabSize, minFrequency = 0, limitAlphabet = Number.MAX_SAFE_INTEGER, prefix = "" } = options;
  for (const [name, value] of Object.entries({ vocabSize, minFrequency, limitAlphabet })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new ConfigError(`${name}: expected a whole number from 0, got ${value}`);
  }
  const vocabulary = emptyVocabulary();
  for (const token of options.specialTokens ?? []) vocabulary.idOf(token);
  const counts = [...wordCounts.values()];
  const frequency = new Map((options.alphabet ?? []).map((character) => [character, Number.MAX_SAFE_INTEGER]));
  const words = spell([...wordCounts.keys()], counts, frequency, { limitAlphabet, prefix }, vocabulary);
  const merges = mergePairs(words, counts, vocabulary, { vocabSize, minFrequency, prefix });
  return { tokens: vocabulary.tokens, merges };
}

function emptyVocabulary(): Vocabulary {
  const tokens: string[] = [];
  const ids = new Map<string, number>();
  const idOf = (token: string): number => {
    let id = ids.get(token);
    if (id === undefined) {
      id = tokens.push(token) - 1;
      ids.set(token, id);
    }
    return id;
  };
  return { tokens, idOf };
}

function byCodePoint(a: string, b: string): number {
  return a.codePointAt(0)! - b.codePointAt(0)!;
}

/** Puts the alphabet into the vocabulary; gives each word as ids of its characters. */
function spell(
  words: readonly string[],
  counts: readonly number[],
  frequency: Map<string, number>,
  { limitAlphabet, prefix }: { readonly limitAlphabet: number; readonly prefix: string },
  vocabulary: Vocabulary,
): number[][] {
  for (const [i, word] of words.entries()) {
    for (const character of word) frequency.set(character, (frequency.get(character) ?? 0) + counts[i]!);
  }
  const kept = [...frequency.keys()]
    .sort((a, b) => frequency.get(b)! - frequency.get(a)! || byCodePoint(a, b))
    .slice(0, limitAlphabet)
    .sort(byCodePoint);
  const alphabet = new Set(kept);
  for (const character of kept) vocabulary.idOf(character);
  const inside = new Set<string>();
  for (const word of prefix === "" ? [] : words) {
    for (const character of [...word].slice(1)) if (alphabet.has(character)) inside.add(character);
  }
  for (const character of [...inside].sort(byCodePoint)) vocabulary.idOf(prefix + character);
  return words.map((word) =>
    Array.from(word, (character, i) =>
      alphabet.has(character) ? vocabulary.idOf(i > 0 ? prefix + character : character) : -1,
    ).filter((id) => id >= 0),
  );
}

const pairRange = 2 ** 26; // more than any vocabulary has symbols; two of them fit in a double

function mergePairs(
  words: number[][],
  counts: readonly number[],
  vocabulary: Vocabulary,
  {
    vocabSize,
    minFrequency,
    prefix,
  }: { readonly vocabSize: number; readonly minFrequency: number; readonly prefix: string },
): Merge[] {
  const { tokens } = vocabulary;
  const merges: Merge[] = [];
  const pairCounts = new Map<number, number>();
  const heap = createHeap(precedes);
  let found = new Map<number, Set<number>>();
  const change = (left: number, right: number, word: number, sign: 1 | -1): void => {
    const key = left * pairRange + right;
    pairCounts.set(key, (pairCounts.get(key) ?? 0) + sign * counts[word]!);
    if (sign < 0) return;
    const places = found.get(key);
    if (places === undefined) found.set(key, new Set([word]));
    else places.add(word);
  };
  const queueFound = (): void => {
    for (const [key, places] of found) {
      const count = pairCounts.get(key)!;
      const right = key % pairRange;
      if (count > 0) heap.push({ left: (key - right) / pairRange, right, count, words: places });
    }
    found = new Map();
  };

  for (const [index, word] of words.entries()) {
    for (let i = 0; i + 1 < word.length; i++) change(word[i]!, word[i + 1]!, index, 1);
  }
  queueFound();
  while (tokens.length < vocabSize) {
    const top = heap.pop();
    if (top === undefined) break;
    const { left, right } = top;
    const count = pairCounts.get(left * pairRange + right)!;
    if (top.count !== count) {
      top.count = count;
      heap.push(top);
      continue;
    }
    if (count < 1 || minFrequency > count) break;
    const ending = tokens[right]!;
    merges.push([tokens[left]!, ending]);
    const merged = vocabulary.idOf(tokens[left]! + (ending.startsWith(prefix) ? ending.slice(prefix.length) : ending));
    for (const word of top.words) {
      mergeIn(words[word]!, left, right, merged, (a, b, sign) => change(a, b, word, sign));
    }
    queueFound();
  }
  return merges;
}

/** Replaces the pair in one word, from the left, in place, and reports the pairs that went and came. */
function mergeIn(
  word: number[],
  left: number,
  right: number,
  merged: number,
  change: (left: number, right: number, sign: 1 | -1) => void,
): void {
  let kept = 0;
  for (let i = 0; i < word.length; kept++) {
    if (word[i] !== left || word[i + 1] !== right) {
      word[kept] = word[i++]!;
      continue;
    }
    if (kept > 0) {
      change(word[kept - 1]!, left, -1);
      change(word[kept - 1]!, merged, 1);
    }
    if (i + 2 < word.length) {
      change(right, word[i + 2]!, -1);
      change(merged, word[i + 2]!, 1);
    }
    word[kept] = merged;
    i += 2;
  }
  word.length = kept;
}

/** The more frequent pair first, then the one of older symbols. */
function precedes(a: Entry, b: Entry): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.left === b.left ? a.right < b.right : a.left < b.left;
}
