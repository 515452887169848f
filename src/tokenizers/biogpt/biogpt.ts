/**
 * BioGPT's tokenizer: Moses tokens, byte pair encoding of each, ids (Luo et al. 2022, arXiv 2210.10341; behaviour of
 * Hugging Face's BioGptTokenizer). A text is `</s>` and its ids; nothing is appended. No normalisation, no lower-casing.
 * Adds what the reference lacks: offsets. Left out: pairs of texts, padding, truncation.
 */
import { createSplitter } from "./added.ts";
import { type BioGptParts, fairseqFiles, huggingFaceFiles, WORD_END } from "./files.ts";
import { plainMarks } from "./marks.ts";
import { createBpe } from "../bpe/bpe.ts";
import { splitWhitespace } from "../moses/classes.ts";
import { mosesDetokenize } from "../moses/detokenizer.ts";
import { type MosesOptions, type MosesToken, createMosesMapper, mosesTokenize } from "../moses/moses.ts";
import { required } from "../../schema.ts";
import { idsOf } from "../ids.ts";
import { createSliceCache } from "../slice-cache.ts";
import type { DecodeOptions, Encoding, SpecialTokens, Tokenizer } from "../tokenizer.ts";

export interface BioGptTokenizer extends Tokenizer {
  readonly parts: BioGptParts;
  readonly special: Required<Pick<SpecialTokens, "pad" | "bos" | "eos" | "unk" | "sep">>;
}

const CACHED_WORDS = 1 << 16;

/** BioGPT's tokenizer from its pieces and merges. */
export function createBioGptTokenizer(parts: BioGptParts, options: MosesOptions = {}): BioGptTokenizer {
  const { pieces, merges } = parts;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const { roles, added, special } = parts.marks ?? plainMarks(ids);
  const idOfRole = (role: "bos" | "pad" | "eos" | "unk" | "sep"): number => ids.get(roles[role])!;
  const [bos, pad, eos, unk, sep] = [
    idOfRole("bos"),
    idOfRole("pad"),
    idOfRole("eos"),
    idOfRole("unk"),
    idOfRole("sep"),
  ];
  const specialIds = new Set(special.map((content) => ids.get(content)!));
  const addedIds = new Set(added.map(({ id }) => id));
  const split = createSplitter(added);
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
    required("encode: text", text, "text");
    const result = [sep];
    const append = (segment: readonly number[]): void => {
      for (const id of segment) result.push(id);
    };
    for (const { text: part, token } of split(text)) {
      if (token === undefined) mapSegments(part, append);
      else result.push(token.id);
    }
    return result;
  };

  const encode = (text: string): Encoding => {
    required("encode: text", text, "text");
    const encoding: Encoding = { ids: [sep], tokens: [pieces[sep]!], offsets: [[0, 0]] };
    for (const { text: part, token, place } of split(text)) {
      if (token !== undefined) {
        appendPiece(encoding, token.id, part, [place(0), place(part.length - 1) + 1]);
        continue;
      }
      for (const word of mosesTokenize(part, options)) {
        appendToken(encoding, word, piecesOf(word.text), place, idOfPiece);
      }
    }
    return encoding;
  };

  const decode = (sequence: Iterable<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string => {
    let joined = "";
    for (const id of idsOf(sequence)) {
      if (skipSpecialTokens && specialIds.has(id)) continue;
      joined += (pieces[id] ?? pieces[unk]!).replaceAll(" ", "").replaceAll(WORD_END, " ");
    }
    return mosesDetokenize(splitWhitespace(joined));
  };

  return {
    family: "biogpt",
    parts,
    vocabSize: pieces.length,
    special: { pad, bos, eos, unk, sep, ...otherRoles(parts, ids) },
    frame: { before: [sep], after: [] },
    encode,
    encodeIds,
    decode,
    tokenOf: (id) => pieces[id],
    idOf: (token) => ids.get(token),
    idOfWord: (word) => ids.get(word + WORD_END),
    piecesAmong: (size) => piecesAmong(parts, { ids, added: addedIds }, size),
    continuesWord: (before) => !addedIds.has(before) && pieces[before]?.endsWith(WORD_END) === false,
    // No merge makes them, so no text does.
    withRows: (words) =>
      createBioGptTokenizer({ ...parts, pieces: [...pieces, ...words.map((word) => word + WORD_END)] }, options),
    files: () => huggingFaceFiles(parts),
    foreign: { fairseq: () => fairseqFiles(parts) },
  };
}

/** The merges of the first `size` pieces alone, on the letters of a piece. */
function piecesAmong(
  { pieces, merges }: BioGptParts,
  known: { readonly ids: ReadonlyMap<string, number>; readonly added: ReadonlySet<number> },
  size: number,
): (id: number) => readonly number[] {
  const vocabulary = pieces.slice(0, size);
  const own = merges.filter(([left, right]) => (known.ids.get(left + right) ?? Infinity) < size);
  const whole = createBpe(own, { wordEnd: WORD_END, vocabulary });
  const inner = createBpe(own, { vocabulary });
  return (id) => {
    const piece = pieces[id];
    if (piece === undefined || known.added.has(id)) return [];
    const isEnd = piece.endsWith(WORD_END);
    const ids = isEnd ? whole.encode(piece.slice(0, -WORD_END.length), -1) : inner.encode(piece, -1);
    return ids.includes(-1) ? [] : ids;
  };
}

/** Roles that BioGPT itself has no tokens for. */
function otherRoles({ marks }: BioGptParts, ids: ReadonlyMap<string, number>): Pick<SpecialTokens, "cls" | "mask"> {
  const found: { cls?: number; mask?: number } = {};
  for (const role of ["cls", "mask"] as const) {
    const content = marks?.roles[role];
    if (content !== undefined) found[role] = ids.get(content)!;
  }
  return found;
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
  place: (at: number) => number,
  idOfPiece: (piece: string) => number,
): void {
  let from = 0;
  pieces.forEach((piece, index) => {
    const to = index === pieces.length - 1 ? token.text.length : from + piece.length;
    const start = token.sources ? token.sources[from]![0] : token.start + from;
    const end = token.sources ? token.sources[to - 1]![1] : token.start + to;
    appendPiece(encoding, idOfPiece(piece), piece, [place(start), place(end - 1) + 1]);
    from = to;
  });
}
