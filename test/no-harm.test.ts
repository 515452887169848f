/** Commands that write, killed at any moment or out of room: nothing that was there is lost, nothing half-written stays. */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "../src/tensor/random.ts";
import { writeTinyTask } from "./support/tiny-task.ts";
import { trainBy } from "./support/training.ts";

const binary = fileURLToPath(new URL("../bin/galen.js", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const goldens = join(root, "test/goldens");
const sample = join(root, "samples/pubmed-sample.xml");
const folder = mkdtempSync(join(tmpdir(), "galen-no-harm-"));
const env = { ...process.env, GALEN_SOURCE: "1" };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let tuned: string;
beforeAll(async () => {
  const tiny = await writeTinyTask(join(folder, "tiny"));
  const settings = ["tokensPerBatch=600", "accumulate=1", "threads=1", "steps=2", "average=1", "evaluate.examples=0"];
  const inputs = { model: tiny.start, data: tiny.data };
  ({ model: tuned } = await trainBy(tiny.schema, settings, { ...inputs, output: join(folder, "tuned") }));
  const texts = Array.from({ length: 400 }, (_, i) => `${JSON.stringify({ id: `${i}`, text: `the heart of ${i}` })}\n`);
  writeFileSync(join(folder, "texts.jsonl"), texts.join(""));
  const pairs = Array.from({ length: 40 }, (_, i) => `${JSON.stringify({ query: `q${i}`, documents: [`d ${i}`] })}\n`);
  writeFileSync(join(folder, "lists.jsonl"), pairs.join(""));
});

const embedder = join(goldens, "retrieval/mean");
/** Each writes to "OUT"; `resume`: what makes it go on after a kill. */
const commands: Readonly<Record<string, { readonly args: () => string[]; readonly resume?: readonly string[] }>> = {
  "corpus import": { args: () => ["corpus", "import", sample, "--output", "OUT"] },
  "tokenizer train": { args: () => ["tokenizer", "train", sample, "--vocab-size", "600", "--output", "OUT"] },
  tokenize: { args: () => ["tokenize", "--tokenizer", tuned, sample, "--output", "OUT"] },
  train: {
    args: () => [
      ..."train biogpt-nano --scale debug steps=30 save.every=2 --threads 1 --output OUT --data".split(" "),
      join(folder, "texts.jsonl"),
      "--tokenizer",
      tuned,
    ],
    resume: ["--resume"],
  },
  embed: {
    args: () => ["embed", "--model", embedder, "--file", join(folder, "texts.jsonl"), "--output", "OUT.parquet"],
  },
  mine: {
    args: () => ["mine", join(folder, "lists.jsonl"), "--model", "random", "--negatives", "2", "--output", "OUT.jsonl"],
  },
  extract: {
    args: () => ["extract", "--model", tuned, join(folder, "texts.jsonl"), "--threads", "1", "--output", "OUT"],
    resume: ["--resume"],
  },
  convert: { args: () => ["convert", tuned, "--output", "OUT"] },
  "export onnx": { args: () => ["export", "onnx", "--model", tuned, "--output", "OUT.onnx"] },
};

const placed = (args: readonly string[], name: string): string[] =>
  args.map((word) => word.replace(/^OUT/, join(folder, name)));
const outputOf = (args: readonly string[], name: string): string =>
  placed(args, name)[args.findIndex((word) => word.startsWith("OUT"))]!;

/** Every file below a path, by its relative name. */
function contents(path: string): Map<string, Buffer> {
  if (!existsSync(path)) return new Map();
  if (!statSync(path).isDirectory()) return new Map([["", readFileSync(path)]]);
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(path, name)).isFile(),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(path, name))]));
}

/** What differs from run to run and is no result: times, versions of the machine, random names. */
const steady = (path: string): [string, string][] =>
  [...contents(path)]
    .filter(([name]) => !/summary\.json|metrics\.jsonl|manifest\.json|review\.html|README\.md|run\.json/.test(name))
    .map(([name, bytes]) => [name, bytes.toString("base64")]);

describe.each(Object.keys(commands))("galen %s", (name) => {
  const { args, resume = [] } = commands[name]!;
  const key = name.replaceAll(" ", "-");

  test("killed at random moments and run again gives what an undisturbed run gives", async () => {
    const whole = spawnSync(process.execPath, [binary, ...placed(args(), `${key}-whole`)], { encoding: "utf8", env });
    expect(whole.status, whole.stderr).toBe(0);
    const took = 1500;
    const numbers = random(name.length);
    let status: number | null = null;
    for (let attempt = 0; attempt < 8 && status !== 0; attempt++) {
      const again = attempt === 0 ? [] : resume;
      const child = spawn(process.execPath, [binary, ...placed(args(), `${key}-killed`), ...again], {
        stdio: "pipe",
        env,
      });
      let err = "";
      child.stderr.on("data", (chunk) => (err += String(chunk)));
      const timer = setTimeout(() => child.kill("SIGKILL"), attempt < 3 ? 200 + numbers.integer(took) : 60_000);
      status = await new Promise((resolve) => child.on("close", resolve));
      clearTimeout(timer);
      // A run that came to its end before it was to be killed.
      if (status === 0) break;
      if (status === null) continue;
      // Only what had been finished may stand in the way.
      expect(err).toMatch(/expected a (?:folder|file) (?:without|that does not exist)/);
      break;
    }
    expect(steady(outputOf(args(), `${key}-killed`))).toEqual(steady(outputOf(args(), `${key}-whole`)));
    const beside = readdirSync(folder).filter((one) => one.startsWith(`${key}-killed`));
    expect(beside.filter((one) => one.includes(".tmp"))).toEqual([]);
  });

  test("without room says which file it could not write, and leaves nothing half-written", () => {
    const words = placed(args(), `${key}-full`).map((word) => `'${word}'`);
    // A limit of 1 KiB on every file stands in for a full disk: the system refuses to write more.
    const command = `ulimit -f 1; exec '${process.execPath}' '${binary}' ${words.join(" ")}`;
    const { status, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8", env });
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`error: .*${key}-full.*: expected to write it, got a limit on the size of files`),
    );
    expect(stderr).not.toMatch(/^ {4}at /m);
    const left = [...contents(outputOf(args(), `${key}-full`)).entries()];
    for (const [file, bytes] of left) expect(bytes.length, file).toBeLessThanOrEqual(1024);
    expect(left.map(([file]) => file).filter((file) => file.includes(".tmp"))).toEqual([]);
  });
});

test("a folder that is a file, or may not be written to, is named", () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "mine");
  mkdirSync(join(folder, "inner"), { recursive: true });
  const { status, stderr } = spawnSync(
    process.execPath,
    [binary, "tokenizer", "train", sample, "--output", join(file, "tokenizer")],
    { encoding: "utf8", env },
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/a-file\/tokenizer: expected to write it, got a file in the folder's place/);
  expect(readFileSync(file, "utf8")).toBe("mine");
});
