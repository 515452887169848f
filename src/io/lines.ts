/** Lines of a file or of stdin. Only line feeds end a line: U+2028 is text, which Node's readline would split at. */
import { createReadStream } from "node:fs";
import { DataError } from "../errors.ts";

/**
 * The lines of `path`, of stdin where there is none or it is "-"; without their ends.
 * @throws DataError where the file cannot be read or is not UTF-8.
 */
export async function* readLines(path: string | undefined): AsyncGenerator<string> {
  const stream = path === undefined || path === "-" ? process.stdin : createReadStream(path);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield line.replace(/\r$/, "");
    }
    rest += decoder.decode();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${path ?? "stdin"}: expected lines of UTF-8 text, got ${reason}`, { cause });
  }
  if (rest !== "") yield rest;
}
