/** Reading a config.json against a schema, with errors that name the field. */
import type * as z from "zod";
import { ConfigError } from "../errors.ts";

/** @throws ConfigError that names the first field that does not fit, what was expected and what came. */
export function parseConfig<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.map(String).join(".");
  let value: unknown = json;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  const got = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
  const message = issue.message.replace(/^Invalid input: /, "").replace(/, received [^,]*$/, "");
  throw new ConfigError(`${where}${path === "" ? "" : `: ${path}`}: ${message}, got ${got}`);
}
