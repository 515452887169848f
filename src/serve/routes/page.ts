/** The page that the server opens, and its files. They hold no data, and want no token. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { type PageFiles, readPageFiles } from "../page-files.ts";

export function addPage(app: OpenAPIHono): void {
  let reading: Promise<PageFiles> | undefined;
  for (const path of ["/", "/assets/*"]) {
    app.get(path, async (c) => {
      const { files, headers } = await (reading ??= readPageFiles());
      const file = files.get(c.req.path);
      if (file === undefined) return c.notFound();
      c.header("X-Content-Type-Options", "nosniff");
      c.header("Cross-Origin-Opener-Policy", "same-origin");
      c.header("Cache-Control", "no-cache");
      c.header("ETag", file.tag);
      for (const [name, value] of Object.entries(headers)) c.header(name, value);
      if (c.req.header("If-None-Match") === file.tag) return c.body(null, 304);
      return c.body(file.body, 200, { "Content-Type": file.type });
    });
  }
}
