/**
 * The files of an exact store, wherever they lie: `segments.json`, which says which segments count, and segments of JSON
 * lines with their vectors beside them as float32, little-endian.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import type { Change } from "./exact.ts";
import type { StoredDocument } from "./store.ts";

export const damaged = "the index is damaged: make it again with galen index";
/** Characters of a line: a document's text may be as long as any document that is read, and its characters be escaped. */
export const longestLine: number = 64 << 20;

export const segmentsSchema = z.object({
  /** Segments of an earlier generation are gone. */
  generation: z.int().nonnegative(),
  /** So many segments were written at once; those behind them are changes. */
  ordered: z.int().nonnegative(),
  segments: z.array(z.string().regex(/^\d{1,9}-\d{1,9}$/)),
});
export type Segments = z.output<typeof segmentsSchema>;

const textOrNull = z.string().nullable();
const place = z.int().nonnegative();
const putLine = z.object({
  document: z.object({
    id: z.string(),
    title: z.string(),
    text: z.string(),
    sections: z.array(z.object({ label: textOrNull, start: place, end: place })),
    date: textOrNull,
    year: z.int().nullable(),
    types: z.array(z.string()),
    journal: textOrNull,
    journalAbbreviation: textOrNull,
    volume: textOrNull,
    issue: textOrNull,
    pages: textOrNull,
    authors: z.array(z.string()),
    mesh: z.array(z.string()),
    keywords: z.array(z.string()),
    language: textOrNull,
    doi: textOrNull,
    pmcid: textOrNull,
    retracted: z.boolean(),
    source: z.string(),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  /** Start and end of each. */
  passages: z.array(z.tuple([place, place])),
});
const lineSchema = z.union([putLine, z.object({ delete: z.string() })]);

export type SegmentChange =
  | { readonly kind: "put"; readonly stored: StoredDocument }
  | { readonly kind: "delete"; readonly id: string };

export function lineOf(change: Change): string {
  if (change.kind === "clear") return "";
  if (change.kind === "delete") return `${JSON.stringify({ delete: change.id })}\n`;
  const { document, passages } = change.stored;
  return `${JSON.stringify({ document, passages: passages.map(({ start, end }) => [start, end]) })}\n`;
}

/** What a line of a segment says, vectors left out. @throws DataError for what is none. */
export function changeOf(text: string, where: string): SegmentChange {
  const found = lineSchema.safeParse(valueOf(text));
  const isWrong = (): DataError =>
    new DataError(`${where}: expected a document of the index, got something else`, { hint: damaged });
  if (!found.success) throw isWrong();
  if ("delete" in found.data) return { kind: "delete", id: found.data.delete };
  const { document, passages } = found.data;
  const isWithin = ([start, end]: readonly [number, number]): boolean => start <= end && end <= document.text.length;
  if (!passages.every(isWithin)) throw isWrong();
  return { kind: "put", stored: { document, passages: passages.map(([start, end]) => ({ start, end })) } };
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** That there is no such file. */
export function noVectors(path: string, cause?: unknown): DataError {
  return new DataError(`${path}: expected the vectors of the segment beside it, got no readable file`, {
    hint: damaged,
    cause,
  });
}

/**
 * A segment's changes with the vectors of their passages, if it has any.
 * @param width numbers in a vector; 0: passages have none.
 * @throws DataError where there are more or fewer than passages.
 */
export async function withVectors(
  changes: readonly SegmentChange[],
  width: number,
  path: string,
  read: () => Promise<Uint8Array>,
): Promise<readonly SegmentChange[]> {
  const count = changes.reduce((sum, one) => sum + (one.kind === "put" ? one.stored.passages.length : 0), 0);
  if (width === 0 || count === 0) return changes;
  const bytes = await read();
  if (bytes.byteLength !== count * width * Float32Array.BYTES_PER_ELEMENT) {
    throw new DataError(`${path}: expected ${count} vectors of ${width} numbers, got ${bytes.byteLength} bytes`, {
      hint: damaged,
    });
  }
  const data = new Float32Array(bytes.slice().buffer);
  let next = 0;
  return changes.map((change) => {
    if (change.kind !== "put") return change;
    const { document, passages } = change.stored;
    const found = passages.map((passage) => {
      const vector = data.subarray(next * width, (next + 1) * width);
      next += 1;
      return { ...passage, vector };
    });
    return { kind: "put", stored: { document, passages: found } };
  });
}
