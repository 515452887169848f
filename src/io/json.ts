/** JSON files, JSON lines and tables: each value is checked against a zod schema, and errors name file, line and field. */
import { open } from "node:fs/promises";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { checked, parsedJson, parsedSettings } from "../schema.ts";
import { readText, writeAtomically } from "./files.ts";
import { type ColumnNames, columnHint, isTable, readRows } from "./csv.ts";
import { type LineOptions, nameOf, readLines } from "./lines.ts";
import type { Items } from "./streams.ts";

/** A data file. @throws DataError, with the hint, where it is missing or does not fit, or where it is no JSON. */
export async function readJson<S extends z.ZodType>(path: string, schema: S, hint?: string): Promise<z.output<S>> {
  return checked(schema, parsedJson(await readText(path, hint), path), path, DataError, hint);
}

const anyObject = z.looseObject({});

/**
 * A file of settings, such as config.json; where there is none, `missing` is taken for what it holds.
 * @throws ConfigError where it cannot be read, is no JSON, or does not fit; without a schema, where it is no object.
 */
export async function readSettings(path: string): Promise<z.output<typeof anyObject> | undefined>;
export async function readSettings<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined>;
export async function readSettings<S extends z.ZodType>(path: string, schema: S, missing: object): Promise<z.output<S>>;
export async function readSettings(path: string, schema: z.ZodType = anyObject, missing?: object): Promise<unknown> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    const { message, cause } = error as Error;
    // A model may be a file, which holds no other.
    if (!["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? ""))
      throw new ConfigError(message, { cause: error });
    return missing === undefined ? undefined : checked(schema, missing, path);
  }
  return parsedSettings(text, path, schema);
}

/**
 * Entries of a JSON object of objects, in the file's order: `JSON.parse` alone would sort keys that are whole numbers,
 * as PubMed identifiers are. @throws DataError where the file is missing, no JSON, or does not fit.
 */
export async function readJsonEntries<S extends z.ZodType>(path: string, schema: S): Promise<[string, z.output<S>][]> {
  // Within a JSON string every quote is escaped, so that this finds keys only.
  const text = (await readText(path)).replace(/"(\d+)"(?=\s*:\s*\{)/g, '"#$1"');
  const entries = checked(z.record(z.string(), schema), parsedJson(text, path), path, DataError);
  return Object.entries(entries).map(([key, value]) => [key.replace(/^#(?=\d+$)/, ""), value as z.output<S>]);
}

export interface RecordOptions extends LineOptions {
  /** Of a table. */
  readonly columns?: ColumnNames | undefined;
}

/**
 * One JSON value a line, or the rows of a table (.csv, .tsv) as objects; blank lines are skipped.
 * @throws DataError that names the line.
 */
export async function* streamJsonLines<S extends z.ZodType>(
  path: string,
  schema: S,
  options: RecordOptions = {},
): AsyncGenerator<z.output<S>> {
  if (isTable(path)) {
    for await (const { number, value } of readRows(path, { ...options, nested: true })) {
      yield checked(schema, value, `${path}:${number}`, DataError, columnHint(value));
    }
    return;
  }
  for await (const { number, text } of readLines(path, options)) {
    if (text.trim() === "") continue;
    const where = `${nameOf(path)}:${number}`;
    yield checked(schema, parsedJson(text, where), where, DataError);
  }
}

/** All of `streamJsonLines`. */
export async function readJsonLines<S extends z.ZodType>(
  path: string,
  schema: S,
  options: RecordOptions = {},
): Promise<z.output<S>[]> {
  const values: z.output<S>[] = [];
  for await (const value of streamJsonLines(path, schema, options)) values.push(value);
  return values;
}

/** The values of lines that Galen wrote itself, of any length, taken as they are. @throws DataError that names the line. */
export async function* streamOwnLines<T>(path: string): AsyncGenerator<T> {
  for await (const { number, text } of readLines(path, { limit: Infinity })) {
    yield parsedJson(text, `${path}:${number}`) as T;
  }
}

/**
 * Writes values as JSON lines; the file appears under its name when all of them are there.
 * @returns how many there were.
 * @throws the signal's reason once it is aborted.
 */
export async function writeJsonLines(
  path: string,
  values: Items<object>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  let count = 0;
  await writeAtomically(path, async (temporary) => {
    await using file = await open(temporary, "wx");
    for await (const value of values) {
      signal?.throwIfAborted();
      await file.appendFile(`${JSON.stringify(value)}\n`);
      count += 1;
    }
    signal?.throwIfAborted();
  });
  return count;
}
