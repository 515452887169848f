/** Texts with places in them marked, as plain data and as nodes. Places may overlap, touch, or lie outside the text. */
import type { ComponentChildren } from "preact";
import { html } from "./html.ts";

export interface MarkedRange {
  readonly start: number;
  readonly end: number;
  /** Class of the mark. */
  readonly kind: string;
}

export interface Piece {
  readonly text: string;
  /** Where it begins, in the units of the ranges. */
  readonly start: number;
  /** Kinds of the ranges that hold it, in the order that they were given in. */
  readonly kinds: readonly string[];
}

/** Cuts `text`, which begins at `offset`, where ranges begin and end. */
export function piecesOf(text: string, ranges: readonly MarkedRange[], offset: number = 0): Piece[] {
  const end = offset + text.length;
  const within = ranges
    .map((range) => ({ ...range, start: Math.max(range.start, offset), end: Math.min(range.end, end) }))
    .filter((range) => range.start < range.end);
  const cuts = [...new Set([offset, end, ...within.flatMap((range) => [range.start, range.end])])].sort(
    (a, b) => a - b,
  );
  return cuts.slice(0, -1).map((start, i) => ({
    text: text.slice(start - offset, cuts[i + 1]! - offset),
    start,
    kinds: [...new Set(within.filter((one) => one.start <= start && start < one.end).map(({ kind }) => kind))],
  }));
}

/** The same as nodes: what is in no range is text, the rest `mark` with its kinds as classes. */
export function marked(text: string, ranges: readonly MarkedRange[], offset: number = 0): ComponentChildren {
  return piecesOf(text, ranges, offset).map(({ text: piece, start, kinds }) =>
    kinds.length === 0 ? piece : html`<mark key=${start} class=${kinds.join(" ")}>${piece}</mark>`,
  );
}
