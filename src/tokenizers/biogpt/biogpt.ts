/**
 * BioGPT's tokenizer: Moses tokens, byte pair encoding of each, ids (Luo et al. 2022, arXiv 2210.10341; behaviour of
 * Hugging Face's BioGptTokenizer). A text is `</s>` and its ids; nothing is appended. No normalisation, no lower-casing.
 * Adds what the reference lacks: offsets. Left out: pairs of texts, padding, truncation.
 */
import { type BioGptParts, bioGptSpecialTokens, fairseqFiles, huggingFaceFiles, WORD_END } from "./files.ts";
import { createBpe } from "../bpe/bpe.ts";
import { splitWhitespace } from "../moses/classes.ts";
import { mosesDetokenize } from "../moses/detokenizer.ts";
import { type MosesOptions, type MosesToken, createMosesMapper, mosesTokenize } from "../moses/moses.ts";
import { createSliceCache } from "../slice-cache.ts";
import type { DecodeOptions, Encoding, SpecialTokens, Tokenizer } from "../tokenizer.ts";

export interface BioGptTokenizer extends Tokenizer {
  readonly parts: BioGptParts;
  readonly special: Required<Pick<SpecialTokens, "pad" | "bos" | "eos" | "unk" | "sep">>;
}

const specialPattern = /<(?:s|pad|\/s|unk)>/g;
const CACHED_WORDS = 1 << 16;

/** BioGPT's tokenizer from its pieces and merges. */
export function createBioGptTokenizer(parts: BioGptParts, options: MosesOptions = {}): BioGptTokenizer {
  const { pieces, merges } = parts;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const [bos, pad, eos, unk] = bioGptSpecialTokens.map((token) => ids.get(token)!) as [number, number, number, number];
  const specialIds = new Set([bos, pad, eos, unk]);
  const bpe = createBpe(merges, { wordEnd: WORD_END, vocabulary: pieces });
  const idOfPiece = (piece: string): number => ids.get(piece) ?? unk;
  const mapSegments = createMosesMapper((tokens) => tokens.flatMap(({ text }) => bpe.encode(text, unk)), options);
  const words = createSliceCache<string[]>(CACHED_WORDS);
  const piecesOf = (word: string): string[] => {
    const known = words.get(word, 0, word.length, 0);
    if (known) return known;
    const cut = bpe.split(word);
    words.set(word, 0, word.length, 0, cut);
    return cut;
  };

  const encodeIds = (text: string): number[] => {
    const result = [eos];
    const append = (segment: readonly number[]): void => {
      for (const id of segment) result.push(id);
    };
    splitSpecial(text, (part, _start, special) => {
      if (special) result.push(ids.get(part)!);
      else mapSegments(part, append);
    });
    return result;
  };

  const encode = (text: string): Encoding => {
    const encoding: Encoding = { ids: [eos], tokens: [pieces[eos]!], offsets: [[0, 0]] };
    splitSpecial(text, (part, start, special) => {
      if (special) {
        appendPiece(encoding, ids.get(part)!, part, [start, start + part.length]);
        return;
      }
      for (const token of mosesTokenize(part, options)) {
        appendToken(encoding, token, piecesOf(token.text), start, idOfPiece);
      }
    });
    return encoding;
  };

  const decode = (sequence: Iterable<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string => {
    let joined = "";
    for (const id of sequence) {
      if (skipSpecialTokens && specialIds.has(id)) continue;
      joined += (pieces[id] ?? pieces[unk]!).replaceAll(WORD_END, " ");
    }
    return mosesDetokenize(splitWhitespace(joined));
  };

  return {
    family: "biogpt",
    parts,
    vocabSize: pieces.length,
    special: { pad, bos, eos, unk, sep: eos },
    frame: { before: [eos], after: [] },
    encode,
    encodeIds,
    decode,
    tokenOf: (id) => pieces[id],
    idOf: (token) => ids.get(token),
    idOfWord: (word) => ids.get(word + WORD_END),
    continuesWord: (before) => !specialIds.has(before) && pieces[before]?.endsWith(WORD_END) === false,
    // No merge makes them, so no text does.
    withRows: (words) =>
      createBioGptTokenizer({ ...parts, pieces: [...pieces, ...words.map((word) => word + WORD_END)] }, options),
    files: () => huggingFaceFiles(parts),
    foreign: { fairseq: () => fairseqFiles(parts) },
  };
}

/** Hands on the parts of a text between the special strings, and those themselves. */
function splitSpecial(text: string, visit: (part: string, start: number, special: boolean) => void): void {
  let done = 0;
  for (const match of text.matchAll(specialPattern)) {
    if (match.index > done) visit(text.slice(done, match.index), done, false);
    visit(match[0], match.index, true);
    done = match.index + match[0].length;
  }
  if (done < text.length) visit(done === 0 ? text : text.slice(done), done, false);
}

function appendPiece(encoding: Encoding, id: number, piece: string, offsets: [number, number]): void {
  encoding.ids.push(id);
  encoding.tokens.push(piece);
  encoding.offsets.push(offsets);
}

function appendToken(
  encoding: Encoding,
  token: MosesToken,
  pieces: readonly string[],
  base: number,
  idOfPiece: (piece: string) => number,
): void {
  let from = 0;
  pieces.forEach((piece, index) => {
    const to = index === pieces.length - 1 ? token.text.length : from + piece.length;
    const start = token.sources ? token.sources[from]![0] : token.start + from;
    const end = token.sources ? token.sources[to - 1]![1] : token.start + to;
    appendPiece(encoding, idOfPiece(piece), piece, [base + start, base + end]);
    from = to;
  });
}
