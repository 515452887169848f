/** Reading data files: text, JSON, JSON lines and comma-separated values, checked against a zod schema. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { DataError } from "../errors.ts";

/** @throws DataError where the file cannot be read. */
export async function readText(path: string, hint?: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new DataError(`${path}: expected a readable file, got ${(cause as Error).message}`, { hint, cause });
  }
}

/** @throws DataError that names `where` and every field that does not fit. */
function check<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(`${where}: ${z.prettifyError(result.error)}`);
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${where}: expected JSON, got ${(cause as Error).message}`, { cause });
  }
}

/** One JSON file. @throws DataError where it is missing, no JSON, or does not fit. */
export async function readJson<S extends z.ZodType>(path: string, schema: S, hint?: string): Promise<z.output<S>> {
  return check(schema, parseJson(await readText(path, hint), path), path);
}

/**
 * Entries of a JSON object of objects, in the file's order: `JSON.parse` alone would sort keys that are whole numbers,
 * as PubMed identifiers are. @throws DataError where the file is missing, no JSON, or does not fit.
 */
export async function readJsonEntries<S extends z.ZodType>(path: string, schema: S): Promise<[string, z.output<S>][]> {
  // Within a JSON string every quote is escaped, so that this finds keys only.
  const text = (await readText(path)).replace(/"(\d+)"(?=\s*:\s*\{)/g, '"#$1"');
  const entries = check(z.record(z.string(), schema), parseJson(text, path), path);
  return Object.entries(entries).map(([key, value]) => [key.replace(/^#(?=\d+$)/, ""), value as z.output<S>]);
}

/** Lines of a UTF-8 file one by one, without their ends. @throws DataError where the file cannot be read. */
export async function* streamLines(path: string): AsyncGenerator<string> {
  let rest = "";
  let first = true;
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
      const lines = (rest + (first ? (chunk as string).replace(/^\uFEFF/, "") : (chunk as string))).split("\n");
      first = false;
      rest = lines.pop()!;
      for (const line of lines) yield line.replace(/\r$/, "");
    }
  } catch (cause) {
    throw new DataError(`${path}: expected a readable file, got ${(cause as Error).message}`, { cause });
  }
  if (rest !== "") yield rest;
}

/** One JSON value a line; blank lines are skipped. @throws DataError that names the line. */
export async function* streamJsonLines<S extends z.ZodType>(path: string, schema: S): AsyncGenerator<z.output<S>> {
  let number = 0;
  for await (const line of streamLines(path)) {
    const where = `${path}:${++number}`;
    if (line.trim() !== "") yield check(schema, parseJson(line, where), where);
  }
}

/** All of `streamJsonLines`. */
export async function readJsonLines<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>[]> {
  const values: z.output<S>[] = [];
  for await (const value of streamJsonLines(path, schema)) values.push(value);
  return values;
}

/** What opens a stream each time it is read. */
export function reopened<T>(open: () => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => open()[Symbol.asyncIterator]() };
}

/** Rows of an RFC 4180 file: quoted fields may hold commas, line ends and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (match === null) throw new DataError(`CSV: expected a comma or line end after the field at offset ${at}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push([...row, ""]);
  return rows;
}
