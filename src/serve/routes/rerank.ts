/** `/v1/rerank` and `/rerank`, as Cohere, Jina and vLLM have it: documents in the order in which they answer a query. */
import { createRoute, z } from "@hono/zod-openapi";
import { randomUUID } from "node:crypto";
import type { App, ServeContext } from "../context.ts";
import { requireRoom } from "../generation.ts";
import { bodyOf, json } from "../schemas.ts";
import { endOf } from "../sse.ts";

const request = z
  .object({
    model: z.string().max(500),
    query: z.string(),
    documents: z
      .array(z.union([z.string(), z.object({ text: z.string() })]))
      .min(1)
      .max(2048),
    top_n: z.int().min(1).nullish(),
    return_documents: z.boolean().nullish(),
  })
  .openapi("RerankRequest");

const response = z
  .object({
    id: z.string(),
    model: z.string(),
    results: z.array(
      z.object({
        index: z.int(),
        relevance_score: z.number().openapi({ description: "The model's own score: higher is better" }),
        document: z.object({ text: z.string() }).optional(),
      }),
    ),
  })
  .openapi("Reranked");

export function rerankRoutes(app: App, context: ServeContext): void {
  for (const path of ["/v1/rerank", "/rerank"]) {
    const route = createRoute({
      method: "post",
      path,
      tags: ["Retrieval"],
      summary: "Documents in the order in which they answer a query",
      request: bodyOf(request),
      responses: json(response, "Best first"),
    });
    app.openapi(route, async (c) => {
      const { model: name, query, documents, top_n: most, return_documents: full } = c.req.valid("json");
      using lease = await context.models.use(name, "reranker", "embedder");
      const { model } = lease;
      const texts = documents.map((one) => (typeof one === "string" ? one : one.text));
      requireRoom(model.waiting, texts.length, context);
      const scores = await model.score(query, texts, endOf(c, context));
      const results = scores
        .map((relevance_score, index) => ({
          index,
          relevance_score,
          ...(full === true ? { document: { text: texts[index]! } } : {}),
        }))
        .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
        .slice(0, most ?? undefined);
      return c.json({ id: `rerank-${randomUUID()}`, model: name, results }, 200);
    });
  }
}
