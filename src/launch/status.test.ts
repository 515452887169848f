import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { acceleratorOf } from "./devices.ts";
import { fetchModel } from "./fetch.ts";
import { addSubmitted, readSubmitted } from "./folder.ts";
import { findJobs, jobStatus } from "./status.ts";
import { resumeJob } from "./submissions.ts";
import { stopJob } from "./stop.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-status-"));
afterAll(() => rmSync(folder, { recursive: true }));

const now = Date.now() / 1000;
let made = 0;

/** A job of 100 updates of 1,000 tokens, with files by their names; handed to this machine, where it ended. */
function job(files: Readonly<Record<string, unknown>> = {}, { submitted = true } = {}): string {
  const place = join(folder, `job-${made++}`);
  const order = { path: "data/order.bin", width: 1, batches: 100 };
  const all = {
    "job.json": {
      version: 1,
      galen: "0.1.0",
      recipe: "biogpt-nano",
      objective: { kind: "causal", tokens: 1000 },
      model: { start: "start", family: "biogpt", config: {}, parameters: 1_000_000_000 },
      train: { files: [{ path: "a.bin", type: "uint16", examples: 100 }], order },
      seed: 1,
      steps: 100,
      perEpoch: 100,
      accumulate: 1,
      optimiser: { name: "adamw", betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
      schedule: { kind: "cosine", peak: 1e-3, warmup: 10, initial: 0, floor: 0 },
      precision: "bfloat16",
      checkpointing: false,
      every: { evaluate: 0, save: 10 },
      keep: 2,
    },
    ...files,
  };
  for (const [name, value] of Object.entries(all)) {
    const path = join(place, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value));
  }
  if (submitted) {
    // A process that is no more: its number is given, its start is not.
    const line = {
      time: new Date().toISOString(),
      on: "local",
      id: "1@none",
      python: "python3",
      galen: "galen",
      options: [],
      after: [],
      work: { kind: "ranks", ranks: 2, perNode: 2, tensorParallel: 1, restarts: 0, prepares: false },
    };
    writeFileSync(join(place, "submitted.jsonl"), `${JSON.stringify(line)}\n`);
  }
  return place;
}

const beat = (rank: number, more: object = {}): Record<string, unknown> => ({
  [`ranks/0000${rank}.json`]: {
    rank,
    host: "node1",
    pid: 1,
    step: 40,
    time: now,
    device: "NVIDIA H100 80GB HBM3",
    probe: 2,
    waiting: 0,
    memory: 1e9,
    ...more,
  },
});
const words = (rank: number, time: number, message: string): Record<string, unknown> => ({
  [`ranks/0000${rank}.error.json`]: { rank, time, step: 40, message, traceback: "a\nb" },
});
const step = (done: number, speed: number): string =>
  `${JSON.stringify({ type: "step", step: done, steps: 100, loss: 3, learningRate: 1e-3, speed, secondsLeft: 60 })}\n`;

describe("outcome", () => {
  test("is what files say, where they know more than the launcher", async () => {
    const of = async (files: Record<string, unknown>, submitted = true): Promise<string> =>
      (await jobStatus(job(files, { submitted }))).outcome;
    expect(await of({}, false)).toBe("new");
    expect(await of({})).toBe("failed");
    expect(await of({ "done.json": { step: 100, stopped: false, files: {} } })).toBe("finished");
    expect(await of({ "done.json": { step: 40, stopped: true, files: {} } })).toBe("stopped");
    expect(await of({ "done.json": '{"step": 40, "sto' })).toBe("failed");
    // A job that was handed in without Galen.
    expect(await of(beat(0), false)).toBe("running");
    expect(await of(beat(0, { time: now - 3600 }), false)).toBe("new");
  });

  test("a dry run was handed to nobody, but what it was is kept", async () => {
    const place = job({}, { submitted: false });
    const { submitted, script } = await resumeJob(place, {
      on: "slurm",
      ranks: 16,
      options: ["time=60"],
      dryRun: true,
    });
    expect(submitted).toBeUndefined();
    expect((await jobStatus(place)).outcome).toBe("new");
    expect(existsSync(join(place, Object.keys(script.files)[0]!))).toBe(true);
    const again = await resumeJob(place, { dryRun: true });
    expect(again.order.work).toMatchObject({ ranks: 16, perNode: 8 });
    expect(again.order.options).toEqual([["time", "60"]]);
    // Slurm's options are nothing to Ray.
    expect((await resumeJob(place, { on: "ray", dryRun: true })).order.options).toEqual([]);
  });
});

describe("figures", () => {
  test("utilisation is 6 N a token over the peak of all accelerators", async () => {
    const { training } = await jobStatus(job({ ...beat(0), ...beat(1), "metrics.jsonl": step(40, 100_000) }));
    expect(training!.utilisation!.share).toBeCloseTo((6 * 1e9 * 1e5) / (2 * 989e12), 10);
    expect(training).toMatchObject({ step: 40, steps: 100, loss: 3, speed: 100_000 });
  });

  test("utilisation is unknown where the peak is, or the speed is not in tokens", async () => {
    const card = { device: "NVIDIA GeForce RTX 4090" };
    const other = await jobStatus(job({ ...beat(0, card), "metrics.jsonl": step(1, 10) }));
    expect(other.training!.utilisation).toEqual({
      share: undefined,
      means: expect.stringContaining("RTX 4090") as string,
    });
    const pairs = { objective: { kind: "instructions", packing: true } };
    const json = JSON.parse(readFileSync(join(job(), "job.json"), "utf8")) as object;
    const texts = await jobStatus(job({ ...beat(0), "job.json": { ...json, ...pairs }, "metrics.jsonl": step(1, 10) }));
    expect(texts.training!.utilisation!.share).toBeUndefined();
  });

  test("cards with another peak than the board's have none", () => {
    expect(
      [
        "NVIDIA H100 80GB HBM3",
        "NVIDIA A100-SXM4-80GB",
        "NVIDIA H100 PCIe",
        "NVIDIA H100 NVL",
        "NVIDIA H200",
        "cpu",
      ].map((name) => acceleratorOf(name)?.name),
    ).toEqual(["h100", "a100-80", undefined, undefined, "h200", undefined]);
  });

  test("the slowest rank is that whose own work takes longest, beside the median", async () => {
    const files = { ...beat(0, { probe: 2 }), ...beat(1, { probe: 9, host: "node2" }), ...beat(2, { probe: 4 }) };
    const { training } = await jobStatus(job(files));
    expect(training!.slowest).toEqual({ rank: 1, host: "node2", probe: 9, median: 4 });
  });

  test("a rank is late when it has given no sign of life for some updates, however long these are", async () => {
    const late = async (secondsLeft: number): Promise<number[]> => {
      const line = JSON.stringify({
        type: "step",
        step: 40,
        steps: 100,
        loss: 3,
        learningRate: 1,
        speed: 1,
        secondsLeft,
      });
      const files = { ...beat(0), ...beat(1, { time: now - 100 }), "metrics.jsonl": `${line}\n` };
      return (await jobStatus(job(files, { submitted: false }))).training!.late.map(({ rank }) => rank);
    };
    expect(await late(60)).toEqual([1]);
    expect(await late(60 * 60)).toEqual([]);
  });

  test("half of a line, or of a heartbeat, is not there yet", async () => {
    const { training } = await jobStatus(
      job({
        ...beat(0),
        "ranks/00001.json": '{"rank": 1, "ho',
        "metrics.jsonl": `${step(40, 10)}{"type": "step", "st`,
      }),
    );
    expect(training!.ranks).toHaveLength(1);
    expect(training!.step).toBe(40);
  });
});

describe("the rank that stopped first", () => {
  const rootCause = (rank: number, code: number): string =>
    `Root Cause (first observed failure):\n[0]:\n  time      : now\n  host      : node1\n  rank      : ${rank} (local_rank: ${rank})\n  exitcode  : ${code} (pid: 42)\n`;
  const firstOf = async (files: Record<string, unknown>): Promise<unknown> =>
    (await jobStatus(job(files))).training!.first;

  test("is the one whose error is the earliest", async () => {
    const files = {
      ...beat(0),
      ...beat(1),
      ...words(0, now, "connection closed by peer"),
      ...words(1, now - 1, "CUDA out of memory"),
    };
    expect(await firstOf(files)).toMatchObject({ rank: 1, host: "node1", words: "CUDA out of memory" });
  });

  test("is one that was killed, though others said something", async () => {
    const files = {
      ...beat(0),
      ...beat(1),
      ...words(0, now, "connection closed by peer"),
      "logs/local.log": `--- begun x\n${rootCause(1, -9)}`,
    };
    expect(await firstOf(files)).toMatchObject({ rank: 1, words: expect.stringContaining("SIGKILL") as string });
  });

  test("is none that torchrun itself ended, and none of an earlier attempt", async () => {
    const said = words(0, now, "no space left");
    expect(await firstOf({ ...beat(0), ...said, "logs/local.log": `--- begun x\n${rootCause(1, -15)}` })).toMatchObject(
      { rank: 0 },
    );
    const log = `--- begun x\n${rootCause(1, -9)}--- begun y\nnothing\n`;
    expect(await firstOf({ ...beat(0), ...said, "logs/local.log": log })).toMatchObject({
      rank: 0,
      words: "no space left",
    });
  });

  test("is one whose process is gone from this machine, where others speak of it", async () => {
    const here = { host: hostname(), pid: 2 ** 30 };
    const files = {
      ...beat(0, { ...here, pid: process.pid }),
      ...beat(1, here),
      ...words(0, now, "peer closed"),
      "logs/vm/x/attempt_0/1/stderr.log": "",
    };
    expect(await firstOf(files)).toMatchObject({ rank: 1, words: "its process is gone without a word" });
  });

  test("is shown with the end of its own log", async () => {
    const files = {
      ...beat(0),
      ...beat(1),
      "logs/node1/run/attempt_0/1/stderr.log": "first\nlast words\n",
      "logs/local.log": rootCause(1, -11),
    };
    expect(await firstOf(files)).toMatchObject({ rank: 1, log: ["first", "last words"] });
  });

  test("is unknown where nothing is there but the launcher's log", async () => {
    expect(await firstOf({ "logs/local.log": "ModuleNotFoundError: x\n" })).toMatchObject({
      rank: undefined,
      log: ["ModuleNotFoundError: x"],
    });
    expect(await firstOf({})).toBeUndefined();
  });
});

describe("a model that is fetched", () => {
  const weights = Buffer.from("weights");
  const about = { bytes: 7, sha256: createHash("sha256").update(weights).digest("hex") };
  const done = (files: object): Record<string, unknown> => ({
    "done.json": { step: 100, stopped: false, files },
    "model/model.safetensors": weights,
  });

  test("is a whole folder of what done.json names", async () => {
    const output = join(folder, "fetched");
    const place = job({ ...done({ "model.safetensors": about }), "model/stray.txt": "x" });
    expect(await fetchModel(place, output)).toMatchObject({ files: 1, bytes: 7, step: 100 });
    expect(readFileSync(join(output, "model.safetensors"), "utf8")).toBe("weights");
    expect(existsSync(join(output, "stray.txt"))).toBe(false);
    await expect(fetchModel(place, output)).rejects.toThrow(/expected a folder that does not exist/);
  });

  test.each([
    ["another hash", { "model.safetensors": { ...about, sha256: "0".repeat(64) } }, /expected sha256 0000/],
    ["another size", { "model.safetensors": { ...about, bytes: 8 } }, /expected a file of 8 bytes.*got 7/],
    ["a file that is not there", { "config.json": about }, /expected a file of 7 bytes.*got none/],
    ["a path out of the folder", { "../job.json": about }, /expected names of files in model\//],
    ["nothing", {}, /one without a model/],
  ])("is refused with %s, and nothing is left", async (_, files, message) => {
    const output = join(folder, `refused-${made}`);
    await expect(fetchModel(job(done(files)), output)).rejects.toThrow(message);
    expect(existsSync(output)).toBe(false);
  });

  test("is refused of a training that was stopped, or is under way", async () => {
    const stopped = job({ "done.json": { step: 4, stopped: true, files: {} } });
    await expect(fetchModel(stopped, join(folder, "no"))).rejects.toThrow(/got one that was stopped/);
    await expect(fetchModel(job(), join(folder, "no"))).rejects.toThrow(/got no done.json/);
  });
});

test("jobs are found in a folder and one below, and a job is one itself", async () => {
  const place = join(folder, "many");
  for (const name of ["b/job.json", "a/array.json", "c/d/job.json", "c/d/e/job.json", "empty/x"]) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), "{}");
  }
  expect(await findJobs(place)).toEqual(["a", "b", "c/d"].map((name) => join(place, name)));
  expect(await findJobs(join(place, "a"))).toEqual([join(place, "a")]);
});

test("lines of submitted.jsonl come back as they were, and half of one is none", async () => {
  const place = job();
  const [line] = await readSubmitted(place);
  await addSubmitted({ ...line!, id: "77", on: "slurm", address: "x", options: [["time", "1"]] });
  appendFileSync(join(place, "submitted.jsonl"), '{"time": ');
  expect((await readSubmitted(place)).map(({ id }) => id)).toEqual(["1@none", "77"]);
  appendFileSync(join(place, "submitted.jsonl"), "\n");
  await expect(readSubmitted(place)).rejects.toThrow(/submitted.jsonl:3/);
});

test("what does not run is as stopped as can be, and what is done is not gone on with", async () => {
  const ended = job();
  expect((await stopJob(ended)).outcome).toBe("failed");
  expect(existsSync(join(ended, "stop"))).toBe(false);
  const done = job({ "done.json": { step: 100, stopped: false, files: {} } });
  await expect(resumeJob(done, {})).rejects.toThrow(/expected a job that is not done/);
  await expect(resumeJob(job({}, { submitted: false }), {})).rejects.toThrow(/expected --on/);
  await expect(jobStatus(folder)).rejects.toThrow(/expected the folder of a job/);
});
