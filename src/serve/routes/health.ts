/** `/health`, `/metrics` and `/openapi.json`: what the server says of itself. */
import { createRoute, z } from "@hono/zod-openapi";
import type { App, ServeContext } from "../context.ts";

const health = createRoute({
  method: "get",
  path: "/health",
  tags: ["Server"],
  summary: "Whether the server answers, and over what",
  responses: {
    200: {
      description: "It does",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ok"), documents: z.int().nullable() }),
        },
      },
    },
  },
});

export function healthRoutes(app: App, { index, metrics }: ServeContext): void {
  metrics.gauge("galen_resident_memory_bytes", {}, () => process.memoryUsage.rss());
  app.openapi(health, async (c) => c.json({ status: "ok" as const, documents: (await index?.count()) ?? null }, 200));
  app.get("/metrics", (c) => c.text(metrics.text(), 200, { "Content-Type": "text/plain; version=0.0.4" }));
  app.doc31("/openapi.json", { openapi: "3.1.0", info: { title: "Galen", version: "1" } });
}
