/**
 * Rows of any table, JSON lines, CSV, TSV and Parquet, as objects with their places, and their fields by usual names or by
 * those that settings give.
 */
import { DataError } from "../../errors.ts";
import { readTableBytes } from "../../io/csv.ts";
import { readParquetRows } from "../../io/parquet-rows.ts";
import { shown } from "../../schema.ts";
import { partialDate } from "../pubmed/partial-date.ts";
import { type FailureEvent, failureEvent, type Metadata, metadata } from "./events.ts";
import { readJsonValues } from "./json-values.ts";
import type { SourceInput } from "./kind.ts";
import { trialDate } from "./trial.ts";

export type RowValue = Readonly<Record<string, unknown>>;
export interface Row {
  readonly kind: "row";
  readonly value: RowValue;
  readonly line: number;
}

export const isParquetHead = (head: string): boolean => head.startsWith("PAR1");
export const isJsonHead = (head: string): boolean => /^\uFEFF?\s*[{[]/.test(head);

const isObject = (value: unknown): value is RowValue =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The rows of a file. Bad lines and rows are failures.
 * @throws DataError where the rest cannot be read, or Parquet lies in an archive or is compressed.
 */
export async function* readRowValues(input: SourceInput): AsyncGenerator<Row | FailureEvent> {
  const { name, bytes, head, path, signal } = input;
  if (isParquetHead(head)) {
    if (path === undefined) {
      throw new DataError("expected Parquet as a file of its own, got it compressed or in an archive", {
        hint: "unpack it",
      });
    }
    let line = 0;
    for await (const value of readParquetRows(path, { nested: true })) {
      signal?.throwIfAborted();
      yield { kind: "row", value, line: ++line };
    }
  } else if (isJsonHead(head)) {
    for await (const found of readJsonValues(input, head)) {
      if (found.kind === "failure") yield found;
      else {
        const values = Array.isArray(found.value) && found.line === undefined ? found.value : [found.value];
        for (const [index, value] of values.entries()) {
          const line = found.line ?? index + 1;
          if (isObject(value)) yield { kind: "row", value, line };
          else yield failureEvent(name, `expected a JSON object, got ${shown(value)}`, { line });
        }
      }
    }
  } else {
    const bad: FailureEvent[] = [];
    const onBadRow = (line: number, problem: string): void => void bad.push(failureEvent(name, problem, { line }));
    for await (const { number, value } of readTableBytes(bytes, name, { signal, onBadRow })) {
      yield* bad.splice(0);
      yield { kind: "row", value, line: number };
    }
    yield* bad.splice(0);
  }
}

/** Which columns hold what: for each field names in lower case, the likeliest first. */
export type UsualNames = Readonly<Record<string, readonly string[]>>;

export interface Fields {
  /** The field's text; "" where it has none. */
  text(field: string): string;
  /** The field's value as it stands. */
  value(field: string): unknown;
  /** The name of the column that the field was found under. */
  column(field: string): string | undefined;
  /** All scalars of columns that no field took. */
  rest(): Metadata;
}

const scalar = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";

/** Columns by usual names, for rows of one set of names: rows of a file mostly have the same. */
export function createFieldReader(
  usual: UsualNames,
  columns: Readonly<Record<string, string>> = {},
): (value: RowValue) => Fields {
  let known: { readonly key: string; readonly places: ReadonlyMap<string, string> } | undefined;
  const placesOf = (names: readonly string[]): ReadonlyMap<string, string> => {
    const lower = new Map(names.map((name) => [name.toLowerCase(), name]));
    const places = new Map<string, string>();
    for (const [field, candidates] of Object.entries(usual)) {
      const name = columns[field] ?? candidates.map((one) => lower.get(one)).find((one) => one !== undefined);
      if (name !== undefined) places.set(field, name);
    }
    return places;
  };
  return (value) => {
    const names = Object.keys(value);
    const key = names.join("\0");
    if (known?.key !== key) known = { key, places: placesOf(names) };
    const { places } = known;
    const taken = new Set(places.values());
    const valueOf = (field: string): unknown => value[places.get(field) ?? ""] ?? (places.has(field) ? "" : undefined);
    return {
      value: valueOf,
      text: (field) => scalar(valueOf(field)).replace(/\r\n?/g, "\n").trim(),
      column: (field) => places.get(field),
      rest: () => restOf(value, taken),
    };
  };
}

function restOf(value: RowValue, taken: ReadonlySet<string>): Metadata {
  const rest: Record<string, string | string[]> = {};
  for (const [name, one] of Object.entries(value)) {
    if (taken.has(name) || name === "") continue;
    if (Array.isArray(one)) rest[name] = one.map(scalar);
    else rest[name] = scalar(one).trim();
  }
  return metadata(rest);
}

/** Any usual date as partial ISO; null where it is none. */
export function rowDate(text: string): string | null {
  const found = /^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:$|[T ]\d)/.exec(text);
  if (found !== null) return partialDate(found[1]!, found[2], found[3]);
  const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (compact !== null) return partialDate(compact[1]!, compact[2], compact[3]);
  return text.length < 40 ? trialDate(text) : null;
}

/** @throws DataError where a row lacks a column that settings name. */
export function checkColumns(columns: Readonly<Record<string, string>> | undefined, value: RowValue): void {
  for (const [field, column] of Object.entries(columns ?? {})) {
    if (column in value) continue;
    throw new DataError(`expected "${column}" for ${field}, got ${Object.keys(value).join(", ") || "no columns"}`);
  }
}
