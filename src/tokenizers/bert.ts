/**
 * BERT's tokenizer as Hugging Face tokenizers runs it (Devlin et al. 2019; Rust crate tokenizers 0.22): added tokens,
 * BertNormalizer, BertPreTokenizer, WordPiece, [CLS] and [SEP], type ids, truncation, padding, decoding; same ids, and
 * offsets in UTF-16 units of the original text. Leaves out overflowing windows (stride), and the truncation and padding
 * that a tokenizer.json may carry: here, as in transformers, the caller says.
 */
import { ConfigError } from "../errors.ts";
import { type AddedToken, addedTokenFinder } from "./bert-added.ts";
import { type BertDescription, newAddedToken, readBertFiles, type Role, writeBertFiles } from "./bert-files.ts";
import { wordPieceDecoder } from "./bert-decode.ts";
import { addedByTemplate, cut, keptLengths, padTo, type Side, type Template, type Truncation } from "./bert-layout.ts";
import { normalizeAligned } from "./bert-normalizer.ts";
import { bertWords, type Sink } from "./bert-words.ts";
import type { Encoding, SpecialTokens, Tokenizer } from "./tokenizer.ts";
import { wordPieces } from "./wordpiece.ts";

export interface BertEncoding extends Encoding {
  /** 0 for the first text, 1 for the second. */
  readonly typeIds: number[];
  /** 1 where the template put a special token. */
  readonly specialTokensMask: number[];
  /** Which text the offsets are of: 0 or 1; null for the template's tokens. */
  readonly sequenceIds: (0 | 1 | null)[];
}

export interface TruncationOptions {
  /** Most tokens, special ones included; without it nothing is cut. */
  readonly maxLength?: number;
  /** "longest_first" unless said otherwise. */
  readonly truncation?: Truncation;
  /** The side that is cut: "right" unless said otherwise. */
  readonly truncationSide?: Side;
}

export interface BatchOptions extends TruncationOptions {
  /** To the longest of the batch (the default), to `maxLength`, or not at all. */
  readonly padding?: "longest" | "max_length" | "none";
  readonly paddingSide?: Side;
  readonly padToMultipleOf?: number;
}

/** Rows of one length each, unless `padding` is "none". */
export interface BertBatch {
  readonly ids: number[][];
  /** 1 for a token, 0 for padding. */
  readonly mask: number[][];
  readonly typeIds: number[][];
}

export type TextOrPair = string | readonly [first: string, second: string];
export type NewToken = string | (Partial<Omit<AddedToken, "id">> & { readonly content: string });

export interface BertTokenizer extends Tokenizer {
  encode(text: string, options?: TruncationOptions): BertEncoding;
  encodePair(first: string, second: string, options?: TruncationOptions): BertEncoding;
  encodeBatch(texts: readonly TextOrPair[], options?: BatchOptions): BertBatch;
  /**
   * A tokenizer with these tokens added behind the vocabulary (one that is there keeps its id). A string is an ordinary
   * token, looked for in the normalized text, as in transformers.
   */
  addTokens(tokens: readonly NewToken[]): BertTokenizer;
}

/**
 * A tokenizer from the files of its directory: tokenizer.json, or vocab.txt with its configuration files.
 *
 * @throws DataError for files that are damaged, contradictory or not a BERT tokenizer's.
 */
export function bertTokenizerFromFiles(files: ReadonlyMap<string, string>): BertTokenizer {
  return bertTokenizer(readBertFiles(files));
}

const bareTemplate: Template = {
  single: [{ sequence: 0, typeId: 0 }],
  pair: [
    { sequence: 0, typeId: 0 },
    { sequence: 1, typeId: 1 },
  ],
};

function bertTokenizer(description: BertDescription): BertTokenizer {
  const { ids, special } = description;
  const tokens: string[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const specials = new Set(description.addedTokens.filter((token) => token.special).map((token) => token.id));
  const read = textReader(description);
  const template = description.template ?? bareTemplate;
  const roleIds: { -readonly [role in Role]?: number } = {};
  for (const role of Object.keys(special) as Role[]) roleIds[role] = ids.get(special[role]!)!;

  const layOut = (texts: readonly string[], options: TruncationOptions): BertEncoding => {
    const { truncation = "longest_first", truncationSide = "right", maxLength } = options;
    const parts = texts.length === 1 ? template.single : template.pair;
    const sinks = texts.map((text): Required<Sink> => {
      const sink = { ids: [], offsets: [] };
      read(text, sink);
      return sink;
    });
    const room = roomFor(maxLength, addedByTemplate(parts));
    const kept = keptLengths(sinks[0]!.ids.length, sinks[1]?.ids.length, room, truncation);
    const encoding: BertEncoding = {
      ids: [],
      tokens: [],
      offsets: [],
      typeIds: [],
      specialTokensMask: [],
      sequenceIds: [],
    };
    const put = (id: number, start: number, end: number, typeId: number, sequence: 0 | 1 | null): void => {
      encoding.ids.push(id);
      encoding.tokens.push(tokens[id]!);
      encoding.offsets.push([start, end]);
      encoding.typeIds.push(typeId);
      encoding.specialTokensMask.push(sequence === null ? 1 : 0);
      encoding.sequenceIds.push(sequence);
    };
    for (const part of parts) {
      if ("special" in part) {
        for (const id of part.ids) put(id, 0, 0, part.typeId, null);
        continue;
      }
      const sink = sinks[part.sequence]!;
      const skipped = truncationSide === "left" ? sink.ids.length - kept[part.sequence] : 0;
      for (let i = skipped; i < skipped + kept[part.sequence]; i++) {
        put(sink.ids[i]!, sink.offsets![2 * i]!, sink.offsets![2 * i + 1]!, part.typeId, part.sequence);
      }
    }
    return encoding;
  };

  const idsOf = (texts: readonly string[], options: TruncationOptions, typeIds?: number[]): number[] => {
    const { truncation = "longest_first", truncationSide = "right", maxLength } = options;
    const parts = texts.length === 1 ? template.single : template.pair;
    const found = texts.map((text) => {
      const textIds: number[] = [];
      read(text, { ids: textIds, offsets: undefined });
      return textIds;
    });
    const room = roomFor(maxLength, addedByTemplate(parts));
    const kept = keptLengths(found[0]!.length, found[1]?.length, room, truncation);
    const result: number[] = [];
    for (const part of parts) {
      const from = "special" in part ? part.ids : cut(found[part.sequence]!, kept[part.sequence], truncationSide);
      for (let i = 0; i < from.length; i++) result.push(from[i]!);
      if (typeIds !== undefined) for (let i = 0; i < from.length; i++) typeIds.push(part.typeId);
    }
    return result;
  };

  return {
    family: "bert",
    vocabSize: ids.size,
    special: roleIds satisfies SpecialTokens,
    encode: (text, options = {}) => layOut([text], options),
    encodePair: (first, second, options = {}) => layOut([first, second], options),
    encodeIds: (text) => idsOf([text], {}),
    encodeBatch: (texts, options = {}) => {
      const batch: BertBatch = { ids: [], mask: [], typeIds: [] };
      for (const text of texts) {
        const typeIds: number[] = [];
        const row = idsOf(typeof text === "string" ? [text] : text, options, typeIds);
        batch.ids.push(row);
        batch.typeIds.push(typeIds);
        batch.mask.push(row.map(() => 1));
      }
      return pad(batch, options, roleIds.pad);
    },
    decode: wordPieceDecoder(description.decoder, tokens, specials),
    tokenOf: (id) => tokens[id],
    idOf: (token) => ids.get(token),
    files: () => writeBertFiles(description),
    addTokens: (added) => bertTokenizer(withTokens(description, added)),
  };
}

function roomFor(maxLength: number | undefined, added: number): number {
  if (maxLength === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isInteger(maxLength) && maxLength >= added) return maxLength - added;
  throw new ConfigError(`maxLength: expected a whole number from ${added} (the special tokens), got ${maxLength}`, {
    hint: "raise maxLength",
  });
}

const printable = /^[ -~]*$/;

/** Added tokens first, in the text as it is, then in the normalized text; what is between goes to WordPiece. */
function textReader(description: BertDescription): (text: string, sink: Sink) => void {
  const { normalizer, model, addedTokens } = description;
  const words = bertWords(normalizer, wordPieces(model));
  // Special tokens are looked for before others, whatever their ids.
  const ordered = [...addedTokens].sort((a, b) => Number(b.special) - Number(a.special));
  const inText = addedTokenFinder(
    ordered.filter((token) => !token.normalized),
    (token) => token.content,
  );
  const inNormalized = addedTokenFinder(
    ordered.filter((token) => token.normalized),
    (token) => normalizeAligned(token.content, 0, token.content.length, normalizer).text,
  );

  const readSegment = (text: string, start: number, end: number, sink: Sink): void => {
    if (inNormalized === undefined) {
      words.encode(text, start, end, sink);
      return;
    }
    // Printable ASCII changes case at most: no need to normalize what no token is in.
    const segment = text.slice(start, end);
    if (
      printable.test(segment) &&
      inNormalized.find(normalizer.lowercase ? segment.toLowerCase() : segment) === undefined
    ) {
      words.encode(text, start, end, sink);
      return;
    }
    const aligned = normalizeAligned(text, start, end, normalizer);
    const parts = inNormalized.find(aligned.text);
    if (parts === undefined) {
      words.encode(text, start, end, sink);
      return;
    }
    for (const part of parts) {
      if (part.token === undefined) {
        words.encodeAligned(aligned, part.start, part.end, sink);
      } else {
        sink.ids.push(part.token.id);
        sink.offsets?.push(aligned.starts[part.start]!, aligned.ends[part.end - 1]!);
      }
    }
  };

  return (text, sink) => {
    const parts = inText?.find(text);
    if (parts === undefined) {
      readSegment(text, 0, text.length, sink);
      return;
    }
    for (const part of parts) {
      if (part.token === undefined) {
        readSegment(text, part.start, part.end, sink);
      } else {
        sink.ids.push(part.token.id);
        sink.offsets?.push(part.start, part.end);
      }
    }
  };
}

function pad(batch: BertBatch, options: BatchOptions, padId: number | undefined): BertBatch {
  const { padding = "longest", paddingSide = "right", maxLength, padToMultipleOf = 1 } = options;
  if (padding === "none") return batch;
  if (padding === "max_length" && maxLength === undefined) {
    throw new ConfigError('padding "max_length": expected maxLength, got nothing', { hint: "set maxLength" });
  }
  const target = padding === "longest" ? Math.max(0, ...batch.ids.map((row) => row.length)) : maxLength!;
  const length = Math.ceil(target / padToMultipleOf) * padToMultipleOf;
  const isEven = batch.ids.every((row) => row.length >= length);
  if (isEven) return batch;
  if (padId === undefined) {
    throw new ConfigError("padding: expected a tokenizer with a padding token, got one without", {
      hint: 'set padding to "none", or pad_token in tokenizer_config.json',
    });
  }
  return {
    ids: batch.ids.map((row) => padTo(row, length, padId, paddingSide)),
    mask: batch.mask.map((row) => padTo(row, length, 0, paddingSide)),
    typeIds: batch.typeIds.map((row) => padTo(row, length, 0, paddingSide)),
  };
}

function withTokens(description: BertDescription, added: readonly NewToken[]): BertDescription {
  const ids = new Map(description.ids);
  const addedTokens = new Map(description.addedTokens.map((token) => [token.content, token]));
  for (const token of added) {
    const options = typeof token === "string" ? { content: token } : token;
    const { content } = options;
    if (content === "") throw new ConfigError("addTokens: expected a token that is text, got an empty one");
    const id = ids.get(content) ?? ids.size;
    ids.set(content, id);
    addedTokens.set(content, newAddedToken(content, id, options));
  }
  return { ...description, ids, addedTokens: [...addedTokens.values()] };
}
