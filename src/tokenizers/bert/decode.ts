/** The WordPiece decoder of Hugging Face tokenizers: pieces joined, then spaces taken out before punctuation. */
import type { WordPieceDecoder } from "./tokenizer-json.ts";
import { idsOf } from "../ids.ts";
import type { DecodeOptions } from "../tokenizer.ts";

// Applied in this order, to every piece by itself with the space before it.
const cleanups: readonly [string, string][] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Ids → text. Ids that no token has are left out; without a decoder, tokens are joined with spaces. */
export function wordPieceDecoder(
  decoder: WordPieceDecoder | undefined,
  tokens: readonly string[],
  specials: ReadonlySet<number>,
): (ids: Iterable<number>, options?: DecodeOptions) => string {
  return (ids, options = {}) => {
    const pieces: string[] = [];
    for (const id of idsOf(ids)) {
      const token = tokens[id];
      if (token === undefined || (options.skipSpecialTokens === true && specials.has(id))) continue;
      pieces.push(token);
    }
    if (decoder === undefined) return pieces.join(" ");
    return pieces
      .map((piece, i) => {
        let text = piece;
        if (i > 0) text = piece.startsWith(decoder.prefix) ? piece.slice(decoder.prefix.length) : ` ${piece}`;
        if (decoder.cleanup) for (const [from, to] of cleanups) text = text.replaceAll(from, to);
        return text;
      })
      .join("");
  };
}
