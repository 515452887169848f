/**
 * Jobs on this machine, handed in as users do: a training of two processes that is followed, stopped, killed and gone on with, and
 * a chain of an array and of a training that waits for its data. Needs PEERS_PYTHON for PyTorch.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { jobStatus, type JobStatus } from "../src/launch/index.ts";
import { stdoutOf } from "./support/command-line.ts";
import { canTrain, python } from "./support/torch.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-local-"));
const at = (name: string): string => join(folder, name);
const galen = `env GALEN_SOURCE=1 ${process.execPath} ${fileURLToPath(new URL("../bin/galen.js", import.meta.url))}`;

beforeAll(async () => {
  process.env["GALEN"] = galen;
  const text = "Aspirin lowers the risk of stroke in patients with diabetes of the kidney. ".repeat(4);
  for (const name of ["a", "b"]) {
    const lines = Array.from({ length: 30 }, (_, i) =>
      JSON.stringify({ id: `${name}${i}`, text: `${text}Trial ${i}.` }),
    );
    writeFileSync(at(`${name}.jsonl`), `${lines.join("\n")}\n`);
  }
  await stdoutOf("tokenizer", "train", at("a.jsonl"), "--output", at("tokenizer"), "--vocab-size", "300");
});
afterAll(() => {
  delete process.env["GALEN"];
  rmSync(folder, { recursive: true });
});

const lines = (text: string): { type?: string; [name: string]: unknown }[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as never);

const launched = (job: string, ...more: string[]): string[] => {
  const line = `launch biogpt-nano --scale debug --on local --python ${python} --tokenizer ${at("tokenizer")} --output ${job}`;
  return [...line.split(" "), ...more];
};

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 600 && !(await isSo()); i++) await wait(200);
  expect(await isSo()).toBe(true);
}

/** Exit code and what was said, of a command that may fail. */
async function failing(...words: string[]): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const spies = [process.stderr, process.stdout].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((text) => Boolean(said.push(String(text)))),
  );
  try {
    return { code: await main(words), said: said.join("") };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
  }
}

describe("before anything is handed in", () => {
  test("a Python without PyTorch is refused with the command that installs it, and no folder is written", async () => {
    const words = launched(at("none"), "--data", at("a.jsonl")).map((word) =>
      word === python ? "/no/such/python" : word,
    );
    const { code, said } = await failing(...words);
    expect(code).toBe(1);
    expect(said).toMatch(
      /error: \/no\/such\/python: expected a Python with PyTorch [\d.]+ or newer, got no such program/,
    );
    expect(said).toMatch(/uv pip install --python \S+ --requirement \S+distributed\/requirements.txt/);
    expect(existsSync(at("none"))).toBe(false);
  });

  test("a dry run writes the folder and says what would run, and the job can be handed in later", async () => {
    const job = at("dry");
    const said = await stdoutOf(...launched(job, "--data", at("a.jsonl"), "--ranks", "2", "--dry-run"));
    expect(said).toContain("--nproc-per-node 2");
    expect(said).toContain(`sh ${job}/submit/local.sh`);
    expect(readdirSync(job)).toEqual(expect.arrayContaining(["job.json", "start", "worker", "submit"]));
    expect(await stdoutOf("jobs", "watch", job)).toMatch(/handed to nobody yet/);
    expect(await stdoutOf("jobs", folder)).toMatch(/^new +\S+\/dry/m);
    const again = await failing(...launched(job, "--data", at("a.jsonl")));
    expect(again.said).toMatch(/expected a folder without a job.*\n.*galen jobs resume/);
    expect(
      (
        await failing(
          ...launched(at("odd"), "--data", at("a.jsonl"), "--ranks", "3", "--tensor-parallel", "2", "--dry-run"),
        )
      ).said,
    ).toMatch(/--tensor-parallel: expected a divisor of 3/);
  });

  test("an array's command lines are looked at, each of them", async () => {
    const array = (...words: string[]): Promise<{ code: number; said: string }> =>
      failing("launch", "array", "--on", "local", "--output", at("no-array"), "--dry-run", ...words);
    const over = ["--over", at("a.jsonl"), at("b.jsonl"), "--"];
    const tokenizing = ["tokenize", "--tokenizer", at("tokenizer"), "{input}", "--output"];
    expect((await array(...over, ...tokenizing, at("{name}"), "--held-outt", "1")).said).toMatch(
      /--held-outt: unknown option/,
    );
    expect((await array(...over, ...tokenizing, at("same"))).said).toMatch(
      /expected another place for each task, got \S+same twice/,
    );
    expect((await array(...over, ...tokenizing, folder)).said).toMatch(
      /expected a place where nothing is, got something/,
    );
    expect((await array(...over, "serve", "{input}")).said).toMatch(
      /expected a command of Galen's that ends by itself/,
    );
    expect((await array("--tasks", "2", "--", "corpse", "run")).said).toMatch(/did you mean "corpus"/);
    expect(existsSync(at("no-array"))).toBe(false);
    const said = await stdoutOf(
      "launch",
      "array",
      "--on",
      "slurm",
      "--tasks",
      "3",
      "--output",
      at("shares"),
      "--dry-run",
      "--",
      "corpus",
      "run",
      "corpus.yaml",
      "--output",
      at("corpus"),
    );
    expect(said).toContain("tasks=({0..2})");
    const { tasks } = JSON.parse(readFileSync(at("shares/array.json"), "utf8")) as { tasks: string[][][] };
    expect(tasks[2]![0]!.slice(-5)).toEqual(["--rank", "2", "--world", "3", "--no-wait"]);
  });
});

test("an array on this machine does every input, and is done", async () => {
  const job = at("tokens");
  const words = ["--", "tokenize", "--tokenizer", at("tokenizer"), "{input}", "--output", at("tokens-{name}")];
  const events = lines(
    await stdoutOf(
      "launch",
      "array",
      "--on",
      "local",
      "--json",
      "--over",
      at("a.jsonl"),
      at("b.jsonl"),
      "--output",
      job,
      ...words,
    ),
  );
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["submitted", "state", "tasks", "result"]));
  expect(events.at(-1)).toMatchObject({ type: "result", outcome: "finished", array: { tasks: 2, left: [] } });
  for (const name of ["a", "b"]) expect(existsSync(at(`tokens-${name}/tokens.json`))).toBe(true);
  expect((await failing("jobs", "resume", job)).said).toMatch(/expected a job that is not done/);
}, 120_000);

describe.skipIf(!canTrain())("a training on this machine", () => {
  test("is followed to its end, and its model is fetched", async () => {
    const [job, model] = [at("whole"), at("model")];
    const events = lines(
      await stdoutOf(...launched(job, "--data", at("a.jsonl"), "--ranks", "2", "steps=6", "--json")),
    );
    expect(events.filter(({ type }) => type === "step").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(events.at(-1)).toMatchObject({ type: "result", outcome: "finished", training: { step: 6, steps: 6 } });
    await stdoutOf("jobs", "fetch", job, "--output", model);
    expect(await stdoutOf("generate", "--model", model, "Aspirin")).not.toBe("");
    const text = await stdoutOf("jobs", "watch", job);
    for (const part of ["finished on local", "6 of 6", "tokens/s", "2 on 1 machine (cpu)", "slowest"])
      expect(text).toContain(part);
  }, 180_000);

  test("is stopped, gone on with on one rank, killed, and gone on with", async () => {
    const job = at("long");
    await stdoutOf(...launched(job, "--data", at("a.jsonl"), "--ranks", "2", "steps=5000", "save.every=5", "--detach"));
    const status = (): Promise<JobStatus> => jobStatus(job);
    await until(async () => (await status()).training!.step > 3);
    expect((await failing("jobs", "resume", job)).said).toMatch(
      /expected a job that has ended, got one that is running/,
    );
    expect(await stdoutOf("jobs", "stop", job)).toMatch(/stopped on local/);
    const { step } = (await status()).training!;
    await stdoutOf("jobs", "resume", job, "--ranks", "1", "--detach");
    await until(async () => (await status()).training!.step > step + 20);
    const { pid } = (await status()).training!.ranks[0]!;
    process.kill(pid, "SIGKILL");
    await until(async () => (await status()).outcome !== "running");
    const { outcome, training } = await status();
    expect(outcome).toBe("failed");
    expect(training!.first).toMatchObject({ rank: 0, words: expect.stringContaining("SIGKILL") as string });
    expect((await failing("jobs", "watch", job, "--follow")).code).toBe(1);
    await stdoutOf("jobs", "resume", job, "--detach");
    await until(
      async () => (await status()).training!.ranks[0]?.pid !== pid && (await status()).training!.ranks.length === 1,
    );
    await stdoutOf("jobs", "stop", job, "--now");
    expect((await status()).outcome).toMatch(/failed|stopped/);
  }, 300_000);

  test("that waits for its data begins when they are there, and not where they never will be", async () => {
    const [data, job] = [at("data-job"), at("waiting")];
    const array = ["launch", "array", "--on", "local", "--detach", "--parallel", "1", "--output", data];
    const tokenizing = ["tokenize", "--tokenizer", at("tokenizer"), "{input}", "--output", at("later-{name}")];
    await stdoutOf(...array, "--over", at("b.jsonl"), at("a.jsonl"), "--", ...tokenizing);
    await stdoutOf(...launched(job, "--data", at("later-a"), "--after", data, "steps=2", "--detach"));
    await until(async () => (await jobStatus(job)).outcome !== "running");
    expect((await jobStatus(job)).outcome, readFileSync(join(job, "logs/local.log"), "utf8")).toBe("finished");

    const [bad, never] = [at("bad"), at("never")];
    await stdoutOf(
      "launch",
      "array",
      "--on",
      "local",
      "--detach",
      "--tasks",
      "1",
      "--output",
      bad,
      "--",
      "tokenize",
      "--tokenizer",
      at("tokenizer"),
      at("missing.jsonl"),
      "--output",
      at("missing"),
    );
    await stdoutOf(...launched(never, "--data", at("missing"), "--after", bad, "--detach"));
    await until(async () => (await jobStatus(never)).outcome !== "running");
    expect((await jobStatus(bad)).array!.failed[0]!.words).toContain("missing.jsonl");
    expect((await jobStatus(never)).outcome).toBe("failed");
    expect(existsSync(join(never, "job.json"))).toBe(false);
  }, 240_000);
});
