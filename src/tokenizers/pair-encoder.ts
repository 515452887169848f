/**
 * Encoding of texts and pairs of texts for tokenizers that read a text into ids and offsets: truncation, windows, the
 * template of special tokens with its type ids, batches and padding. The same for every kind that has a template.
 */
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";
import {
  addedByTemplate,
  keptLengths,
  layOut,
  layOutIds,
  padTo,
  type PairEncoding,
  type Span,
  type Template,
  type TemplatePart,
  windows,
} from "./layout.ts";
import type { BatchOptions, PairTokenizer, SpanOptions, TextOrPair, TokenBatch, TruncationOptions } from "./pairs.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What reading a text writes to: flat offsets (start, end, start, end …) in UTF-16 units, or none. */
export interface Sink {
  readonly ids: number[];
  readonly offsets: number[] | undefined;
}

export interface TextReader {
  /** Appends the tokens of a text, without those of the template. */
  readonly read: (text: string, sink: Sink) => void;
  /** undefined: nothing is added. */
  readonly template: Template | undefined;
  /** Tokens by id. */
  readonly tokens: readonly string[];
  readonly padId: number | undefined;
}

type PairMethods = Pick<
  PairTokenizer,
  "frame" | "encode" | "encodePair" | "encodeWindows" | "encodeIds" | "encodeBatch"
>;

const bareTemplate: Template = {
  single: [{ sequence: 0, typeId: 0 }],
  pair: [
    { sequence: 0, typeId: 0 },
    { sequence: 1, typeId: 1 },
  ],
};

/** The methods of a tokenizer that encode. */
export function pairMethods({ read, template = bareTemplate, tokens, padId }: TextReader): PairMethods {
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
    return pad(batch, options, padId);
  };

  return {
    frame: frameOf(template.single),
    encode: (text, options = {}) => encode([text], options),
    encodePair: (first, second, options = {}) => encode([first, second], options),
    encodeWindows,
    encodeIds: (text) => encodeIds([text], {}),
    encodeBatch,
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
