/**
 * Runs before the install scripts of Galen's dependencies, where npm installs the package for someone. ONNX Runtime's own
 * script fetches CUDA's libraries from NuGet and fails where that is not reached; here it is told to do so only when asked:
 * ONNXRUNTIME_NODE_INSTALL=cuda12, or --onnxruntime-node-install=cuda12 on its own command line.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const mark = "// Galen: only where CUDA is asked for.";
const guard = `"use strict";
${mark}
if (
  !process.env.ONNXRUNTIME_NODE_INSTALL &&
  !process.env.npm_config_onnxruntime_node_install &&
  !process.argv.some((word) => word.startsWith("--onnxruntime-node-install"))
) process.exit(0);
`;

try {
  const { resolve } = createRequire(import.meta.url);
  const script = join(dirname(resolve("onnxruntime-node/package.json")), "script", "install.js");
  const code = existsSync(script) ? readFileSync(script, "utf8") : mark;
  if (!code.includes(mark)) {
    // A new file in its place: a package manager's store may hold the old one under another name.
    writeFileSync(`${script}.tmp`, guard + code);
    renameSync(`${script}.tmp`, script);
  }
} catch {
  // Its script then does what it does; an install never fails here.
}
