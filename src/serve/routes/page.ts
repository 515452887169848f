/**
 * The page's files by a table of known names, made when the server starts: no path of a request ever reaches the disk.
 * Run from sources, types are taken out here; in the package they are JavaScript already.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Libraries of the page: name in its addresses, and file in the package. */
const libraries: Readonly<Record<string, readonly [name: string, file: string]>> = {
  "/vendor/preact.js": ["htm", "preact/standalone.module.js"],
  "/vendor/uplot.js": ["uplot", "dist/uPlot.esm.js"],
  "/vendor/uplot.css": ["uplot", "dist/uPlot.min.css"],
};

/** Nothing of elsewhere, nothing inline; in no one's frame. */
const headers = {
  "Content-Security-Policy":
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

const folder = fileURLToPath(new URL("../../page/", import.meta.url));

export function pageRoutes(app: App, _context: ServeContext): void {
  const known = filesOf(folder);
  app.get("*", async (c, next) => {
    const path = known.get(c.req.path);
    if (path === undefined) return next();
    return c.body(await contentOf(path), 200, { ...headers, "Content-Type": types[extname(path)]! });
  });
}

/** Addresses and the files behind them. */
function filesOf(root: string): Map<string, string> {
  const require = createRequire(import.meta.url);
  const known = new Map<string, string>();
  for (const [address, [name, file]] of Object.entries(libraries)) {
    known.set(address, join(packageFolder(require, name), file));
  }
  for (const name of namesIn(root)) {
    if (types[extname(name)] === undefined || /\.(?:test|d)\.ts$/.test(name)) continue;
    known.set(name === "index.html" ? "/" : `/page/${name}`, join(root, name));
  }
  return known;
}

function packageFolder(require: NodeJS.Require, name: string): string {
  const entry = dirname(require.resolve(name));
  return entry.slice(0, entry.lastIndexOf(join("node_modules", name)) + join("node_modules", name).length);
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  } catch {
    return []; // a package without its page answers programs all the same
  }
}

async function contentOf(path: string): Promise<string> {
  const text = readFileSync(path, "utf8");
  if (!path.endsWith(".ts")) return text;
  const { stripTypeScriptTypes } = await import("node:module");
  if (stripTypeScriptTypes !== undefined) return stripTypeScriptTypes(text);
  throw refusal(501, "the page run from sources needs Node 22.13 or newer");
}
