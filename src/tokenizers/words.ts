/** Texts and words as ids cut to a length, whatever the tokenizer: the special tokens that frame a text stay. */
import { ConfigError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface WordPieces {
  /** The frame with the words' pieces in it. */
  readonly ids: number[];
  /** Place of each word's first piece; words beyond the limit have none. */
  readonly first: number[];
}

type Encoder = Pick<Tokenizer, "encodeIds" | "frame" | "special">;

/** @throws ConfigError unless `maxTokens` leaves room for a piece. */
function roomFor({ before, after }: Tokenizer["frame"], maxTokens: number): number {
  const added = before.length + after.length;
  if (maxTokens > added) return maxTokens - added;
  throw new ConfigError(`maxTokens: expected more than the ${added} special tokens, got ${maxTokens}`);
}

const piecesOf = ({ encodeIds, frame: { before, after } }: Encoder, text: string): number[] => {
  const ids = encodeIds(text);
  return ids.slice(before.length, ids.length - after.length);
};

/** A text's ids, its end cut off where there are more than `maxTokens`. */
export function encodeCut(
  tokenizer: Encoder,
  text: string,
  maxTokens: number,
): { readonly ids: number[]; readonly cut: boolean } {
  const { before, after } = tokenizer.frame;
  const [pieces, room] = [piecesOf(tokenizer, text), roomFor(tokenizer.frame, maxTokens)];
  return { ids: [...before, ...pieces.slice(0, room), ...after], cut: pieces.length > room };
}

/** Words one by one, as transformers encodes text that is split already; a word without pieces becomes the unknown one. */
export function firstPieces(tokenizer: Encoder, words: readonly string[], maxTokens: number): WordPieces {
  const { before, after } = tokenizer.frame;
  const ids = [...before];
  const first: number[] = [];
  const end = before.length + roomFor(tokenizer.frame, maxTokens);
  for (const word of words) {
    const pieces = piecesOf(tokenizer, word);
    if (pieces.length === 0) pieces.push(tokenizer.special.unk ?? 0);
    if (ids.length + pieces.length > end) break;
    first.push(ids.length);
    ids.push(...pieces);
  }
  return { ids: [...ids, ...after], first };
}
