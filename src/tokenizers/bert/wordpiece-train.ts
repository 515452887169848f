/**
 * Learns a WordPiece vocabulary from word counts as Hugging Face tokenizers' WordPieceTrainer does: byte pair encoding
 * over characters that carry "##" inside a word; the vocabulary is all symbols in the order in which they came up.
 */
import { trainBpe } from "../bpe/train.ts";

export interface WordPieceTraining {
  /** Tokens to stop at; special tokens and alphabet are kept even where they are more. */
  readonly vocabSize: number;
  /** Pairs that occur less often are not merged: 0. */
  readonly minFrequency?: number;
  /** The most frequent characters to keep: 1000. Others are left out of their words. */
  readonly limitAlphabet?: number;
  /** First in the vocabulary: BERT's five unless said otherwise. */
  readonly specialTokens?: readonly string[];
}

const bertSpecialTokens: readonly string[] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/**
 * The tokens in order of their ids, from words and how often each occurs.
 *
 * @throws ConfigError for options out of range.
 */
export function trainWordPiece(wordCounts: ReadonlyMap<string, number>, options: WordPieceTraining): readonly string[] {
  const { limitAlphabet = 1000, specialTokens = bertSpecialTokens } = options;
  return trainBpe(wordCounts, { ...options, limitAlphabet, specialTokens, prefix: "##" }).tokens;
}
