/** The page that the server opens, and its files: neither holds data. */
import type { App, ServeContext } from "../context.ts";
import { type PageFiles, readPageFiles } from "../page-files.ts";

export function pageRoutes(app: App, _context: ServeContext): void {
  let reading: Promise<PageFiles> | undefined;
  app.get("*", async (c, next) => {
    if (c.req.path !== "/" && !c.req.path.startsWith("/assets/")) return next();
    const { files, headers } = await (reading ??= readPageFiles());
    const file = files.get(c.req.path);
    if (file === undefined) return next();
    const sent = { ...headers, "Content-Type": file.type, ETag: file.tag };
    if (c.req.header("If-None-Match") === file.tag) return c.body(null, 304, sent);
    return c.body(file.body, 200, sent);
  });
}
