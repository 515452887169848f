/** Texts given as words of a command, or in windows from a file: lines, or `text` of JSON lines. */
import { DataError, UsageError } from "../errors.ts";
import { readLines } from "../io/lines.ts";

export interface TextRow {
  readonly id: string;
  readonly text: string;
}

/** Title and text of a JSON line with `text`; of another line itself. */
function rowOf(line: string, number: number, path: string): TextRow {
  if (!line.startsWith("{")) return { id: String(number), text: line };
  let json: { id?: unknown; _id?: unknown; title?: unknown; text?: unknown };
  try {
    json = JSON.parse(line) as typeof json;
  } catch (cause) {
    throw new DataError(`${path}:${number}: expected a JSON object with "text", got no JSON`, { cause });
  }
  const { text, title, id = json["_id"] ?? number } = json;
  if (typeof text !== "string") throw new DataError(`${path}:${number}: text: expected a string, got ${typeof text}`);
  return { id: String(id), text: typeof title === "string" && title !== "" ? `${title} ${text}` : text };
}

/** @throws UsageError unless there are texts or a file, and not both. */
export async function* textWindows(
  texts: readonly string[],
  file: string | undefined,
  size = 1024,
): AsyncGenerator<TextRow[]> {
  if (texts.length > 0 === (file !== undefined)) {
    throw new UsageError(`TEXT: expected texts or --file FILE, got ${file === undefined ? "none" : "both"}`);
  }
  if (file === undefined) return yield texts.map((text, i) => ({ id: String(i + 1), text }));
  let window: TextRow[] = [];
  let number = 0;
  for await (const line of readLines(file)) {
    number += 1;
    if (line.trim() !== "") window.push(rowOf(line, number, file));
    if (window.length === size) {
      yield window;
      window = [];
    }
  }
  if (window.length > 0) yield window;
}
