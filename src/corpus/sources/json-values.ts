/**
 * The values that a JSON file holds: one value, lines of them (NDJSON), or a list in it. A file that is one value is read
 * whole, up to a limit; lines are read one by one, without one.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { DataError } from "../../errors.ts";
import { splitLines } from "../../io/lines.ts";
import { isTooDeep, shown } from "../../schema.ts";
import { type FailureEvent, failureEvent } from "./events.ts";
import type { SourceInput } from "./kind.ts";

/** Of one file that is one JSON value. */
const wholeLimit = 64 << 20;

export interface JsonValue {
  readonly kind: "value";
  readonly value: unknown;
  /** The value's line where the file has one a line; else undefined. */
  readonly line: number | undefined;
}

/** All bytes of an input. @throws DataError where there are more than `limit`. */
export async function wholeBytes({ bytes, signal }: SourceInput, limit: number): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    held += chunk.length;
    if (held > limit) throw new DataError(`expected at most ${limit} bytes, got more: make several files of it`);
    parts.push(chunk);
  }
  return Buffer.concat(parts, held);
}

/** Text of an input, without a byte order mark. @throws DataError where it is no UTF-8, or beyond the limit. */
export async function wholeText(input: SourceInput, limit: number): Promise<string> {
  const bytes = await wholeBytes(input, limit);
  if (!isUtf8(bytes)) throw new DataError("expected UTF-8, got other bytes");
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

/** The value that a text is; or what is wrong with it. */
export function jsonOf(text: string): { readonly value: unknown } | string {
  try {
    const value: unknown = JSON.parse(text);
    return isTooDeep(value) ? "expected at most 100 levels of nesting, got more" : { value };
  } catch {
    return `expected JSON, got ${shown(text.slice(0, 40))}`;
  }
}

/** Whether the first line of a file is a JSON value of its own, and more follow. */
export function isJsonLines(head: string): boolean {
  const [first = "", second] = head.replace(/^\uFEFF/, "").split(/\r?\n/, 2);
  if (!first.startsWith("{")) return false;
  return typeof jsonOf(first) !== "string" || (second === undefined && first.length > 60_000);
}

/** The values of a file, of which `head` is the beginning. @throws what the bytes throw. */
export async function* readJsonValues(input: SourceInput, head: string): AsyncGenerator<JsonValue | FailureEvent> {
  const { name, bytes, signal } = input;
  if (!isJsonLines(head)) {
    const found = jsonOf(await wholeText(input, wholeLimit));
    if (typeof found === "string") throw new DataError(found);
    yield { kind: "value", value: found.value, line: undefined };
    return;
  }
  for await (const line of splitLines(bytes)) {
    signal?.throwIfAborted();
    const { number } = line;
    if ("problem" in line) {
      yield failureEvent(name, line.problem, { line: number });
      continue;
    }
    if (!/[^ \t\r]/.test(line.text)) continue;
    const found = jsonOf(line.text);
    if (typeof found === "string") yield failureEvent(name, found, { line: number });
    else yield { kind: "value", value: found.value, line: number };
  }
}
