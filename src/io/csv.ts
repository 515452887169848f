/**
 * Tables as rows: Parquet (`parquet-rows.ts`), and in text, CSV and TSV, as objects by the names in their first row
 * (csv-parse). The separator is found, of comma, tab, semicolon and bar; byte order marks tell UTF-8 from UTF-16, which
 * spreadsheets write; quotes are RFC 4180's.
 */
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import { DataError } from "../errors.ts";
import { readBytes } from "./bytes.ts";
import type { LineOptions } from "./lines.ts";
import { isParquet, readParquetRows } from "./parquet-rows.ts";

/** Under which names of the file's the fields are found that a reader expects: `{ text: "abstract" }`. */
export interface ColumnNames {
  readonly id?: string | undefined;
  readonly text?: string | undefined;
  readonly label?: string | undefined;
}

export interface TableOptions extends Pick<LineOptions, "signal"> {
  readonly columns?: ColumnNames | undefined;
  /** Of a file whose first row has no names: those of its columns. The separator is then the file name's own. */
  readonly names?: readonly string[] | undefined;
  /** Of Parquet the columns of lists and structures too. Default false. */
  readonly nested?: boolean | undefined;
  /** Gets what is wrong with a row of too many cells, and the others go on; without it that is thrown. */
  readonly onBadRow?: ((line: number, problem: string) => void) | undefined;
}

export interface TableRow {
  /** Of its last line, from 1; of Parquet of the row. */
  readonly number: number;
  /** Texts; of Parquet also numbers and whatever else it holds. */
  readonly value: Readonly<Record<string, unknown>>;
}

/** Whether a file's name is a table's, Parquet included. */
export function isTable(path: string): boolean {
  return isParquet(path) || /\.(?:csv|tsv)(?:\.gz|\.zst)?$/i.test(path);
}

const separators = [",", "\t", ";", "|"];
const limit = 16 << 20;
const headerLimit = 1 << 20;

/** Text of bytes, in the encoding that their mark tells. @throws DataError for bytes that are not UTF-8. */
async function* decode(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  try {
    for await (const chunk of chunks) {
      const isUtf16 = chunk[0] === 0xff && chunk[1] === 0xfe;
      decoder ??= new TextDecoder(isUtf16 ? "utf-16le" : "utf-8", { fatal: true });
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder?.decode() ?? "";
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_ENCODING_INVALID_ENCODED_DATA") throw cause;
    throw new DataError("expected UTF-8, got other bytes", { cause });
  }
}

const usualSeparator = (path: string): string => (/\.tsv/i.test(path) ? "\t" : ",");

/** What separates cells: of the marks outside quotes in the first line, the commonest. */
function separatorOf(start: string, path: string): string {
  const line = /^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(start)![0].replaceAll(/"(?:[^"]|"")*"/g, "");
  const usual = usualSeparator(path);
  const count = (mark: string): number => line.split(mark).length;
  return separators.reduce((best, mark) => (count(mark) > count(best) ? mark : best), usual);
}

/** The text, and its first line before it: all of it where that is not ended within a megabyte. */
async function firstLine(texts: AsyncGenerator<string>): Promise<string> {
  let start = "";
  while (!/[\r\n]/.test(start) && start.length < headerLimit) {
    const next = await texts.next();
    if (next.done === true) break;
    start += next.value;
  }
  return start;
}

/**
 * The rows of a table behind its first, which names the columns; blank ones are left out. With `columns`, what is
 * found under those names is also found under the fields'.
 * @throws DataError for a column that is not there, and, with the line, where rows cannot be told apart.
 */
export async function* readTable(path: string, options: TableOptions = {}): AsyncGenerator<TableRow> {
  const { columns = {}, nested, signal } = options;
  if (!isParquet(path)) yield* readTableBytes(readBytes(path, { signal }), path, options);
  else {
    let number = 0;
    for await (const row of readParquetRows(path, { check: (names) => void namesOf(names, columns), nested })) {
      signal?.throwIfAborted();
      yield { number: ++number, value: withFields(row, columns) };
    }
  }
}

/**
 * The rows of a table in text, from its bytes.
 * @param path its name, which may tell its separator.
 * @throws DataError as `readTable`.
 */
export async function* readTableBytes(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  options: TableOptions = {},
): AsyncGenerator<TableRow> {
  const { columns = {}, signal, onBadRow } = options;
  const texts = decode(bytes);
  const start = await firstLine(texts);
  const parser = parse({
    delimiter: options.names === undefined ? separatorOf(start, path) : usualSeparator(path),
    info: true,
    max_record_size: limit,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  const whole = async function* (): AsyncGenerator<string> {
    yield start;
    yield* texts;
  };
  const rows = new PassThrough({ objectMode: true, highWaterMark: 64 });
  // The error comes out of `rows` too, where it is thrown.
  const feeding = pipeline(whole, parser, rows).catch(() => undefined);
  let { names } = options;
  try {
    for await (const { record, info } of rows as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      signal?.throwIfAborted();
      if (names === undefined) names = namesOf(record, columns);
      else if (onBadRow !== undefined && record.length > names.length)
        onBadRow(info.lines, `expected ${names.length} cells, as the first row has, got ${record.length}`);
      else yield { number: info.lines, value: rowOf(record, names, columns, info.lines) };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(`line ${parser.info.lines}: ${problemOf(error)}`, { cause: error });
  } finally {
    rows.destroy();
    await feeding;
  }
}

function namesOf(header: readonly string[], columns: ColumnNames): string[] {
  const names = header.map((name) => name.trim());
  for (const column of Object.values(columns)) {
    if (column === undefined || names.includes(column)) continue;
    throw new DataError(`expected a column "${column}", got ${names.join(", ")}`);
  }
  const double = names.find((name, i) => name !== "" && names.indexOf(name) < i);
  if (double !== undefined) throw new DataError(`expected columns of different names, got "${double}" twice`);
  return names;
}

function rowOf(
  record: readonly string[],
  names: readonly string[],
  columns: ColumnNames,
  line: number,
): Record<string, string> {
  if (record.length > names.length) {
    throw new DataError(`line ${line}: expected ${names.length} cells, as the first row has, got ${record.length}`, {
      hint: "a cell with the separator or a line end in it is put in quotes",
    });
  }
  return withFields(Object.fromEntries(names.map((name, i) => [name, record[i] ?? ""])), columns);
}

/** The row with its fields under the names that a reader expects, too. */
function withFields<T>(row: Readonly<Record<string, T>>, columns: ColumnNames): Record<string, T> {
  const value = { ...row };
  for (const [field, column] of Object.entries(columns)) {
    if (column !== undefined && row[column] !== undefined) value[field] = row[column];
  }
  return value;
}

function problemOf({ code, message }: CsvError): string {
  if (code === "CSV_QUOTE_NOT_CLOSED") return "expected a quote that closes the cell, got the end of the file";
  if (code === "CSV_MAX_RECORD_SIZE") return `expected a row of at most ${limit} bytes, got a longer one`;
  return `expected rows of cells, got others (${message})`;
}

/** `readTable` with the file's name in its errors. @throws DataError */
export async function* readRows(path: string, options: TableOptions = {}): AsyncGenerator<TableRow> {
  try {
    yield* readTable(path, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new DataError(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Says which columns a table has, and how others are named. */
export function columnHint(row: object): string {
  return `the columns are ${Object.keys(row).join(", ")}; --text-column, --label-column and --id-column name others`;
}
