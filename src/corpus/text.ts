/** What the text of a document is: title and text as one, its words, and the fields of JSON that hold it. */

/** UTF-16 code units, the end exclusive. */
export type Range = readonly [start: number, end: number];

/** A text with a name of its own; a `Document` is one. */
export interface TextRow {
  readonly id: string;
  readonly title?: string | undefined;
  readonly text: string;
}

/** Title and text joined by a space, as BioGPT's pre-training and BEIR's benchmarks join them; no space without a title. */
export function titleAndText({ title = "", text }: Pick<TextRow, "title" | "text">): string {
  return title === "" ? text : `${title} ${text}`;
}

/** Most characters (UTF-16 units) of a text or title: tokenizers take up to 500 bytes of memory for each. */
export const textLimit = 2 << 20;

/** What is wrong with a text of this size, if it is too long. */
export function lengthProblem(field: string, characters: number): string | undefined {
  if (characters <= textLimit) return undefined;
  return `expected at most ${textLimit} characters in "${field}", got ${characters}: make several documents of it`;
}

/** Words as perplexities count them: separated by white space. */
export function countWords(text: string): number {
  return text.split(/\s+/).length;
}

interface Fields {
  /** Undefined where the object has none. */
  readonly id: string | undefined;
  readonly title: string;
  readonly text: string;
}

/** `id`, `title` and `text`, else `abstract`, of a JSON object; or what is wrong with it. */
export function fieldsOf(value: Readonly<Record<string, unknown>>): Fields | string {
  const { id, title = "" } = value;
  const text = value["text"] ?? value["abstract"];
  if (typeof text !== "string") return 'expected a string in "text" or "abstract", got other or none';
  if (id !== undefined && typeof id !== "string" && typeof id !== "number") {
    return 'expected a string or number in "id", got other';
  }
  if (title !== null && typeof title !== "string") return 'expected a string in "title", got other';
  const name = typeof value["text"] === "string" ? "text" : "abstract";
  const tooLong = lengthProblem(name, text.length) ?? lengthProblem("title", title?.length ?? 0);
  return tooLong ?? { id: id === undefined || id === "" ? undefined : String(id), title: title ?? "", text };
}

/** The object that a JSON line holds; or what is wrong with it. */
export function objectOf(line: string): Record<string, unknown> | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `expected a JSON object, got ${JSON.stringify(line.slice(0, 40))}`;
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : "expected a JSON object, got another JSON value";
}
