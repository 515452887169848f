/** JSON Lines as a stream: `.jsonl`, `.jsonl.gz`, `.jsonl.zst`. A bad line is reported with its number and skipped. */
import { Buffer, isUtf8 } from "node:buffer";
import { DataError } from "../errors.ts";
import type { ReadFailure } from "./pubmed/record.ts";
import { readBytes, type SourceFile } from "./source-files.ts";

export type JsonLine =
  | { kind: "line"; line: number; value: Record<string, unknown> }
  | { kind: "failure"; failure: ReadFailure };

const lineLimit = 64 << 20;

function parseLine(bytes: Buffer): Record<string, unknown> | string {
  if (!isUtf8(bytes)) return "expected UTF-8, got other bytes";
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return `expected a JSON object, got ${JSON.stringify(bytes.toString("utf8", 0, 40))}`;
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : "expected a JSON object, got another JSON value";
}

/** The objects of a JSONL file, one a line; blank lines do not count. */
export async function* readJsonLines(file: SourceFile, signal?: AbortSignal): AsyncGenerator<JsonLine> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let line = 0;
  const failure = (message: string, offset: number | null = null): JsonLine => ({
    kind: "failure",
    failure: { source: file.name, offset, line, message },
  });
  function* take(): Generator<JsonLine> {
    line++;
    let bytes = parts.length === 1 ? Buffer.from(parts[0]!) : Buffer.concat(parts);
    const tooLong = held > lineLimit;
    parts = [];
    held = 0;
    if (line === 1 && bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) bytes = bytes.subarray(3);
    if (tooLong) yield failure(`line longer than ${lineLimit} bytes`);
    else if (bytes.some((byte) => byte !== 32 && byte !== 9 && byte !== 13)) {
      const value = parseLine(bytes);
      yield typeof value === "string" ? failure(value) : { kind: "line", line, value };
    }
  }
  try {
    for await (const chunk of readBytes(file.path, { signal })) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        parts.push(chunk.subarray(start, end));
        held += end - start;
        start = end + 1;
        yield* take();
      }
      held += chunk.length - start;
      // Of a line that is too long only the length is kept.
      if (held > lineLimit) parts = [];
      else if (start < chunk.length) parts.push(chunk.slice(start));
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DataError) throw error;
    line++;
    yield failure(`cannot be read on: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  if (held > 0) yield* take();
}
