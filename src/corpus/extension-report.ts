/**
 * What a larger vocabulary changes, measured on texts that it was not learned from: how many tokens a word takes (fertility),
 * pieces of a domain's words (MEDVOC's fragment score, Balde et al. 2024, arXiv:2405.04163), which texts keep their ids, and
 * whether texts come back as they were.
 */
import type { AddedPiece, Extended, Tokenizer } from "../tokenizers/tokenizer.ts";
import { textWith } from "../tokenizers/reach.ts";
import { countWords } from "./text.ts";

/** A figure of the base's tokenizer, and of the one with more tokens. */
export interface Change {
  readonly before: number;
  readonly after: number;
}

export interface TextFigures {
  /** What line breaks separate. */
  readonly texts: number;
  /** Separated by white space. */
  readonly words: number;
  readonly tokens: Change;
  readonly tokensPerWord: Change;
  /** Share of the base's tokens that are still there. */
  readonly kept: number;
  /** Share of the texts whose ids are the same. */
  readonly unchanged: number;
  /** Share of the texts that decoding gives back as they were. */
  readonly roundTrips: Change;
}

export interface ExtensionReport {
  readonly family: string;
  readonly vocabSize: Change;
  /** Of texts that are held out; undefined where none is. */
  readonly domain: TextFigures | undefined;
  readonly general: TextFigures | undefined;
  /** Different words of the domain's texts that the general ones do not have, and how many pieces one has on average. */
  readonly domainWords: { readonly words: number; readonly pieces: Change } | undefined;
  /** New tokens that no text was found to give, neither those learned from nor their own letters. */
  readonly dead: readonly string[];
  /** New tokens that the texts learned from never give by themselves: steps to longer ones, which other texts may give. */
  readonly steps: readonly string[];
  /** Those that the texts learned from give most often. */
  readonly mostUsed: readonly AddedPiece[];
}

interface Texts {
  readonly domain: readonly string[];
  readonly general: readonly string[];
}

/** How many of the most used new tokens are listed. */
const listed = 20;

/** Compares a tokenizer with the one that it was extended from. */
export function reportExtension(base: Tokenizer, { tokenizer, added }: Extended, texts: Texts): ExtensionReport {
  const unused = added.filter(({ count }) => count === 0);
  const dead = unused.filter((piece) => textWith(tokenizer, piece) === undefined);
  return {
    family: base.family,
    vocabSize: { before: base.vocabSize, after: tokenizer.vocabSize },
    domain: figuresOf(base, tokenizer, texts.domain),
    general: figuresOf(base, tokenizer, texts.general),
    domainWords: fragmentsOf(base, tokenizer, texts),
    dead: dead.map(({ token }) => token),
    steps: unused.filter((piece) => !dead.includes(piece)).map(({ token }) => token),
    mostUsed: [...added].sort((a, b) => b.count - a.count || a.id - b.id).slice(0, listed),
  };
}

function figuresOf(base: Tokenizer, extended: Tokenizer, texts: readonly string[]): TextFigures | undefined {
  let words = 0;
  let [unchanged, kept, count] = [0, 0, 0];
  const tokens = { before: 0, after: 0 };
  const backAgain = { before: 0, after: 0 };
  const frame = base.frame.before.length + base.frame.after.length;
  for (const text of texts.flatMap((whole) => whole.split(/[\r\n]+/)).filter((part) => part.trim() !== "")) {
    const [before, after] = [base.encodeIds(text), extended.encodeIds(text)];
    count += 1;
    kept += after.filter((id) => id < base.vocabSize).length - frame;
    words += countWords(text.trim());
    tokens.before += before.length - frame;
    tokens.after += after.length - frame;
    if (before.length === after.length && before.every((id, i) => id === after[i])) unchanged += 1;
    if (base.decode(before, { skipSpecialTokens: true }) === text) backAgain.before += 1;
    if (extended.decode(after, { skipSpecialTokens: true }) === text) backAgain.after += 1;
  }
  if (count === 0) return undefined;
  const over = ({ before, after }: Change, all: number): Change => ({ before: before / all, after: after / all });
  return {
    texts: count,
    words,
    tokens,
    tokensPerWord: over(tokens, words),
    kept: kept / tokens.before,
    unchanged: unchanged / count,
    roundTrips: over(backAgain, count),
  };
}

function fragmentsOf(base: Tokenizer, extended: Tokenizer, { domain, general }: Texts): ExtensionReport["domainWords"] {
  const usual = wordsIn(general);
  const words = [...wordsIn(domain)].filter((word) => !usual.has(word));
  if (words.length === 0) return undefined;
  const mean = (tokenizer: Tokenizer): number => {
    // As a word stands in a text, behind another.
    const around = tokenizer.encodeIds("a").length;
    const pieces = words.reduce((sum, word) => sum + tokenizer.encodeIds(`a ${word}`).length - around, 0);
    return pieces / words.length;
  };
  return { words: words.length, pieces: { before: mean(base), after: mean(extended) } };
}

/** Different words of letters, two or more. */
function wordsIn(texts: readonly string[]): Set<string> {
  const words = new Set<string>();
  for (const text of texts)
    for (const [word] of text.matchAll(/(?<![\p{L}\p{M}\p{N}])\p{L}[\p{L}\p{M}]+(?![\p{N}])/gu)) words.add(word);
  return words;
}
