/** Texts that were longer than a model takes: whoever reads texts for a model tells which of them were cut. */
import type { PairTokenizer, TextOrPair } from "./pairs.ts";

export interface Cut {
  /** Those that were cut; of a pair the second. */
  readonly texts: readonly string[];
  /** How many were read. */
  readonly of: number;
  /** Tokens that the model takes. */
  readonly limit: number;
}

/** Called after every group of texts, whether or not some were cut. */
export type OnCut = (cut: Cut) => void;

interface Read {
  /** What was tokenized, with prompts and as the directory says. */
  readonly prepared?: readonly TextOrPair[];
  /** What came of it, at most `limit` tokens each. */
  readonly rows: readonly (readonly number[])[];
  readonly limit: number;
}

/** Tells which texts have more tokens than the rows that were made of them. */
export function tellCut(
  tokenizer: PairTokenizer,
  given: readonly TextOrPair[],
  { prepared = given, rows, limit }: Read,
  onCut: OnCut | undefined,
): void {
  if (onCut === undefined) return;
  const isCut = (_: TextOrPair, i: number): boolean =>
    rows[i]!.length >= limit && tokenizer.encodeBatch([prepared[i]!], { padding: "none" }).ids[0]!.length > limit;
  const texts = given.filter(isCut).map((text) => (typeof text === "string" ? text : text[1]));
  onCut({ texts, of: given.length, limit });
}
