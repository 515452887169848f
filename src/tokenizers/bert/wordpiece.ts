/**
 * WordPiece over words (Schuster and Nakajima 2012; as in Google's BERT and Hugging Face tokenizers): from the left,
 * always the longest piece of the vocabulary, pieces inside a word with a prefix ("##"); a word that cannot be covered,
 * or is longer than `maxInputChars` characters, is one unknown token.
 */

export interface WordPieceModel {
  /** Piece → id. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly unknownToken: string;
  /** What a piece that continues a word starts with: "##". */
  readonly prefix: string;
  /** Longest word in code points: 100. */
  readonly maxInputChars: number;
}

/** Appends the ids of a word's pieces to `ids`, and where each ends (UTF-16 units of the word) to `ends`. */
export type WordPieces = (word: string, ids: number[], ends: number[]) => void;

/** A matcher for the model's vocabulary. */
export function wordPieces(model: WordPieceModel): WordPieces {
  const { vocabulary, prefix, maxInputChars } = model;
  const unknown = vocabulary.get(model.unknownToken)!;
  const continuing = new Map<string, number>();
  let longest = 0;
  let longestContinuing = 0;
  for (const [token, id] of vocabulary) {
    longest = Math.max(longest, token.length);
    if (!token.startsWith(prefix)) continue;
    continuing.set(token.slice(prefix.length), id);
    longestContinuing = Math.max(longestContinuing, token.length - prefix.length);
  }

  return (word, ids, ends) => {
    const { length } = word;
    const isTooLong = length > maxInputChars && codePoints(word) > maxInputChars;
    const whole = isTooLong ? unknown : vocabulary.get(word);
    if (whole !== undefined) {
      ids.push(whole);
      ends.push(length);
      return;
    }
    const firstId = ids.length;
    let start = 0;
    while (start < length) {
      const pieces = start === 0 ? vocabulary : continuing;
      let end = Math.min(length, start + (start === 0 ? longest : longestContinuing));
      let id: number | undefined;
      for (; end > start; end--) {
        id = pieces.get(word.slice(start, end));
        if (id !== undefined) break;
      }
      if (id === undefined) break;
      ids.push(id);
      ends.push(end);
      start = end;
    }
    if (start === length) return;
    ends.length -= ids.length - firstId;
    ids.length = firstId;
    ids.push(unknown);
    ends.push(length);
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count += 1;
  return count;
}
