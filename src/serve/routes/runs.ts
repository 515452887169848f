/** Training runs: which there are, and their metrics, whole or as they grow. */
import { createRoute, z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { followMetrics, type MetricsPart } from "../../train/index.ts";
import { folderTable } from "../literature/folders.ts";
import { noMetrics } from "../literature/no-metrics.ts";
import type { RunEntry, RunMetrics } from "../literature/replies.ts";
import { metricsThere, runEntry, runMarks } from "../literature/runs.ts";
import type { App, ServeContext } from "../context.ts";
import { errorBody } from "../failures.ts";
import { missing, replies, signalOf } from "./schemas.ts";

const everyMs = 1000;

const runsRoute = createRoute({
  method: "get",
  path: "/runs",
  summary: "Training runs, the newest first",
  responses: replies<RunEntry[]>("Runs", "How far each is"),
});

const metricsRoute = createRoute({
  method: "get",
  path: "/runs/{name}/metrics",
  summary: "Loss, held-out loss, other figures, rate, speed and samples of a run",
  description: "Where the client accepts text/event-stream, events named metrics as the run goes on.",
  request: { params: z.object({ name: z.string().max(1000) }) },
  responses: replies<RunMetrics>("RunMetrics", "The figures so far"),
});

/** JSON has no NaN. */
function partOf({ restarted, samples, ...curves }: MetricsPart): RunMetrics {
  const finite = (points: MetricsPart["loss"]): RunMetrics["loss"] =>
    points.map(({ step, value }) => ({ step, value: Number.isFinite(value) ? value : null }));
  const named = (of: MetricsPart["figures"]): RunMetrics["figures"] =>
    Object.fromEntries(Object.entries(of).map(([name, points]) => [name, finite(points)]));
  const { loss, heldOut, rate, speed, figures, heldOutFigures } = curves;
  return {
    restarted,
    loss: finite(loss),
    heldOut: finite(heldOut),
    rate: finite(rate),
    speed: finite(speed),
    figures: named(figures),
    heldOutFigures: named(heldOutFigures),
    samples,
  };
}

export function runsRoutes(app: App, context: ServeContext): void {
  const table = (): Promise<ReadonlyMap<string, string>> => folderTable(context.folders.runs, ...runMarks);
  app.openapi(runsRoute, async (c) => {
    const entries = await Promise.all([...(await table())].map(([name, folder]) => runEntry(name, folder)));
    return c.json(
      entries.sort((a, b) => b.changed.localeCompare(a.changed)),
      200,
    );
  });
  app.openapi(metricsRoute, async (c) => {
    const { name } = c.req.valid("param");
    const folder = (await table()).get(name);
    if (folder === undefined) throw missing(`expected a run of GET /runs, got ${JSON.stringify(name)}`);
    if (!(c.req.header("Accept") ?? "").includes("text/event-stream")) {
      if (!(await metricsThere(folder))) return c.json(partOf(noMetrics), 200);
      const { value } = await followMetrics(folder).next();
      return c.json(partOf(value as MetricsPart), 200);
    }
    const left = new AbortController();
    const signal = AbortSignal.any([signalOf(c, context), context.stopping, left.signal]);
    return streamSSE(
      c,
      async (sse) => {
        sse.onAbort(() => left.abort());
        await metricsThere(folder, { every: everyMs, signal });
        if (signal.aborted) return;
        for await (const part of followMetrics(folder, { every: everyMs, signal }))
          await sse.writeSSE({ event: "metrics", data: JSON.stringify(partOf(part)) });
      },
      async (error, sse) => {
        await sse.writeSSE({ event: "error", data: JSON.stringify(errorBody(error, context.log).body) });
      },
    ) as never;
  });
}
