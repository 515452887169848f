/** Values checked against zod schemas: one way to say which field does not fit, what was expected and what came. */
import type * as z from "zod";
import { ConfigError, type GalenError } from "./errors.ts";

/** One of `errors.ts`. */
export type ErrorClass = new (message: string, options?: { cause?: unknown }) => GalenError;

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
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.map(String).join(".");
  throw new Failure(`${where}${path === "" ? "" : `: ${path}`}: ${complaint(issue, value)}`);
}

/** `expected string, got 5`. zod's own messages say less of what came, or nothing. */
function complaint(issue: z.core.$ZodIssue, json: unknown): string {
  if (issue.code === "unrecognized_keys") return `expected the known fields only, got "${issue.keys.join('", "')}"`;
  let value = json;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  const got = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
  const expected = issue.message.replace(/^(?:Invalid|Too) \w+: /, "").replace(/, received [^,]*$/, "");
  return `${expected}, got ${got}`;
}
