/**
 * BERT's tokenizer as Hugging Face tokenizers runs it (Devlin et al. 2019; Rust crate tokenizers 0.22): added tokens,
 * BertNormalizer, BertPreTokenizer, WordPiece, [CLS] and [SEP], type ids, truncation, padding, decoding; same ids, and
 * offsets in UTF-16 units of the original text. Leaves out windows over pairs, and the truncation and padding
 * that a tokenizer.json may carry: here, as in transformers, the caller says.
 */
import { ConfigError } from "../../errors.ts";
import { newAddedToken } from "../added-files.ts";
import { required } from "../../schema.ts";
import { addedTokenFinder } from "../added-tokens.ts";
import { type BertDescription, type BertRole, readBertFiles, writeBertFiles } from "./files.ts";
import { wordPieceDecoder } from "./decode.ts";
import {
  addedByTemplate,
  type PairEncoding,
  keptLengths,
  layOut,
  layOutIds,
  padTo,
  type Span,
  type Template,
  type TemplatePart,
  windows,
} from "../layout.ts";
import { normalizeAligned } from "./normalizer.ts";
import { bertWords, type Sink } from "./words.ts";
import type {
  BatchOptions,
  NewToken,
  PairTokenizer,
  TextOrPair,
  TokenBatch,
  TruncationOptions,
  SpanOptions,
} from "../pairs.ts";
import type { SpecialTokens, Tokenizer } from "../tokenizer.ts";
import { wordPieces } from "./wordpiece.ts";

/**
 * A tokenizer from the files of its directory: tokenizer.json, or vocab.txt with its configuration files.
 *
 * @throws DataError for files that are damaged, contradictory or not a BERT tokenizer's.
 */
export function bertTokenizerFromFiles(files: ReadonlyMap<string, string>): PairTokenizer {
  return bertTokenizer(readBertFiles(files));
}

const bareTemplate: Template = {
  single: [{ sequence: 0, typeId: 0 }],
  pair: [
    { sequence: 0, typeId: 0 },
    { sequence: 1, typeId: 1 },
  ],
};

function bertTokenizer(description: BertDescription): PairTokenizer {
  const { ids, special } = description;
  const tokens: string[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const specials = new Set(description.addedTokens.filter((token) => token.special).map((token) => token.id));
  const read = textReader(description);
  const template = description.template ?? bareTemplate;
  const roleIds: { -readonly [role in BertRole]?: number } = {};
  for (const role of Object.keys(special) as BertRole[]) roleIds[role] = ids.get(special[role]!)!;

  const readWithOffsets = (text: string): { ids: number[]; offsets: number[] } => {
    const sink = { ids: [], offsets: [] };
    read(text, sink);
    return sink;
  };
  const encode = (texts: readonly string[], options: TruncationOptions): PairEncoding => {
    const parts = texts.length === 1 ? template.single : template.pair;
    const found = texts.map(readWithOffsets);
    const spans = keptSpans(parts, found, options);
    return layOut(
      parts,
      found.map((text, i) => ({ ...text, span: spans[i]! })),
      tokens,
    );
  };
  const encodeWindows = (text: string, { maxLength, stride = 0 }: SpanOptions): PairEncoding[] => {
    const found = readWithOffsets(text);
    const room = roomFor(maxLength, addedByTemplate(template.single));
    return windows(found.ids.length, room, stride).map((span) => layOut(template.single, [{ ...found, span }], tokens));
  };
  const encodeIds = (texts: readonly string[], options: TruncationOptions, typeIds?: number[]): number[] => {
    const parts = texts.length === 1 ? template.single : template.pair;
    const found = texts.map((text) => {
      const sink = { ids: [], offsets: undefined };
      read(text, sink);
      return sink;
    });
    return layOutIds(parts, found, keptSpans(parts, found, options), typeIds);
  };
  const encodeBatch = (texts: readonly TextOrPair[], options: BatchOptions = {}): TokenBatch => {
    const batch: TokenBatch = { ids: [], mask: [], typeIds: [] };
    required("encodeBatch: texts", texts, "list");
    for (const text of texts) {
      const typeIds: number[] = [];
      const row = encodeIds(typeof text === "string" ? [text] : text, options, typeIds);
      batch.ids.push(row);
      batch.typeIds.push(typeIds);
      batch.mask.push(row.map(() => 1));
    }
    return pad(batch, options, roleIds.pad);
  };

  return {
    family: "bert",
    vocabSize: ids.size,
    special: roleIds satisfies SpecialTokens,
    frame: frameOf(template.single),
    encode: (text, options = {}) => encode([text], options),
    encodePair: (first, second, options = {}) => encode([first, second], options),
    encodeWindows,
    encodeIds: (text) => encodeIds([text], {}),
    encodeBatch,
    decode: wordPieceDecoder(description.decoder, tokens, specials),
    tokenOf: (id) => tokens[id],
    idOf: (token) => ids.get(token),
    idOfWord: (word) => ids.get(word),
    continuesWord: (_before, id) => tokens[id]?.startsWith(description.model.prefix) === true,
    files: () => writeBertFiles(description),
    addTokens: (added) => bertTokenizer(withTokens(description, added)),
  };
}

function frameOf(parts: readonly TemplatePart[]): Tokenizer["frame"] {
  const text = parts.findIndex((part) => "sequence" in part);
  const idsOf = (some: readonly TemplatePart[]): number[] =>
    some.flatMap((part) => ("special" in part ? part.ids : []));
  return { before: idsOf(parts.slice(0, text)), after: idsOf(parts.slice(text)) };
}

/** What truncation leaves of each text. */
function keptSpans(
  parts: readonly TemplatePart[],
  texts: readonly { readonly ids: readonly number[] }[],
  options: TruncationOptions,
): Span[] {
  const { truncation = "longest_first", truncationSide = "right", maxLength } = options;
  const room = roomFor(maxLength, addedByTemplate(parts));
  const kept = keptLengths(texts[0]!.ids.length, texts[1]?.ids.length, room, truncation);
  return texts.map(({ ids: { length } }, i) => {
    return truncationSide === "right" ? { start: 0, end: kept[i]! } : { start: length - kept[i]!, end: length };
  });
}

function roomFor(maxLength: number | undefined, added: number): number {
  if (maxLength === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isInteger(maxLength) && maxLength >= added) return maxLength - added;
  throw new ConfigError(`maxLength: expected a whole number from ${added} (the special tokens), got ${maxLength}`, {
    hint: "raise maxLength",
  });
}

const printable = /^[ -~]*$/;
// Characters that no other is normalized to: a text without them has no token with them.
const anchor = /[#$%&()*@[\]_{|}~]/;

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
  const normalized = ordered.filter((token) => token.normalized);
  const inNormalized = addedTokenFinder(
    normalized,
    (token) => normalizeAligned(token.content, 0, token.content.length, normalizer).text,
  );
  const found = normalized.map((token) => anchor.exec(token.content)?.[0]);
  const anchors = found.includes(undefined) ? undefined : new RegExp(found.map((one) => `\\${one}`).join("|"));

  const readSegment = (text: string, start: number, end: number, sink: Sink): void => {
    if (inNormalized === undefined) {
      words.encode(text, start, end, sink);
      return;
    }
    // Printable ASCII changes case at most: no need to normalize what no token is in.
    const segment = text.slice(start, end);
    if (anchors?.test(segment) === false) {
      words.encode(text, start, end, sink);
      return;
    }
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
    required("encode: text", text, "text");
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

function pad(batch: TokenBatch, options: BatchOptions, padId: number | undefined): TokenBatch {
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
