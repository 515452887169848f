/** Every program in examples/ runs, on the build, as a user would run it. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const needed: Readonly<Record<string, { args: string[]; output: RegExp }>> = {
  "train-from-scratch.ts": { args: [], output: /held-out perplexity \d+ → \d+\nAspirin is/ },
  "own-graph.ts": { args: [], output: /step 200: loss 0\.0/ },
  "tokenize-with-offsets.ts": { args: [], output: /overdose within/ },
};

describe.skipIf(!existsSync(`${root}dist/index.js`))("examples (on dist/, made by npm ci)", () => {
  test.each(readdirSync(`${root}examples`))("%s", (name) => {
    const { args, output } = needed[name] ?? { args: [], output: /./ };
    const run = spawnSync(process.execPath, [`${root}examples/${name}`, ...args], { cwd: root, encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toMatch(output);
  });
});
