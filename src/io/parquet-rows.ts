/**
 * Parquet files of any writer (pyarrow, DuckDB, Polars, pandas) as rows of a table: every column by its name, an empty
 * text for a missing one as a table's empty cell is. A row group at a time is in memory, within the limits of
 * `parquet-check.ts`. Left out, and refused by name: encryption, LZ4, values with shared prefixes.
 */
import { open } from "node:fs/promises";
import type { SchemaElement } from "hyparquet";
import { DataError } from "../errors.ts";
import type { Leaf } from "./parquet-check.ts";
import { decodeGroup, fileBuffer, orDamaged, readFooter } from "./parquet-file.ts";
import { refusePointer } from "./pointer.ts";

/** Whether a file's name is a Parquet file's. */
export function isParquet(path: string): boolean {
  return /\.parquet$/i.test(path);
}

/** A column as it stands in a schema: its scalars, and whether it is one. */
interface Column {
  readonly name: string;
  readonly leaves: Leaf[];
  readonly isText: boolean;
  /** Holds lists or structures. */
  readonly isNested: boolean;
}

const valueBytesOf: Readonly<Record<string, number>> = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8 };

/** The columns of a schema, whose elements stand one after the other, each with its children behind it. */
function columnsOf(schema: readonly SchemaElement[]): Column[] {
  let at = 0;
  const read = (path: readonly string[], definition: number, repetition: number): Leaf[] => {
    const element = schema[at++];
    if (element === undefined) throw new DataError("expected a schema with all its columns, got one cut short");
    const { name, repetition_type: kind = "REQUIRED", num_children: children = 0 } = element;
    const own = path.length === 0 && at === 1 ? [] : [...path, name];
    const isOptional = at > 1 && kind !== "REQUIRED";
    const [deeper, wider] = [definition + Number(isOptional), repetition + Number(at > 1 && kind === "REPEATED")];
    if (children === 0) {
      const valueBytes = element.type_length ?? valueBytesOf[element.type ?? ""];
      return [{ path: own, maxDefinition: deeper, maxRepetition: wider, valueBytes }];
    }
    if (own.length > 32) throw new DataError("expected columns of at most 32 levels, got more");
    const leaves: Leaf[] = [];
    for (let i = 0; i < children; i++) leaves.push(...read(own, deeper, wider));
    return leaves;
  };
  const leaves = read([], 0, 0);
  const names = [...new Set(leaves.map(({ path }) => path[0]!))];
  const texts = new Set(schema.filter(({ type }) => type === "BYTE_ARRAY").map(({ name }) => name));
  return names.map((name) => {
    const own = leaves.filter(({ path }) => path[0] === name);
    const isNested = own.length > 1 || own[0]!.path.length > 1 || own[0]!.maxRepetition > 0;
    return { name, leaves: own, isText: !isNested && texts.has(name), isNested };
  });
}

/** Numbers, texts and lists of them, as JSON would hold them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array);
  return Array.isArray(value) ? value.map(plain) : value;
}

/**
 * The rows of a file, each with its columns by name; with `nested` those of lists and structures too.
 * @throws DataError where the file is damaged, beyond the limits, or `check` throws it for the names of the columns.
 */
export async function* readParquetRows(
  path: string,
  {
    check,
    nested = false,
  }: { readonly check?: (names: readonly string[]) => void; readonly nested?: boolean | undefined } = {},
): AsyncGenerator<Record<string, unknown>> {
  await refusePointer(path);
  await using handle = await open(path, "r");
  const file = fileBuffer(handle, (await handle.stat()).size);
  const { metadata } = await readFooter(file);
  const all = await orDamaged(async () => columnsOf(metadata.schema));
  const columns = all.filter(({ isNested }) => nested || !isNested);
  const names = columns.map(({ name }) => name);
  check?.(names);
  const leaves = columns.flatMap((column) => column.leaves);
  for (const group of metadata.row_groups) {
    const rows = await orDamaged(() => decodeGroup(file, metadata, group, names, leaves));
    for (const row of rows) {
      const value: Record<string, unknown> = {};
      for (const { name, isText } of columns) {
        const found = row[name] ?? (isText ? "" : undefined);
        if (found !== undefined) value[name] = plain(found);
      }
      yield value;
    }
  }
}
