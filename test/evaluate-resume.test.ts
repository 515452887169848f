/** Evaluations that are killed or stopped and go on: the same report, and no window is computed twice. */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWindows, packVectors, unpackVectors } from "../src/eval/windows.ts";
import { evaluateKind, sentences } from "./support/evaluations.ts";
import { writeTinyTask } from "./support/tiny-task.ts";
import { trainBy } from "./support/training.ts";

const goldens = fileURLToPath(new URL("goldens/retrieval", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-evaluate-"));
const tiny = await writeTinyTask(folder);
let tuned: string;
let tagger: string;
beforeAll(async () => {
  const settings = ["tokensPerBatch=600", "accumulate=1", "threads=1", "epochs=1", "average=1", "evaluate.examples=0"];
  const output = join(folder, "run");
  ({ model: tuned } = await trainBy(tiny.schema, settings, { model: tiny.start, data: tiny.data, output }));
  const data = join(folder, "tags.jsonl");
  writeFileSync(data, sentences.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const short = ["threads=1", "device=cpu", "epochs=20", "batch=8", "schedule.peak=5e-3"];
  const inputs = { model: join(goldens, "mean"), data };
  ({ model: tagger } = await trainBy("tagger", short, { ...inputs, output: join(folder, "tags") }));
  const set = join(folder, "set");
  mkdirSync(join(set, "qrels"), { recursive: true });
  const rows = (prefix: string, count: number): string =>
    Array.from(
      { length: count },
      (_, i) =>
        `${JSON.stringify({ _id: `${prefix}${i}`, title: i % 2 ? "heart" : "", text: `the gene of kidney ${i}` })}\n`,
    ).join("");
  writeFileSync(join(set, "corpus.jsonl"), rows("d", 50));
  writeFileSync(join(set, "queries.jsonl"), rows("q", 9));
  const judged = Array.from({ length: 9 }, (_, i) => `q${i}\td${5 * i}\t${1 + (i % 2)}\n`);
  writeFileSync(join(set, "qrels/test.tsv"), `query-id\tcorpus-id\tscore\n${judged.join("")}`);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const child = fileURLToPath(new URL("support/evaluate-child.ts", import.meta.url));
/** Runs until it has printed `lines` lines, then SIGKILL; true where it ended before. */
async function runAndKill(args: readonly string[], lines: number): Promise<boolean> {
  const running = spawn(process.execPath, [child, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let seen = 0;
  running.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString().split("\n").length - 1;
    if (seen >= lines) running.kill("SIGKILL");
  });
  return (await new Promise((resolve) => running.on("exit", resolve))) === 0;
}

describe("killed with SIGKILL and resumed", () => {
  test.each([
    ["similarity", () => join(goldens, "mean"), () => ""],
    ["similarity", () => join(goldens, "colbert"), () => ""],
    ["similarity", () => join(goldens, "cross-one"), () => ""],
    ["retrieval", () => join(goldens, "mean"), () => join(folder, "set")],
    ["retrieval", () => join(goldens, "cross-one"), () => join(folder, "set")],
    ["classification", () => join(goldens, "cross-three"), () => ""],
    ["ner", () => tagger, () => ""],
    ["task", () => tuned, () => tiny.data],
    ["perplexity", () => tiny.start, () => ""],
  ])(
    "%s gives the same report",
    async (kind, model, data) => {
      const name = `${kind}-${model().split("/").at(-1)}`;
      const output = join(folder, name);
      const whole = await evaluateKind(kind, model(), data(), { output: `${output}-whole`, window: 4 });
      expect(await evaluateKind(kind, model(), data(), { window: 4 })).toBe(whole);
      expect(await runAndKill([kind, model(), data(), output], 1)).toBe(false);
      // What a kill during a write leaves behind.
      appendFileSync(join(output, "journal.jsonl"), '{"half":');
      await runAndKill([kind, model(), data(), output], 2);
      const done = readFileSync(join(output, "journal.jsonl"), "utf8");
      expect(await evaluateKind(kind, model(), data(), { output, window: 4, resume: true })).toBe(whole);
      const journal = readFileSync(join(output, "journal.jsonl"), "utf8");
      expect(journal.startsWith(done.slice(0, done.lastIndexOf("\n") + 1))).toBe(true);
      expect(journal).toBe(readFileSync(join(`${output}-whole`, "journal.jsonl"), "utf8"));
      const again: number[] = [];
      const onProgress = (): void => void again.push(1);
      expect(await evaluateKind(kind, model(), data(), { output, window: 4, resume: true, onProgress })).toBe(whole);
      expect(again).toEqual([]);
      const other = evaluateKind(kind, model(), data(), { output, window: 4, resume: true, identity: { model: "b" } });
      await expect(other).rejects.toThrow(/model: expected none, as the run there has, got "b"/);
      const packed = evaluateKind(kind, model(), data(), { output, window: 4, resume: true }, "int8");
      await expect(packed).rejects.toThrow(/weights: expected "float32", as the run there has, got "int8"/);
    },
    60_000,
  );
});

test("a window that was finished is not computed again", async () => {
  const output = join(folder, "windows");
  const computed: number[][] = [];
  const run = async (dies: number, protocol = { a: 1 }): Promise<number[]> => {
    await using windows = await openWindows(protocol, ["x", "y"], { output, resume: true, window: 3 });
    const found: number[] = [];
    const parts = windows.run({
      name: "y",
      inputs: [1, 2, 3, 4, 5, 6, 7, 8],
      total: 8,
      compute: async (part) => {
        if (part.includes(dies)) throw new Error("dies");
        computed.push([...part]);
        return part.map((value) => value / 3);
      },
    });
    for await (const part of parts) found.push(...part);
    return found;
  };
  await expect(run(5)).rejects.toThrow("dies");
  await expect(run(7)).rejects.toThrow("dies");
  expect(await run(0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((value) => value / 3));
  expect(computed).toEqual([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8],
  ]);
  await expect(run(0, { a: 2 })).rejects.toThrow(/a: expected 1, as the run there has, got 2/);
});

test("a folder that another process writes to is refused, and not what a dead one left", async () => {
  const output = join(folder, "locked");
  mkdirSync(output);
  const first = await openWindows({}, ["x"], { output });
  await expect(openWindows({}, ["x"], { output })).rejects.toThrow(`got one of process ${process.pid}`);
  await first[Symbol.asyncDispose]();
  // What a process that was killed leaves: a file that nobody has locked.
  writeFileSync(join(output, ".galen.lock"), `${process.ppid}\n`);
  await (await openWindows({}, ["x"], { output, resume: true }))[Symbol.asyncDispose]();
  expect(existsSync(join(output, ".galen.lock"))).toBe(false);
});

test("results without their journal, or with a damaged one, are refused and stay as they are", async () => {
  const output = join(folder, "without-journal");
  mkdirSync(output);
  const results = join(output, "x.jsonl");
  const path = join(output, "journal.jsonl");
  writeFileSync(results, "[1]\n[2]\n");
  const open = (): Promise<unknown> => openWindows({ a: 1 }, ["x"], { output, resume: true });
  await expect(open()).rejects.toThrow(/without-journal: expected journal\.jsonl beside x\.jsonl, got none/);
  writeFileSync(path, "");
  await expect(open()).rejects.toThrow(/expected journal\.jsonl beside x\.jsonl, got none, or an empty one/);
  const header = JSON.stringify({ settings: { a: 1, window: 256 } });
  writeFileSync(path, `${header}\n{"x":1,"bytes":[4]}\nrubbish\n{"x":2,"bytes":[8]}\n`);
  await expect(open()).rejects.toThrow(/journal\.jsonl:3: expected an entry of the journal, got "rubbish"/);
  expect(readFileSync(results, "utf8")).toBe("[1]\n[2]\n");
});

test("vectors are kept bit for bit", () => {
  const data = Float32Array.of(1 / 3, -0, NaN, 1e-40, Infinity, 7);
  const { width, count, data: back } = unpackVectors(packVectors({ width: 3, count: 2, data }));
  expect([width, count]).toEqual([3, 2]);
  expect(new Uint8Array(back.buffer)).toEqual(new Uint8Array(data.buffer));
});
