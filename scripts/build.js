/**
 * Compiles src/ to dist/: what runs in Node, then the page, which has the browser's library of types, and beside it the
 * files of the page that need no compiler.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** TypeScript's compiler; undefined where the development tools are left out. */
export const compiler = (() => {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  } catch {
    return undefined;
  }
})();

/** @returns 0, or the compiler's exit code. */
export function build() {
  for (const project of ["tsconfig.build.json", "tsconfig.page.json"]) {
    const emit = project === "tsconfig.page.json" ? ["--noEmit", "false", "--declaration", "false"] : [];
    const args = [compiler, "-p", join(root, project), ...emit];
    const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
    if (status !== 0) return status ?? 1;
  }
  for (const name of ["style.css", "feedback.css", "icon.svg"])
    copyFileSync(join(root, "src/page", name), join(root, "dist/page", name));
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build();
