/**
 * Texts that a model is applied to: a line of a file each, or JSON lines with `text` (else `abstract`) and, if they are
 * there, `id` (else `_id`) and `title`. A file whose first text begins with a brace is read as JSON lines.
 */
import { DataError } from "../errors.ts";
import { type LineOptions, nameOf, readLines } from "../io/lines.ts";
import { type Items, mapWindows, type StreamOptions } from "../io/streams.ts";
import { required } from "../schema.ts";
import { fieldsOf, lengthProblem, objectOf, type TextRow, titleAndText } from "./text.ts";

export interface ReadTextsOptions extends LineOptions {
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
  let isJson: boolean | undefined;
  for await (const { number, text } of readLines(path, options)) {
    const isBlank = text.trim() === "";
    if (!isBlank) isJson ??= text.startsWith("{");
    if (isBlank && !keepBlank) continue;
    if (isBlank || !isJson) {
      const tooLong = lengthProblem("text", text.length);
      if (tooLong !== undefined) throw new DataError(`${nameOf(path)}:${number}: ${tooLong}`);
      yield { id: String(number), text };
    } else yield textOf(text, `${nameOf(path)}:${number}`, String(number));
  }
}

function textOf(line: string, where: string, number: string): TextRow {
  const value = objectOf(line);
  const found = typeof value === "string" ? value : fieldsOf({ id: value["_id"], ...value });
  if (typeof found === "string") {
    const hint =
      typeof value === "string" ? "the first text begins with a brace, so JSON lines are expected" : undefined;
    throw new DataError(`${where}: ${found}`, { hint });
  }
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
