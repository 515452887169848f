/** JSON lines and tables as a stream of objects: `.jsonl`, `.csv`, `.tsv`, with .gz or .zst, `.parquet`. A bad line is reported and skipped. */
import { readBytes } from "../io/bytes.ts";
import { type ColumnNames, isTable, readTable } from "../io/csv.ts";
import { splitLines } from "../io/lines.ts";
import type { ReadFailure } from "./pubmed/record.ts";
import type { SourceFile } from "./source-files.ts";
import { objectOf } from "./text.ts";

export type JsonLine =
  | { readonly kind: "line"; readonly line: number; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: "failure"; readonly failure: ReadFailure };

/** The objects of a JSONL file, one a line, or of a table, one a row; blank lines do not count. */
export async function* readObjects(
  file: SourceFile,
  { signal, columns }: { readonly signal?: AbortSignal | undefined; readonly columns?: ColumnNames | undefined } = {},
): AsyncGenerator<JsonLine> {
  let line = 0;
  const failure = (message: string): JsonLine => ({
    kind: "failure",
    failure: { source: file.name, offset: null, line, message },
  });
  try {
    if (isTable(file.path)) {
      for await (const { number, value } of readTable(file.path, { signal, columns })) {
        line = number;
        yield { kind: "line", line, value };
      }
      return;
    }
    for await (const found of splitLines(readBytes(file.path, { signal }))) {
      line = found.number;
      if ("problem" in found) yield failure(found.problem);
      else if (/[^ \t\r]/.test(found.text)) {
        const value = objectOf(found.text);
        yield typeof value === "string" ? failure(value) : { kind: "line", line, value };
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    line += 1;
    yield failure(`cannot be read on: ${error instanceof Error ? error.message : String(error)}`);
  }
}
