/**
 * The page's files: its own modules, compiled, or from sources with their types stripped; the libraries that it uses, out
 * of node_modules by a fixed table; and the document that loads them, with an import map whose hash the policy names.
 * Every address is looked up in a table that is made at the start: none becomes a path.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RuntimeError } from "../errors.ts";

export interface PageFile {
  readonly type: string;
  readonly body: string;
  /** Strong entity tag of the body. */
  readonly tag: string;
}

export interface PageFiles {
  /** By address: "/", "/assets/page/main.js". */
  readonly files: ReadonlyMap<string, PageFile>;
  /** Of every one of them: nothing of elsewhere, nothing inline but the import map; in no one's frame. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A page is a module of src/page that draws it: that of `galen serve`, and that of `galen feedback`. */
export type PageName = "main" | "feedback-main";

const assets = "/assets";
const types = {
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
  html: "text/html; charset=utf-8",
} as const;

/** Import name → file beside the one that Node finds for it. */
const libraries: readonly (readonly [name: string, file: string])[] = [
  ["preact", "preact.module.js"],
  ["preact/hooks", "hooks.module.js"],
  ["htm", "htm.module.js"],
  ["uplot", "uPlot.esm.js"],
];
/** Modules beyond the page's folder that it runs; they import nothing. */
const shared = ["extract/review-state", "serve/literature/no-metrics"];

const addressOf = (library: string): string => `${assets}/lib/${library.replace("/", "-")}.js`;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

function fileOf(kind: keyof typeof types, body: string): PageFile {
  return { type: types[kind], body, tag: `"${sha256(body)}"` };
}

interface Modules {
  /** The folder that holds page/ and extract/. */
  readonly root: string;
  readonly extension: "ts" | "js";
  compiled(text: string): string;
}

/** Compiled beside this file, or its source; of sources dist/ where this Node strips no types. */
function modulesFor(here: string): Modules {
  const root = join(dirname(here), "..");
  if (here.endsWith(".js")) return { root, extension: "js", compiled: (text) => text };
  const { stripTypeScriptTypes } = nodeModule as { stripTypeScriptTypes?: (text: string) => string };
  if (stripTypeScriptTypes !== undefined)
    return { root, extension: "ts", compiled: (text) => stripTypeScriptTypes(text) };
  const dist = join(root, "../dist");
  if (existsSync(join(dist, "page/main.js"))) return { root: dist, extension: "js", compiled: (text) => text };
  throw new RuntimeError(`the page: expected a build or a Node that strips types, got Node ${process.versions.node}`, {
    hint: 'run "npm run build", or use Node 22.13 or later',
  });
}

function documentOf(page: PageName, extension: string): { html: string; map: string } {
  const imports = Object.fromEntries(libraries.map(([name]) => [name, addressOf(name)]));
  const map = JSON.stringify({ imports });
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Galen</title>
<link rel="icon" href="${assets}/page/icon.svg">
<link rel="stylesheet" href="${assets}/lib/uplot.css">
<link rel="stylesheet" href="${assets}/page/style.css">
<link rel="stylesheet" href="${assets}/page/feedback.css">
<script type="importmap">${map}</script>
<script type="module" src="${assets}/page/${page}.${extension}"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`;
  return { html, map };
}

/** Reads all of them, some 300 KB. @throws RuntimeError where there is neither a build nor a Node that strips types. */
export async function readPageFiles(page: PageName): Promise<PageFiles> {
  const { root, extension, compiled } = modulesFor(fileURLToPath(import.meta.url));
  const files = new Map<string, PageFile>();
  const read = (...path: string[]): Promise<string> => readFile(join(root, ...path), "utf8");
  const names = await readdir(join(root, "page"));
  for (const name of names.filter((name) => name.endsWith(`.${extension}`) && !/\.(d|test)\.ts$/.test(name)))
    files.set(`${assets}/page/${name}`, fileOf("js", compiled(await read("page", name))));
  for (const module of shared)
    files.set(`${assets}/${module}.${extension}`, fileOf("js", compiled(await read(`${module}.${extension}`))));
  for (const name of ["style.css", "feedback.css"])
    files.set(`${assets}/page/${name}`, fileOf("css", await read("page", name)));
  files.set(`${assets}/page/icon.svg`, fileOf("svg", await read("page/icon.svg")));
  const { resolve } = nodeModule.createRequire(import.meta.url);
  for (const [name, file] of libraries) {
    const body = await readFile(join(dirname(resolve(name)), file), "utf8");
    files.set(addressOf(name), fileOf("js", body.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n")));
  }
  const style = await readFile(join(dirname(resolve("uplot")), "uPlot.min.css"), "utf8");
  files.set(`${assets}/lib/uplot.css`, fileOf("css", style));
  const { html, map } = documentOf(page, extension);
  files.set("/", fileOf("html", html));
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${sha256(map)}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    files,
    headers: {
      "Content-Security-Policy": policy.join("; "),
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Cross-Origin-Resource-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
    },
  };
}
