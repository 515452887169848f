/** The page that the server opens, and its files: neither holds data. */
import type { Routes } from "../context.ts";
import { type PageFiles, type PageName, readPageFiles } from "../page-files.ts";

/** @param page the one that "/" is. */
export function pageRoutes(page: PageName): Routes {
  return (app) => {
    let reading: Promise<PageFiles> | undefined;
    app.get("*", async (c, next) => {
      if (c.req.path !== "/" && !c.req.path.startsWith("/assets/")) return next();
      const { files, headers } = await (reading ??= readPageFiles(page));
      const file = files.get(c.req.path);
      if (file === undefined) return next();
      const sent = { ...headers, "Content-Type": file.type, ETag: file.tag };
      if (c.req.header("If-None-Match") === file.tag) return c.body(null, 304, sent);
      return c.body(file.body, 200, sent);
    });
  };
}
