/** What the text of a document is: title and text as one, its words, and the fields of JSON that hold it. */

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
  return { id: id === undefined ? undefined : String(id), title: title ?? "", text };
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
