/**
 * Texts that a model is applied to: a line of a file each, or JSON lines with `text` (else `abstract`) and, if they are
 * there, `id` (else `_id`) and `title`, or the rows of a table (.csv, .tsv, .parquet) with columns of these names. A file whose
 * first text begins with a brace is read as JSON lines.
 */
import { DataError } from "../errors.ts";
import { columnHint, isTable, readRows } from "../io/csv.ts";
import type { RecordOptions } from "../io/json.ts";
import { nameOf, readLines } from "../io/lines.ts";
import { type Items, mapWindows, type StreamOptions } from "../io/streams.ts";
import { required } from "../schema.ts";
import { fieldsOf, lengthProblem, objectOf, type TextRow, titleAndText } from "./text.ts";

export interface ReadTextsOptions extends RecordOptions {
  /** Blank lines are texts too. Default false. */
  readonly keepBlank?: boolean | undefined;
}

/**
 * The texts of a file (.gz and .zst are decompressed), or of stdin where `path` is "-". Without an id a text is named
 * by the number of its line.
 * @throws DataError that names the line which cannot be read.
 */
export async function* readTexts(
  path: string,
  { keepBlank = false, ...options }: ReadTextsOptions = {},
): AsyncGenerator<TextRow> {
  required("readTexts: path", path, "text");
  if (isTable(path)) {
    for await (const { number, value } of readRows(path, options)) {
      yield textOf(value, `${path}:${number}`, String(number), columnHint(value));
    }
    return;
  }
  let isJson: boolean | undefined;
  for await (const { number, text } of readLines(path, options)) {
    const isBlank = text.trim() === "";
    if (!isBlank) isJson ??= text.startsWith("{");
    if (isBlank && !keepBlank) continue;
    if (isBlank || !isJson) {
      const tooLong = lengthProblem("text", text.length);
      if (tooLong !== undefined) throw new DataError(`${nameOf(path)}:${number}: ${tooLong}`);
      yield { id: String(number), text };
      continue;
    }
    const where = `${nameOf(path)}:${number}`;
    const value = objectOf(text);
    if (typeof value !== "string") yield textOf(value, where, String(number));
    else {
      throw new DataError(`${where}: ${value}`, {
        hint: "the first text begins with a brace, so JSON lines are expected",
      });
    }
  }
}

function textOf(value: Readonly<Record<string, unknown>>, where: string, number: string, hint?: string): TextRow {
  const found = fieldsOf({ id: value["_id"], ...value });
  if (typeof found === "string") throw new DataError(`${where}: ${found}`, { hint });
  return { ...found, id: found.id ?? number };
}

/** What `compute` finds in each text (title and text as one), `window` of them together, beside the text and its id. */
export function mapTexts<Found extends object>(
  texts: Items<TextRow>,
  compute: (texts: readonly string[]) => Promise<readonly Found[]>,
  options: StreamOptions & { readonly window: number },
): AsyncGenerator<Pick<TextRow, "id" | "text"> & Found> {
  const computeRows = async (rows: readonly TextRow[]) => {
    rows.forEach((row, i) => {
      required(`texts: item ${i} of the window`, row, "object");
      required(`texts: item ${i} of the window: text`, row.text, "text");
    });
    const joined = rows.map(titleAndText);
    const found = await compute(joined);
    return rows.map(({ id }, i) => ({ id, text: joined[i]!, ...found[i]! }));
  };
  required("texts", texts, "stream");
  return mapWindows(texts, computeRows, options);
}
