/** Words and their pieces: where each word's first piece stands, so that a tag is of a word. */
import type { BertTokenizer } from "./bert.ts";

export interface WordPieces {
  /** [CLS], pieces, [SEP]. */
  readonly ids: number[];
  /** Place of each word's first piece; words beyond the limit have none. */
  readonly first: number[];
}

/** Words one by one, cut to `maxTokens`; a word without pieces becomes [UNK]. */
export function firstPieces(tokenizer: BertTokenizer, words: readonly string[], maxTokens: number): WordPieces {
  const { cls, sep, unk } = tokenizer.special;
  const ids = cls === undefined ? [] : [cls];
  const first: number[] = [];
  const closing = sep === undefined ? 0 : 1;
  for (const word of words) {
    const row = tokenizer.encodeIds(word);
    const pieces = row.slice(cls === undefined ? 0 : 1, row.length - closing);
    if (pieces.length === 0) pieces.push(unk ?? 0);
    if (ids.length + pieces.length + closing > maxTokens) break;
    first.push(ids.length);
    ids.push(...pieces);
  }
  if (sep !== undefined) ids.push(sep);
  return { ids, first };
}
