/** What the routes of literature have in common: filters in an address or a body, replies, and what is not there. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Filters, SearchIndex, SearchOptions } from "../../search/types.ts";
import type { ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";

/** A reply whose form the types say; `name` is what OpenAPI calls it. */
export const replyOf = <T>(name: string): z.ZodType<T> =>
  z.custom<T>(() => true).openapi(name, { type: "object", additionalProperties: true });

const json = <T>(schema: z.ZodType<T>, description: string) =>
  ({ description, content: { "application/json": { schema } } }) as const;

/** What a route replies. */
export const replies = <T>(name: string, description: string) =>
  ({ 200: json(replyOf<T>(name), description) }) as const;

/** To throw where what a request names is not there. */
export const missing = (message: string): Error => refusal(404, message, { code: "not_found" });

/** @throws 404 where the server has no index. */
export function indexOf({ index }: ServeContext): SearchIndex {
  if (index === undefined) throw missing("expected a server with an index, got one without: galen serve --index DIR");
  return index;
}

/** A parameter that may come several times. */
const list = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((value) => (value === undefined ? [] : [value].flat().filter((one) => one !== "")));
const year = z.coerce.number().int().min(0).max(9999).optional();
const flag = z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1");
/** "" is how forms say that nothing was chosen. */
const orNothing = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

export const searchQuery = z.object({
  q: z.string().max(5000).default(""),
  mode: orNothing(z.enum(["text", "dense", "hybrid"]).optional()),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  offset: z.coerce.number().int().min(0).max(9000).optional(),
  facets: flag.optional(),
  year_from: orNothing(year),
  year_to: orNothing(year),
  type: list,
  journal: list,
  mesh: list,
  language: list,
  retracted: orNothing(flag.optional()),
});
export type SearchQuery = z.output<typeof searchQuery>;

export function filtersOf(query: SearchQuery): Filters {
  const { year_from: first, year_to: last, type, journal, mesh, language, retracted } = query;
  const given = <T>(values: T[]): T[] | undefined => (values.length === 0 ? undefined : values);
  return {
    years: first === undefined && last === undefined ? undefined : [first ?? null, last ?? null],
    types: given(type),
    journals: given(journal),
    mesh: given(mesh),
    languages: given(language),
    retracted,
  };
}

export function optionsOf(query: SearchQuery, signal: AbortSignal): SearchOptions {
  const { mode, limit, offset, facets } = query;
  return { mode, limit, offset, facets, filters: filtersOf(query), signal };
}

/** The same in a body. */
export const filtersSchema = z
  .object({
    years: z.tuple([z.int().nullable(), z.int().nullable()]).optional(),
    types: z.array(z.string()).optional(),
    journals: z.array(z.string()).optional(),
    mesh: z.array(z.string()).optional(),
    languages: z.array(z.string()).optional(),
    sources: z.array(z.string()).optional(),
    retracted: z.boolean().optional(),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  })
  .strict()
  .openapi("Filters");

/** Ends when the client leaves or the server stops. */
export const signalOf = (c: Context, { signal }: ServeContext): AbortSignal =>
  AbortSignal.any([c.req.raw.signal, signal]);
