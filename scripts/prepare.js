/**
 * Runs at `npm ci`: compiles src/ to dist/, so that `import "galen"` works in a clone, and puts the `galen` command
 * where npx and npm scripts find it. Does nothing where the development tools are left out (npm ci --omit=dev).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function compiler() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  } catch {
    return undefined;
  }
}

const tsc = compiler();
if (tsc === undefined) {
  if (!existsSync(join(root, "dist"))) console.warn("galen: TypeScript is not installed, so dist/ was not built");
} else {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.platform !== "win32" && existsSync(join(root, "node_modules"))) {
  const link = join(root, "node_modules", ".bin", "galen");
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync("../../bin/galen.js", link);
}
