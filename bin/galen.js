#!/usr/bin/env node
/**
 * Starts the command line. A clone has its own Node as a dependency, which takes over from one that is older than 22;
 * dist/ is what runs where it exists; else src/, by a Node that strips types. GALEN_SOURCE=1 takes src/ in any case.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const ownNode = pathOf(`../node_modules/node/bin/node${process.platform === "win32" ? ".exe" : ""}`);
const built = existsSync(pathOf("../dist/cli/main.js")) && process.env.GALEN_SOURCE !== "1";
/** What any Node that runs dist/ does at once. */
const light = built && process.argv.slice(2).some((word) => ["--help", "-h", "--version"].includes(word));
const numbers = (version) => version.split(".").map(Number);
const [major, minor] = numbers(process.versions.node);
/** The oldest Node that the package supports, where it is said: ">=20.19". */
const least = JSON.parse(readFileSync(pathOf("../package.json"), "utf8")).engines.node.slice(2);
const [leastMajor, leastMinor] = numbers(least);

if (major < 22 && !light && existsSync(ownNode) && process.execPath !== ownNode) {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // A signal to this process alone reaches the child too; the child takes two at once for one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`error: ${ownNode} does not run: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
} else if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
  console.error(`error: expected Node ${least} or newer, got ${process.versions.node}`);
  process.exitCode = 1;
} else if (built) {
  const { main } = await import("../dist/cli/main.js");
  process.exitCode = await main(process.argv.slice(2));
} else if (process.features.typescript) {
  const { main } = await import("../src/cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(`error: this clone is not built, and Node ${process.versions.node} does not read TypeScript`);
  console.error('Hint: run "npm ci" (it builds), or use Node 22.18 or later');
  process.exitCode = 1;
}
