/**
 * The files of a BioGPT tokenizer: fairseq's dict.txt and fastBPE's bpecodes, Hugging Face's vocab.json and merges.txt,
 * and what the configuration beside these adds. Read as hostile: every line is checked, and the two files of a pair
 * against each other, because a truncated one would otherwise only show as unknown words. Hugging Face ignores the last
 * line of merges.txt when nothing ends it; here it counts, as for fastBPE.
 */
import { DataError } from "../../errors.ts";
import { shown } from "../../schema.ts";
import type { Merge } from "../bpe/bpe.ts";
import { addedIn, type BioGptMarks, configurationFiles, isSaid, isUsual } from "./marks.ts";

/** Ends the last piece of every word. */
export const WORD_END = "</w>";

/** What a BioGPT tokenizer consists of; checked already where it came from files. */
export interface BioGptParts {
  /** Piece of every id as vocab.json writes it: a word's last piece ends in `</w>`. */
  readonly pieces: readonly string[];
  readonly merges: readonly Merge[];
  /** Frequencies, where dict.txt and bpecodes gave them. */
  readonly pieceCounts?: readonly number[] | undefined;
  readonly mergeCounts?: readonly number[] | undefined;
  /** Special and added tokens, each of which is a piece too; absent: fairseq's four special tokens alone. */
  readonly marks?: BioGptMarks | undefined;
}

/** In the order of fairseq's dictionary: beginning, padding, end of document, unknown. */
export const bioGptSpecialTokens = ["<s>", "<pad>", "</s>", "<unk>"] as const;

const CONTINUED = "@@";
const MAX_LINE = 4096;

/** Names of the files that `bioGptPartsFromFiles` takes: one pair or the other. */
export const bioGptFileNames = [
  ["vocab.json", "merges.txt"],
  ["dict.txt", "bpecodes"],
] as const;

/**
 * Reads vocab.json with merges.txt, or dict.txt with bpecodes; `where` is put before the names in errors.
 * @throws DataError with file, line, what was expected and what came.
 */
export function bioGptPartsFromFiles(files: ReadonlyMap<string, string>, where = ""): BioGptParts {
  for (const [vocabulary, codes] of bioGptFileNames) {
    const vocabularyText = files.get(vocabulary);
    const codesText = files.get(codes);
    if (vocabularyText === undefined || codesText === undefined) continue;
    const vocabularyName = where + vocabulary;
    const codesName = where + codes;
    const read = {
      ...(vocabulary === "vocab.json"
        ? parseVocabulary(vocabularyText, vocabularyName)
        : parseDictionary(vocabularyText, vocabularyName)),
      ...parseMerges(codesText, codesName, codes === "bpecodes"),
    };
    const { marks, pieces } = addedIn(files, where, read.pieces);
    checkTogether(read, marks, vocabularyName, codesName);
    return isSaid(marks) ? { ...read, pieces, marks } : read;
  }
  throw new DataError(
    `${where || "tokenizer"}: expected vocab.json and merges.txt, or dict.txt and bpecodes, got ${list(files)}`,
  );
}

/** vocab.json, merges.txt (as the Hub has them) and the configuration files. */
export function huggingFaceFiles(parts: BioGptParts): Map<string, string> {
  const { pieces, marks } = parts;
  // Added tokens behind the last piece stand in a file of their own, as transformers writes them.
  const added = new Set(marks?.added.map(({ content }) => content));
  const own = pieces.findLastIndex((piece) => !added.has(piece)) + 1;
  const entries = pieces.slice(0, own).map((piece, id) => `  ${JSON.stringify(piece)}: ${id}`);
  return new Map([
    ["vocab.json", `{\n${entries.join(",\n")}\n}`],
    ["merges.txt", parts.merges.map(([left, right]) => `${left} ${right}\n`).join("")],
    ...configurationFiles(marks, own),
  ]);
}

/**
 * dict.txt of fairseq and bpecodes of fastBPE; a frequency that no file gave is written as 0.
 * @throws DataError when the special tokens do not have the ids 0 to 3, which fairseq gives them.
 */
export function fairseqFiles(parts: BioGptParts): Map<string, string> {
  if (parts.marks !== undefined && !isUsual(parts.marks)) {
    const names = parts.marks.added.map(({ content }) => quote(content)).slice(0, 10);
    throw new DataError(`dict.txt: expected fairseq's four special tokens alone, got ${names.join(", ")}`, {
      hint: "fairseq's files have no place for added or renamed tokens; keep such a tokenizer in Hugging Face's format",
    });
  }
  bioGptSpecialTokens.forEach((token, id) => {
    if (parts.pieces[id] === token) return;
    throw new DataError(`dict.txt: expected id ${id} to be ${token}, got ${quote(parts.pieces[id] ?? "nothing")}`, {
      hint: "fairseq's dictionary always starts with these four; keep such a tokenizer as vocab.json and merges.txt",
    });
  });
  const lines = parts.pieces.map((piece, id) => {
    const written = piece.endsWith(WORD_END) ? piece.slice(0, -WORD_END.length) : piece + CONTINUED;
    return `${written} ${parts.pieceCounts?.[id] ?? 0}\n`;
  });
  const codes = parts.merges.map(([left, right], rank) => `${left} ${right} ${parts.mergeCounts?.[rank] ?? 0}\n`);
  return new Map([
    ["dict.txt", lines.slice(bioGptSpecialTokens.length).join("")],
    ["bpecodes", codes.join("")],
  ]);
}

function parseVocabulary(text: string, name: string): Pick<BioGptParts, "pieces"> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${name}: expected JSON, got ${(cause as Error).message}`, { cause, hint: downloadAgain });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new DataError(`${name}: expected an object of piece → id, got ${quote(shown(parsed))}`);
  }
  const entries = Object.entries(parsed as Record<string, unknown>);
  const pieces: string[] = [];
  const seen = new Map<number, string>();
  for (const [piece, id] of entries) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= entries.length) {
      const range = `a whole number from 0 to ${entries.length - 1}, one for each of the ${entries.length} pieces`;
      throw new DataError(`${name}: id of ${quote(piece)} expected ${range}, got ${quote(shown(id))}`, {
        hint: "ids must have no holes; a piece that is written twice in the file leaves one",
      });
    }
    const other = seen.get(id);
    if (other !== undefined) {
      throw new DataError(`${name}: id ${id} expected one piece, got ${quote(other)} and ${quote(piece)}`);
    }
    seen.set(id, piece);
    pieces[id] = piece;
  }
  return { pieces };
}

function parseDictionary(text: string, name: string): Pick<BioGptParts, "pieces" | "pieceCounts"> {
  const pieces: string[] = [...bioGptSpecialTokens];
  const pieceCounts: number[] = pieces.map(() => 0);
  const seen = new Map<string, number>();
  forEachLine(text, name, (line, at) => {
    const fields = line.split(" ");
    const [written, count] = fields;
    if (fields.length !== 2 || written === "" || !/^\d{1,15}$/.test(count!)) {
      throw new DataError(`${at}: expected "piece count", got ${quote(line)}`, { hint: downloadAgain });
    }
    const piece = written!.endsWith(CONTINUED) ? written!.slice(0, -CONTINUED.length) : written! + WORD_END;
    if (piece === "" || seen.has(piece) || (bioGptSpecialTokens as readonly string[]).includes(piece)) {
      throw new DataError(`${at}: expected a piece that no line above has, got ${quote(written!)}`);
    }
    seen.set(piece, pieces.push(piece) - 1);
    pieceCounts.push(Number(count));
  });
  return { pieces, pieceCounts };
}

function parseMerges(text: string, name: string, needCounts: boolean): Pick<BioGptParts, "merges" | "mergeCounts"> {
  const merges: Merge[] = [];
  const counts: number[] = [];
  const seen = new Set<string>();
  let fieldsExpected = needCounts ? 3 : 0;
  forEachLine(text, name, (line, at, number) => {
    if (number === 1 && line.startsWith("#version")) return;
    const fields = line.split(" ");
    if (fieldsExpected === 0 && (fields.length === 2 || fields.length === 3)) fieldsExpected = fields.length;
    const [left, right, count] = fields;
    const valid =
      fields.length === fieldsExpected && left && right && (count === undefined || /^\d{1,15}$/.test(count));
    if (!valid) {
      const expected = fieldsExpected === 2 ? '"left right"' : '"left right count"';
      throw new DataError(`${at}: expected ${expected}, got ${quote(line)}`, { hint: downloadAgain });
    }
    const key = `${left} ${right}`;
    if (seen.has(key)) throw new DataError(`${at}: expected a pair that no line above has, got ${quote(key)}`);
    seen.add(key);
    merges.push([left, right]);
    if (count !== undefined) counts.push(Number(count));
  });
  return { merges, mergeCounts: counts.length > 0 ? counts : undefined };
}

/** Every piece can be made, and every merge leads to a piece: true of complete files, hardly of truncated ones. */
function checkTogether(
  { pieces, merges }: BioGptParts,
  { roles, added }: BioGptMarks,
  vocabularyName: string,
  codesName: string,
): void {
  if (!pieces.some((piece) => piece.endsWith(WORD_END))) {
    throw new DataError(`${vocabularyName}: expected pieces that end in ${WORD_END}, got none`, {
      hint: "this is another kind of byte pair encoding (GPT-2, RoBERTa), not BioGPT's",
    });
  }
  const known = new Set(pieces);
  const specials = new Set<string>(added.map(({ content }) => content));
  for (const token of [roles.bos, roles.pad, roles.eos, roles.unk]) {
    // What a text's unknown pieces become must be a piece; the others may be added behind the vocabulary.
    if (token === roles.unk ? !known.has(token) : !specials.has(token)) {
      throw new DataError(
        `${vocabularyName}: expected the special token ${token.slice(0, 80)}, got ${pieces.length} pieces without`,
        {
          hint: "BioGPT's vocabulary starts with <s>, <pad>, </s>, <unk>",
        },
      );
    }
  }
  const products = new Set(merges.map(([left, right]) => left + right));
  const used = new Set(merges.flat());
  for (const product of products) {
    if (known.has(product) || used.has(product)) continue;
    throw new DataError(`${vocabularyName}: expected the piece ${quote(product)}, which ${codesName} makes, got none`, {
      hint: `${vocabularyName} is truncated, or the two files are not of the same tokenizer`,
    });
  }
  for (const token of bioGptSpecialTokens) specials.add(token);
  let unreachable: string | undefined;
  for (const piece of pieces) {
    if (isFiller(piece)) continue;
    // Rows appended to a vocabulary (padding, soft prompts) are made by no merge; they come last.
    if (products.has(piece) || (isCharacter(piece) && !specials.has(piece))) {
      if (unreachable === undefined) continue;
      throw new DataError(`${codesName}: expected a merge that makes the piece ${quote(unreachable)}, got none`, {
        hint: `${codesName} is truncated, or the two files are not of the same tokenizer`,
      });
    }
    if (!specials.has(piece)) unreachable ??= piece;
  }
}

/** fairseq's own padding, behind which a vocabulary that was learned on has more. */
function isFiller(piece: string): boolean {
  return /^madeupword\d+<\/w>$/.test(piece);
}

function isCharacter(piece: string): boolean {
  const bare = piece.endsWith(WORD_END) ? piece.slice(0, -WORD_END.length) : piece;
  return bare.length === 1 || (bare.length === 2 && bare.codePointAt(0)! > 0xffff);
}

function forEachLine(text: string, name: string, visit: (line: string, at: string, number: number) => void): void {
  let number = 0;
  for (let start = 0; start < text.length;) {
    const stop = text.indexOf("\n", start);
    const end = stop === -1 ? text.length : stop;
    number++;
    const at = `${name}, line ${number}`;
    if (end - start > MAX_LINE) {
      throw new DataError(`${at}: expected at most ${MAX_LINE} characters, got ${end - start}`, {
        hint: downloadAgain,
      });
    }
    visit(text.slice(start, end > start && text[end - 1] === "\r" ? end - 1 : end), at, number);
    start = end + 1;
  }
  if (number === 0) throw new DataError(`${name}: expected lines, got an empty file`, { hint: downloadAgain });
}

const downloadAgain = "the file may be truncated or of another format; compare it with its source";

function quote(value: string | undefined): string {
  const text = value ?? "undefined";
  return text.length > 80 ? `${JSON.stringify(text.slice(0, 80))}… (${text.length} characters)` : JSON.stringify(text);
}

function list(files: ReadonlyMap<string, string>): string {
  return files.size === 0 ? "no file" : [...files.keys()].join(", ");
}
