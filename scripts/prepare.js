/**
 * Runs at `npm ci`: compiles src/ to dist/, so that `import "galen"` works in a clone, and puts the `galen` command
 * where npx and npm scripts find it. Does nothing where the development tools are left out (npm ci --omit=dev).
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, compiler, root } from "./build.js";

if (compiler === undefined) {
  if (!existsSync(join(root, "dist"))) console.warn("galen: TypeScript is not installed, so dist/ was not built");
} else {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const status = build();
  if (status !== 0) process.exit(status);
}

if (process.platform !== "win32" && existsSync(join(root, "node_modules"))) {
  const link = join(root, "node_modules", ".bin", "galen");
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync("../../bin/galen.js", link);
}
