/**
 * Tokenizers for models that read batches of texts and pairs of texts, as Hugging Face tokenizers does: truncation, the
 * template of special tokens with its type ids, padding. Encoders need it; which tokenizers have it, `encodesPairs` says.
 */
import type { AddedToken } from "./added-tokens.ts";
import type { PairEncoding, Side, Truncation } from "./layout.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface TruncationOptions {
  /** Most tokens, special ones included; without it nothing is cut. */
  readonly maxLength?: number;
  /** "longest_first" unless said otherwise. */
  readonly truncation?: Truncation;
  /** The side that is cut: "right" unless said otherwise. */
  readonly truncationSide?: Side;
}

export interface SpanOptions {
  /** Most tokens of a window, special ones included. */
  readonly maxLength: number;
  /** How many tokens of a window come again in the next: 0 unless said otherwise. */
  readonly stride?: number;
}

export interface BatchOptions extends TruncationOptions {
  /** To the longest of the batch (the default), to `maxLength`, or not at all. */
  readonly padding?: "longest" | "max_length" | "none";
  readonly paddingSide?: Side;
  readonly padToMultipleOf?: number;
}

/** Rows of one length each, unless `padding` is "none". */
export interface TokenBatch {
  readonly ids: number[][];
  /** 1 for a token, 0 for padding. */
  readonly mask: number[][];
  readonly typeIds: number[][];
}

export type TextOrPair = string | readonly [first: string, second: string];
export type NewToken = string | (Partial<Omit<AddedToken, "id">> & { readonly content: string });

export interface PairTokenizer extends Tokenizer {
  encode(text: string, options?: TruncationOptions): PairEncoding;
  encodePair(first: string, second: string, options?: TruncationOptions): PairEncoding;
  /** The whole text in encodings of at most `maxLength` tokens, `stride` of which repeat the one before. */
  encodeWindows(text: string, options: SpanOptions): PairEncoding[];
  encodeBatch(texts: readonly TextOrPair[], options?: BatchOptions): TokenBatch;
  /**
   * A tokenizer with these tokens added behind the vocabulary (one that is there keeps its id). A string is an ordinary
   * token, looked for in the normalized text, as in transformers.
   */
  addTokens(tokens: readonly NewToken[]): PairTokenizer;
}

/** Whether a tokenizer reads batches of texts and pairs. */
export function encodesPairs(tokenizer: Tokenizer): tokenizer is PairTokenizer {
  return "encodePair" in tokenizer;
}
