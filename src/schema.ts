/** Values checked against zod schemas: one way to say which field does not fit, what was expected and what came. */
import type * as z from "zod";
import { ConfigError, DataError, type GalenError } from "./errors.ts";

/** One of `errors.ts`. */
export type ErrorClass = new (message: string, options?: { cause?: unknown; hint?: string | undefined }) => GalenError;

/**
 * The value as the schema gives it.
 * @param where file, or file and line.
 * @throws ConfigError, or the class given, for the first field that does not fit.
 */
export function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  where: string,
  Failure: ErrorClass = ConfigError,
  hint?: string,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.map(String).join(".").slice(0, 200);
  throw new Failure(`${where}${path === "" ? "" : `: ${path}`}: ${complaint(issue, value)}`, { hint });
}

/** `expected string, got 5`. zod's own messages say less of what came, or nothing. */
export function complaint(issue: z.core.$ZodIssue, json: unknown): string {
  if (issue.code === "unrecognized_keys")
    return `expected the known fields only, got "${issue.keys.join('", "').slice(0, 200)}"`;
  let value = json;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return `${expectationOf(issue)}, got ${shown(value)}`;
}

/** What zod says was expected, without its own words around it. */
function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_union") {
    // Of branches that look into the value, what they find there says more than what it is not.
    const branches = issue.errors.map(([first]) => first).filter((first) => first !== undefined);
    const said = branches.map(expectationOf).filter((text) => text.startsWith("expected "));
    if (said.length === 0) return issue.message.startsWith("expected ") ? issue.message : "expected another value";
    return `expected ${said.map((text) => text.slice(9)).join(" or ")}`;
  }
  if (issue.code === "invalid_format" && issue.pattern !== undefined) return `expected text like ${issue.pattern}`;
  const text = issue.message.replace(/^(?:Invalid|Too) \w+: /, "").replace(/, received [^,]*$/, "");
  if (/^(?:Invalid|Too|Unrecognized)\b/.test(text)) return "expected another value";
  return text.startsWith("must ") ? `expected a value that ${text}` : text;
}

const shapes = {
  text: (value: unknown): boolean => typeof value === "string",
  object: (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value),
  list: (value: unknown): boolean => Array.isArray(value),
  "list of texts": (value: unknown): boolean => Array.isArray(value),
  /** Rows of numbers; typed arrays are rows, too. */
  "list of lists of numbers": (value: unknown): boolean => Array.isArray(value),
  stream: (value: unknown): boolean =>
    typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value),
} as const;
/** What a caller gives. */
type Shape = keyof typeof shapes;

/** Of what stands in a list. */
const itemShapes: { readonly [shape in Shape]?: (item: unknown) => boolean } = {
  "list of texts": shapes.text,
  "list of lists of numbers": (item) => Array.isArray(item) || (ArrayBuffer.isView(item) && "length" in item),
};

/**
 * Arguments as a program in JavaScript gives them, which no compiler has looked at. Items of lists are looked at, too,
 * as far as they are what the list is of; numbers are not.
 * @throws ConfigError that names the argument, what was expected and what came.
 */
export function required(where: string, value: unknown, shape: Shape): void {
  if (!shapes[shape](value)) {
    const inList = shape.startsWith("list") && typeof value === "string";
    throw misshapen(where, shape, value, inList ? `put it in a list: [${shown(value)}]` : undefined);
  }
  const isItem = itemShapes[shape];
  if (isItem === undefined) return;
  const items = value as readonly unknown[];
  for (let i = 0; i < items.length; i++) {
    if (isItem(items[i])) continue;
    const isRow = shape === "list of lists of numbers" && typeof items[i] === "number";
    const hint = isRow ? `one list is one row: put it in a list, [${shown(value)}]` : undefined;
    throw misshapen(`${where}[${i}]`, shape === "list of texts" ? "text" : "list of numbers", items[i], hint);
  }
}

function misshapen(where: string, expected: string, value: unknown, hint: string | undefined): ConfigError {
  const article = /^[aeiou]/.test(expected) ? "an" : "a";
  return new ConfigError(`${where}: expected ${article} ${expected}, got ${shown(value)}`, { hint });
}

/** A value as errors show it: at most 80 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 80);
  } catch {
    return `a ${typeof value}`; // one that holds itself, or is too deep
  }
}

/** Whether lists and objects stand in one another more than `most` times: what walks them would not come back. */
export function isTooDeep(value: unknown, most: number = 100): boolean {
  if (typeof value !== "object" || value === null) return false;
  return most === 0 || Object.values(value).some((one) => isTooDeep(one, most - 1));
}

/** What `text` is as JSON. @throws DataError, or the class given, where it is none. */
export function parsedJson(text: string, where: string, Failure: ErrorClass = DataError): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure(`${where}: expected JSON, got ${(cause as Error).message}`, { cause });
  }
}

/** What a file of settings holds. @throws ConfigError where it is no JSON, or does not fit. */
export function parsedSettings<S extends z.ZodType>(text: string, where: string, schema: S): z.output<S> {
  const value = parsedJson(text, where, ConfigError);
  if (isTooDeep(value)) throw new ConfigError(`${where}: expected at most 100 levels of nesting`);
  return checked(schema, value, where);
}
