/** Pieces of the routes' descriptions that many have. */
import { z } from "@hono/zod-openapi";

export const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .openapi("Error");

/** What a route answers: JSON of this shape, or an error. */
export function json<S extends z.ZodType>(
  schema: S,
  description: string,
): {
  200: { description: string; content: { "application/json": { schema: S } } };
  default: { description: string; content: { "application/json": { schema: typeof errorSchema } } };
} {
  return {
    200: { description, content: { "application/json": { schema } } },
    default: { description: "What was wrong", content: { "application/json": { schema: errorSchema } } },
  };
}

/** A request's body. */
export function bodyOf<S extends z.ZodType>(
  schema: S,
): { body: { required: true; content: { "application/json": { schema: S } } } } {
  return { body: { required: true, content: { "application/json": { schema } } } };
}

export const usageSchema = z
  .object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() })
  .openapi("Usage");
