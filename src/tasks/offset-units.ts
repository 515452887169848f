/**
 * Which unit the offsets of a file count: UTF-16 code units, as JavaScript does, or code points, as Python does. They
 * differ behind characters beyond U+FFFF, such as most emoji. The entities themselves tell: their text, where the file
 * gives it, else that they begin and end as words do.
 */
import { DataError } from "../errors.ts";

export const offsetUnits = ["utf-16", "code-points"] as const;
export type OffsetUnit = (typeof offsetUnits)[number];

export interface OffsetSpan {
  readonly start: number;
  readonly end: number;
  /** What stands there, where the file says it. */
  readonly text?: string | undefined;
}

export interface OffsetText {
  readonly id: string;
  readonly text: string;
  readonly spans: readonly OffsetSpan[];
}

/** Turns offsets of a text into UTF-16 code units; undefined for places outside of it. */
export function offsetReader(text: string, unit: OffsetUnit): (offset: number) => number | undefined {
  if (unit === "utf-16" || !hasPairs(text)) return (offset) => (offset <= text.length ? offset : undefined);
  const starts = [0];
  for (const character of text) starts.push(starts.at(-1)! + character.length);
  return (offset) => starts[offset];
}

const hasPairs = (text: string): boolean => /[\u{10000}-\u{10ffff}]/u.test(text);

/**
 * The unit of a file's offsets, found by the texts in which it makes a difference; UTF-16 where there are none.
 * @throws DataError where both fit alike.
 */
export function offsetUnitOf(where: string, texts: Iterable<OffsetText>): OffsetUnit {
  const wrong = { "utf-16": 0, "code-points": 0 };
  let example: string | undefined;
  for (const { id, text, spans } of texts) {
    if (!hasPairs(text)) continue;
    const [units, points] = offsetUnits.map((unit) => offsetReader(text, unit));
    for (const span of spans) {
      const [a, b] = [units!, points!].map((read) => [read(span.start), read(span.end)] as const);
      if (a![0] === b![0] && a![1] === b![1]) continue;
      example ??= id;
      if (!fits(text, a!, span)) wrong["utf-16"] += 1;
      if (!fits(text, b!, span)) wrong["code-points"] += 1;
    }
  }
  if (example !== undefined && wrong["utf-16"] === wrong["code-points"]) {
    throw new DataError(
      `${where}: "${example}": expected offsets that tell whether they count UTF-16 code units or code points ` +
        `(characters, as in Python), got some that ${wrong["utf-16"] === 0 ? "may be either" : "fit neither"}`,
      { hint: 'give each entity its "text" too, or say "offsets": "utf-16" or "code-points" in the task\'s JSON file' },
    );
  }
  return wrong["code-points"] < wrong["utf-16"] ? "code-points" : "utf-16";
}

type Place = readonly [start: number | undefined, end: number | undefined];

const letterBefore = /[\p{L}\p{N}]$/u;
const letterAfter = /^[\p{L}\p{N}]/u;

/** Whether a span's own text stands there or, where it has none, whole words. */
function fits(text: string, [start, end]: Place, span: OffsetSpan): boolean {
  if (start === undefined || end === undefined || start >= end) return false;
  const found = text.slice(start, end);
  if (span.text !== undefined) return sameText(found, span.text);
  if (!found.isWellFormed() || found.trim() !== found) return false;
  const cutsBefore = letterAfter.test(found) && letterBefore.test(text.slice(Math.max(0, start - 2), start));
  const cutsAfter = letterBefore.test(found) && letterAfter.test(text.slice(end, end + 2));
  return !cutsBefore && !cutsAfter;
}

/** But for white space. */
export function sameText(a: string, b: string): boolean {
  const plain = (text: string): string => text.replace(/\s+/g, " ").trim();
  return plain(a) === plain(b);
}
