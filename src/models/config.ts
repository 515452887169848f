/** Reading a config.json against a schema, with errors that name the field, and what the schemas of families share. */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { type Activation, activations } from "../nn/activations.ts";

/** `hidden_act`. */
export const activationName: z.ZodType<Activation, Activation> = z.enum(Object.keys(activations) as [Activation]);

/** A network of the fields that most families have, in which every part is there and nothing takes time. */
export const caricature = {
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 64,
} as const;

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
