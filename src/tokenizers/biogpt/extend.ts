/** BioGPT's byte pair encoding learned on from texts: new pieces stand behind all rows, fairseq's padding among them. */
import { countPieces, createBpe } from "../bpe/bpe.ts";
import { continueBpe, runsOf, standingOf } from "../bpe/continue.ts";
import type { Extended, Texts, TokenizerFiles } from "../tokenizer.ts";
import { createBioGptTokenizer } from "./biogpt.ts";
import { bioGptPartsFromFiles, WORD_END } from "./files.ts";
import { countWords } from "./train.ts";

/** The tokenizer of these files with `tokens` more, learned from texts. @throws DataError where the texts are too few. */
export async function extendBioGptTokenizer(
  files: TokenizerFiles,
  texts: Texts,
  { tokens: count }: { readonly tokens: number },
): Promise<Extended> {
  const parts = bioGptPartsFromFiles(files);
  const { pieces, merges, pieceCounts, mergeCounts } = parts;
  const known = new Set(pieces);
  const words = await countWords(texts);
  const bpe = createBpe(merges, { wordEnd: WORD_END });
  // What is in no vocabulary, as the characters of an unknown script, is unknown however it is merged.
  const runs = runsOf((piece) => (known.has(piece) ? standingOf(withoutEnd(piece)) : "apart"));
  for (const [word, times] of words) runs.add(bpe.split(word), times);
  const { tokens, saved, merges: added } = continueBpe(runs, known, count);
  const allMerges = [...merges, ...added];
  const occurring = countPieces(words, createBpe(allMerges, { wordEnd: WORD_END }));
  const counts = tokens.map((token) => occurring.get(token) ?? 0);
  const savedBy = new Map(tokens.map((token, i) => [token, saved[i]!]));
  const extended = createBioGptTokenizer({
    ...parts,
    pieces: [...pieces, ...tokens],
    merges: allMerges,
    pieceCounts: pieceCounts && [...pieceCounts, ...counts],
    mergeCounts: mergeCounts && [...mergeCounts, ...added.map(([left, right]) => savedBy.get(left + right)!)],
  });
  const gained = tokens.map((token, i) => {
    return { id: pieces.length + i, token, text: withoutEnd(token), count: counts[i]! };
  });
  return { tokenizer: extended, added: gained };
}

function withoutEnd(piece: string): string {
  return piece.endsWith(WORD_END) ? piece.slice(0, -WORD_END.length) : piece;
}
