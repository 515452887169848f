/** Reports of the datasets that were named at the command line. */
import { createRoute } from "@hono/zod-openapi";
import { corpusMark, corpusReports } from "../literature/corpora.ts";
import { folderTable } from "../literature/folders.ts";
import type { CorpusEntry } from "../literature/replies.ts";
import type { App, ServeContext } from "../context.ts";
import { replies } from "./schemas.ts";

const corpusRoute = createRoute({
  method: "get",
  path: "/corpus",
  summary: "Reports of datasets: counts, years, files, what could not be read",
  responses: replies<CorpusEntry[]>("Corpus", "One a dataset"),
});

export function corpusRoutes(app: App, context: ServeContext): void {
  const report = corpusReports();
  app.openapi(corpusRoute, async (c) => {
    const table = await folderTable(context.folders.corpus, corpusMark);
    return c.json(await Promise.all([...table].map(([name, folder]) => report(name, folder))), 200);
  });
}
