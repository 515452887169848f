/**
 * From pieces to model inputs: truncation, the template that adds [CLS] and [SEP] and type ids, and padding, as Hugging
 * Face tokenizers does them (truncate_encodings, TemplateProcessing, pad_encodings).
 */
import { ConfigError } from "../errors.ts";
import type { Encoding } from "./tokenizer.ts";

export type Truncation = "longest_first" | "only_first" | "only_second" | "do_not_truncate";
export type Side = "left" | "right";

/** A part of the template: special tokens, or the first (0) or second (1) text. */
export type TemplatePart =
  | { readonly special: string; readonly ids: readonly number[]; readonly typeId: number }
  | { readonly sequence: 0 | 1; readonly typeId: number };

/** Tokens `start` to `end` of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface PairEncoding extends Encoding {
  /** 0 for the first text, 1 for the second. */
  readonly typeIds: number[];
  /** 1 where the template put a special token. */
  readonly specialTokensMask: number[];
  /** Which text the offsets are of: 0 or 1; null for the template's tokens. */
  readonly sequenceIds: (0 | 1 | null)[];
}

export interface Template {
  readonly single: readonly TemplatePart[];
  readonly pair: readonly TemplatePart[];
}

/** How many tokens the template adds. */
export function addedByTemplate(parts: readonly TemplatePart[]): number {
  let count = 0;
  for (const part of parts) if ("special" in part) count += part.ids.length;
  return count;
}

/**
 * How many tokens to keep of texts with `first` and `second` tokens (undefined: no second text), so that at most `room`
 * are left.
 *
 * @throws ConfigError where the strategy cannot reach `room`.
 */
export function keptLengths(
  first: number,
  second: number | undefined,
  room: number,
  truncation: Truncation,
): [first: number, second: number] {
  const total = first + (second ?? 0);
  if (truncation === "do_not_truncate" || total <= room) return [first, second ?? 0];
  if (room < 0) {
    throw new ConfigError(`maxLength: expected room for the special tokens, got ${-room} fewer`, {
      hint: "raise maxLength",
    });
  }
  if (truncation === "longest_first") {
    if (second === undefined) return [room, 0];
    // The shorter text stays whole while it fits in half of the room; the second text has the odd token.
    const half = Math.floor(room / 2);
    const shorter = Math.min(first, second);
    if (shorter <= half) return first > second ? [room - second, second] : [first, room - first];
    return first > second ? [room - half, half] : [half, room - half];
  }
  if (room === 0) return [0, 0];
  const target = truncation === "only_first" ? first : second;
  if (target === undefined) {
    throw new ConfigError('truncation "only_second": expected a pair of texts, got one', {
      hint: 'use "longest_first" or "only_first"',
    });
  }
  const kept = target - (total - room);
  if (kept <= 0) {
    throw new ConfigError(
      `truncation "${truncation}": expected the ${truncation === "only_first" ? "first" : "second"} text to have more ` +
        `than the ${total - room} tokens to remove, got ${target}`,
      { hint: 'raise maxLength or use "longest_first"' },
    );
  }
  return truncation === "only_first" ? [kept, second ?? 0] : [first, kept];
}

/** Parts of `length` tokens of at most `room`, each but the first repeating `stride` of the one before. */
export function windows(length: number, room: number, stride: number): Span[] {
  if (!Number.isInteger(stride) || stride < 0 || stride >= room) {
    throw new ConfigError(
      `stride: expected a whole number from 0, less than the window's ${room} tokens, got ${stride}`,
      {
        hint: "raise maxLength or lower stride",
      },
    );
  }
  const spans: Span[] = [];
  for (let start = 0; ; start += room - stride) {
    const end = Math.min(start + room, length);
    spans.push({ start, end });
    if (end === length) return spans;
  }
}

/** Texts, each with the part of it that is kept, put into the template. */
export function layOut(
  parts: readonly TemplatePart[],
  texts: readonly { readonly ids: readonly number[]; readonly offsets: readonly number[]; readonly span: Span }[],
  tokens: readonly string[],
): PairEncoding {
  const encoding: PairEncoding = {
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
    const { ids, offsets, span } = texts[part.sequence]!;
    for (let i = span.start; i < span.end; i++) {
      put(ids[i]!, offsets[2 * i]!, offsets[2 * i + 1]!, part.typeId, part.sequence);
    }
  }
  return encoding;
}

/** The same for ids alone; appends to `typeIds` where it is given. */
export function layOutIds(
  parts: readonly TemplatePart[],
  texts: readonly { readonly ids: readonly number[] }[],
  spans: readonly Span[],
  typeIds: number[] | undefined,
): number[] {
  const result: number[] = [];
  for (const part of parts) {
    const ids = "special" in part ? part.ids : texts[part.sequence]!.ids;
    const { start, end } = "special" in part ? { start: 0, end: ids.length } : spans[part.sequence]!;
    for (let i = start; i < end; i++) {
      result.push(ids[i]!);
      typeIds?.push(part.typeId);
    }
  }
  return result;
}

/** `items` filled up to `length` with `filler`, in place, at the given side. */
export function padTo(items: number[], length: number, filler: number, side: Side): number[] {
  const missing = length - items.length;
  if (missing <= 0) return items;
  const filling = Array.from({ length: missing }, () => filler);
  return side === "right" ? items.concat(filling) : filling.concat(items);
}
