/** The server's routes behind what holds for all of them: who may ask, how much, how long, and how a failure is told. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import type * as z from "zod";
import { complaint } from "../schema.ts";
import { boundedBodies } from "./body.ts";
import type { App, Routes, ServeContext } from "./context.ts";
import { failed, refusal } from "./failures.ts";
import { guarded } from "./guard.ts";
import { askRoutes } from "./routes/ask.ts";
import { chatRoutes } from "./routes/chat.ts";
import { completionRoutes } from "./routes/completions.ts";
import { corpusRoutes } from "./routes/corpus.ts";
import { embeddingRoutes } from "./routes/embeddings.ts";
import { extractRoutes } from "./routes/extract.ts";
import { healthRoutes } from "./routes/health.ts";
import { mcpRoutes } from "./routes/mcp.ts";
import { modelRoutes } from "./routes/models.ts";
import { pageRoutes } from "./routes/page.ts";
import { rerankRoutes } from "./routes/rerank.ts";
import { reviewsRoutes } from "./routes/reviews.ts";
import { runsRoutes } from "./routes/runs.ts";
import { searchRoutes } from "./routes/search.ts";
import { tokenRoutes } from "./routes/tokens.ts";

/** What `galen serve` answers, in this order; the page's files are last. */
const everything: readonly Routes[] = [
  healthRoutes,
  searchRoutes,
  askRoutes,
  runsRoutes,
  reviewsRoutes,
  corpusRoutes,
  extractRoutes,
  mcpRoutes,
  modelRoutes,
  completionRoutes,
  chatRoutes,
  embeddingRoutes,
  rerankRoutes,
  tokenRoutes,
  pageRoutes("main"),
];

/** A server's whole surface, as a function of requests. @param groups what it answers; all of `galen serve`'s by default. */
export function createApp(context: ServeContext, groups: readonly Routes[] = everything): App {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw misshapen(result.error as unknown as z.ZodError, (result as { data?: unknown }).data);
    },
  });
  app.onError((error, c) => failed(c, explained(error), context.log));
  app.notFound((c) =>
    failed(c, refusal(404, `${c.req.method} ${c.req.path.slice(0, 200)}: no such route`), context.log),
  );
  app.use(measured(context), accepting(context), guarded(context.guard), boundedBodies(context.limits));
  for (const add of groups) add(app, context);
  return app;
}

/** A value that does not fit its schema, by the field that it stands in. */
function misshapen({ issues }: z.ZodError, value: unknown): Error {
  const [issue] = issues;
  const param = issue!.path.map(String).join(".").slice(0, 200);
  return refusal(400, `${param === "" ? "body" : param}: ${complaint(issue!, value).slice(0, 500)}`, { param });
}

/** What the framework refuses by itself, in our words. */
function explained(error: Error): Error {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 415) return refusal(415, "Content-Type: expected application/json");
  if (error.status === 400 && /JSON/.test(error.message))
    return refusal(400, "body: expected JSON, got something else");
  return error;
}

/** While the server stops it begins nothing. */
function accepting({ stopping }: ServeContext): MiddlewareHandler {
  return async (_c, next) => {
    if (stopping.aborted) throw refusal(503, "the server is stopping", { headers: { Connection: "close" } });
    await next();
  };
}

function measured({ metrics }: ServeContext): MiddlewareHandler {
  let running = 0;
  metrics.gauge("galen_requests_running", {}, () => running);
  return async (c, next) => {
    const start = performance.now();
    running += 1;
    try {
      await next();
    } finally {
      running -= 1;
      const labels = { route: routePath(c), method: c.req.method };
      metrics.count("galen_requests_total", { ...labels, status: String(c.res.status) });
      metrics.observe("galen_request_seconds", labels, (performance.now() - start) / 1000);
    }
  };
}
