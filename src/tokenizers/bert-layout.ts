/**
 * From pieces to model inputs: truncation, the template that adds [CLS] and [SEP] and type ids, and padding, as Hugging
 * Face tokenizers does them (truncate_encodings, TemplateProcessing, pad_encodings).
 */
import { ConfigError } from "../errors.ts";

export type Truncation = "longest_first" | "only_first" | "only_second" | "do_not_truncate";
export type Side = "left" | "right";

/** A part of the template: special tokens, or the first (0) or second (1) text. */
export type TemplatePart =
  | { readonly special: string; readonly ids: readonly number[]; readonly typeId: number }
  | { readonly sequence: 0 | 1; readonly typeId: number };

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

/** `items` cut to `count`, keeping its beginning (side "right") or its end (side "left"). */
export function cut<Item>(items: Item[], count: number, side: Side): Item[] {
  if (items.length <= count) return items;
  return side === "right" ? items.slice(0, count) : items.slice(items.length - count);
}

/** `items` filled up to `length` with `filler`, in place, at the given side. */
export function padTo(items: number[], length: number, filler: number, side: Side): number[] {
  const missing = length - items.length;
  if (missing <= 0) return items;
  const filling = Array.from({ length: missing }, () => filler);
  return side === "right" ? items.concat(filling) : filling.concat(items);
}
