/** Search and documents of the index: as JSON, and as files that reference managers read. */
import { createRoute, z } from "@hono/zod-openapi";
import { formatted } from "../../search/formats.ts";
import type { IndexedDocument, SearchIndex, SearchResult } from "../../search/types.ts";
import type { App, ServeContext } from "../context.ts";
import { indexOf, missing, optionsOf, replies, searchQuery, signalOf } from "./schemas.ts";

const idParameter = z.object({ id: z.string().min(1).max(1000) });

const searchRoute = createRoute({
  method: "get",
  path: "/search",
  summary: "Search the index",
  request: { query: searchQuery },
  responses: replies<SearchResult>("SearchResult", "Hits, best first"),
});

const documentRoute = createRoute({
  method: "get",
  path: "/documents/{id}",
  summary: "A document of the index",
  request: { params: idParameter },
  responses: replies<IndexedDocument>("IndexedDocument", "The record with its sections"),
});

const similarRoute = createRoute({
  method: "get",
  path: "/documents/{id}/similar",
  summary: "Documents that are like one of the index",
  request: { params: idParameter, query: searchQuery.omit({ q: true }) },
  responses: replies<SearchResult>("SearchResult", "Hits, best first"),
});

/** Formats by the ending of the address. */
const files = {
  ris: { format: "ris", type: "application/x-research-info-systems" },
  bib: { format: "bibtex", type: "application/x-bibtex" },
  csv: { format: "csv", type: "text/csv" },
} as const;

const fileRoute = (ending: keyof typeof files) =>
  createRoute({
    method: "get",
    path: `/search.${ending}`,
    summary: `The same as ${files[ending].format}`,
    request: { query: searchQuery },
    responses: {
      200: { description: "A file", content: { [files[ending].type]: { schema: z.string() } } },
    },
  });

async function findOne(index: SearchIndex, id: string): Promise<IndexedDocument> {
  const [document] = await index.documents([id]);
  if (document === undefined)
    throw missing(`expected a document of the index, got the id ${JSON.stringify(id)} of none`);
  return document;
}

export function searchRoutes(app: App, context: ServeContext): void {
  app.openapi(searchRoute, async (c) => {
    const index = indexOf(context);
    const query = c.req.valid("query");
    return c.json(await index.search(query.q, optionsOf(query, signalOf(c, context))), 200);
  });
  app.openapi(documentRoute, async (c) => {
    const index = indexOf(context);
    const { id } = c.req.valid("param");
    return c.json(await findOne(index, id), 200);
  });
  app.openapi(similarRoute, async (c) => {
    const index = indexOf(context);
    const { id } = c.req.valid("param");
    await findOne(index, id);
    const options = optionsOf({ ...c.req.valid("query"), q: "" }, signalOf(c, context));
    return c.json(await index.similar(id, options), 200);
  });
  for (const ending of Object.keys(files) as (keyof typeof files)[]) {
    app.openapi(fileRoute(ending), async (c) => {
      const index = indexOf(context);
      const query = c.req.valid("query");
      const result = await index.search(query.q, optionsOf(query, signalOf(c, context)));
      const found = await index.documents(result.hits.map(({ id }) => id));
      // Deleted since the search: a citation of it would be one of nothing.
      const kept = result.hits.flatMap((hit, i) => (found[i] === undefined ? [] : [{ hit, document: found[i] }]));
      const text = formatted(
        files[ending].format,
        { ...result, hits: kept.map(({ hit }) => hit) },
        kept.map(({ document }) => document),
      );
      c.header("Content-Disposition", `attachment; filename="galen.${ending}"`);
      return c.body(text, 200, { "Content-Type": `${files[ending].type}; charset=utf-8` });
    });
  }
}
