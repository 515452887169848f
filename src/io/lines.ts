/**
 * The lines of a file or of stdin: the one place where text is cut into lines. Only line feeds end a line, with a
 * carriage return before them or without: U+2028 is text, which Node's readline would split at, and JSON may hold it.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { DataError } from "../errors.ts";
import { readBytes, stdin } from "./bytes.ts";

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end. */
  readonly text: string;
}

/** A line that is not UTF-8, or too long. */
export interface BadLine {
  readonly number: number;
  readonly problem: string;
}

export interface LineOptions {
  /** Most bytes of a line. Default 16 MiB: room for any document, too little for JSON that would fill the memory. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const defaultLimit = 16 << 20;
const lineFeed = 10;
const carriageReturn = 13;
const byteOrderMark = Buffer.from("\uFEFF");

/**
 * Cuts a stream of bytes into lines, in time that grows with its length however long the lines are. A line beyond the
 * limit is reported as soon as it is; of the rest of it nothing is kept.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  { limit = defaultLimit }: Pick<LineOptions, "limit"> = {},
): AsyncGenerator<Line | BadLine> {
  // A line's parts are joined once, at its end: joined at every chunk, one long line would cost quadratic time.
  let parts: Uint8Array[] = [];
  let held = 0;
  let number = 1;
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length;) {
      const feed = chunk.indexOf(lineFeed, start);
      const end = feed < 0 ? chunk.length : feed;
      const fitted = held <= limit;
      held += end - start;
      if (held <= limit) parts.push(chunk.subarray(start, end));
      else if (fitted) {
        parts = [];
        yield { number, problem: `expected a line of at most ${limit} bytes, got a longer one` };
      }
      start = end + 1;
      if (feed < 0) continue;
      if (held <= limit) yield lineOf(number, parts, true);
      [parts, held] = [[], 0];
      number += 1;
    }
  }
  if (held > 0 && held <= limit) yield lineOf(number, parts, false);
}

function lineOf(number: number, parts: readonly Uint8Array[], ended: boolean): Line | BadLine {
  const bytes = Buffer.concat(parts);
  if (!isUtf8(bytes)) return { number, problem: "expected UTF-8, got other bytes" };
  const start = number === 1 && bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  const end = ended && bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
  return { number, text: bytes.toString("utf8", start, end) };
}

/**
 * The lines of a file (.gz and .zst are decompressed), or of stdin where `path` is "-".
 * @throws DataError where the file cannot be read, or a line is not UTF-8 or beyond the limit; the signal's reason.
 */
export async function* readLines(path: string, options: LineOptions = {}): AsyncGenerator<Line> {
  const name = nameOf(path);
  for await (const line of splitLines(readable(path, options), options)) {
    options.signal?.throwIfAborted();
    if ("text" in line) yield line;
    else throw new DataError(`${name}:${line.number}: ${line.problem}`);
  }
}

/** A path as messages name it. */
export function nameOf(path: string): string {
  return path === stdin ? "stdin" : path;
}

async function* readable(path: string, { signal }: LineOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* readBytes(path, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new DataError(`${nameOf(path)}: expected a readable file, got ${(cause as Error).message}`, { cause });
  }
}
