/**
 * Median wall time of `galen --help`, of a command's help, and of bare Node, in turn.
 *
 *     npx node bench/startup.ts [rounds]
 *
 * Runs dist/ where it is built (npm run build), else src/, as the command does. PEER=/usr/bin/node measures with
 * another Node as well.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const rounds = Number(process.argv[2] ?? 21);
const binary = fileURLToPath(new URL("../bin/galen.js", import.meta.url));
const nodes = [process.execPath, ...(process.env["PEER"] === undefined ? [] : [process.env["PEER"]])];
const cases = nodes.flatMap((node) => [
  { name: "node -e 0", node, args: ["-e", "0"] },
  { name: "galen --help", node, args: [binary, "--help"] },
  { name: "galen train --help", node, args: [binary, "train", "--help"] },
]);
const times = cases.map((): number[] => []);
for (let round = 0; round < rounds; round++) {
  for (const [i, { node, args }] of cases.entries()) {
    const start = performance.now();
    const { status } = spawnSync(node, args);
    times[i]!.push(performance.now() - start);
    if (status !== 0) throw new Error(`${args.join(" ")}: exit code ${status}`);
  }
}
const built = existsSync(fileURLToPath(new URL("../dist/cli/main.js", import.meta.url)));
console.log(
  `${cpus()[0]!.model.trim()}, ${cpus().length} processors, ${built ? "dist/" : "src/"}, median of ${rounds}`,
);
for (const [i, { name, node }] of cases.entries()) {
  const sorted = times[i]!.toSorted((a, b) => a - b);
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  console.log(`${version.padEnd(10)} ${name.padEnd(20)} ${sorted[Math.floor(rounds / 2)]!.toFixed(0).padStart(5)} ms`);
}
