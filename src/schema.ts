/** Values checked against zod schemas: one way to say which field does not fit, what was expected and what came. */
import type * as z from "zod";
import { ConfigError, type GalenError } from "./errors.ts";

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
  const path = issue.path.map(String).join(".");
  throw new Failure(`${where}${path === "" ? "" : `: ${path}`}: ${complaint(issue, value)}`, { hint });
}

/** `expected string, got 5`. zod's own messages say less of what came, or nothing. */
function complaint(issue: z.core.$ZodIssue, json: unknown): string {
  if (issue.code === "unrecognized_keys") return `expected the known fields only, got "${issue.keys.join('", "')}"`;
  let value = json;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  const got = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return `${expectationOf(issue)}, got ${got}`;
}

/** What zod says was expected, without its own words around it. */
function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_union") {
    // Of branches that look into the value, what they find there says more than what it is not.
    const branches = issue.errors.map(([first]) => first).filter((first) => first !== undefined);
    const said = branches.map(expectationOf).filter((text) => text.startsWith("expected "));
    return said.length === 0 ? "expected another value" : `expected ${said.map((text) => text.slice(9)).join(" or ")}`;
  }
  if (issue.code === "invalid_format" && issue.pattern !== undefined) return `expected text like ${issue.pattern}`;
  const text = issue.message.replace(/^(?:Invalid|Too) \w+: /, "").replace(/, received [^,]*$/, "");
  if (/^(?:Invalid|Too|Unrecognized)\b/.test(text)) return "expected another value";
  return text.startsWith("must ") ? `expected a value that ${text}` : text;
}
