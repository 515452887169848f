/** Every program in examples/ runs, on the build, as a user would run it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stdoutOf } from "./support/command-line.ts";
import { tinyDocuments, writeTinyTask } from "./support/tiny-task.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));
const encoder = join(root, "test/goldens/retrieval/mean");
const samples = (name: string): string => join(root, "samples", name);
const documents = join(folder, "documents.jsonl");

/** What each is given, and what it prints. */
const needed: Readonly<Record<string, { args: string[]; output: RegExp }>> = {
  "train-from-scratch.ts": { args: [], output: /held-out perplexity \d+ → \d+\nAspirin is/ },
  "own-graph.ts": { args: [], output: /step 200: loss 0\.0/ },
  "tokenize-with-offsets.ts": { args: [], output: /overdose within/ },
  "embed.ts": {
    args: [encoder, samples("topics-test.jsonl")],
    output: /^\d+ vectors of 20\n(?:\d\.\d{3} {2}.+ \| .+\n){3}$/,
  },
  "classify.ts": {
    args: [encoder, samples("topics.jsonl"), samples("topics-test.jsonl")],
    output: /accuracy[^]*\n(?:heart|cancer|infection|hormones) \w/,
  },
  "mine.ts": { args: [join(folder, "run/model"), documents], output: /^\d+ triples of 8 documents[^]*review\.html/ },
};

describe.skipIf(!existsSync(`${root}dist/index.js`))("examples (on dist/, made by npm ci)", () => {
  beforeAll(async () => {
    const { start, data, schema } = await writeTinyTask(folder);
    writeFileSync(
      documents,
      tinyDocuments(8, 5)
        .map((one) => `${JSON.stringify(one)}\n`)
        .join(""),
    );
    const notes = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const training = ["train", schema, "steps=1", "--model", start, "--data", data, "--output", join(folder, "run")];
    await stdoutOf(...training, "--scale", "debug", "--threads", "1").finally(() => notes.mockRestore());
  });

  test("are those that are known here", () => {
    // The page in browser/ and scripts of clusters have tests of their own.
    const programs = readdirSync(`${root}examples`).filter((name) => !["browser", "cluster"].includes(name));
    expect(programs.sort()).toEqual(Object.keys(needed).sort());
  });

  test.each(Object.entries(needed))("%s", (name, { args, output }) => {
    const run = spawnSync(process.execPath, [`${root}examples/${name}`, ...args], { cwd: root, encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toMatch(output);
  });
});
