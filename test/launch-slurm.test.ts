/**
 * Curation, training and evaluation on a real Slurm of two machines, which the test starts: arrays, dependencies, a training on
 * both machines whose data come from the job before it, a killed rank, a time limit. Needs PEERS_PYTHON for its PyTorch.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobStatus, type JobStatus, resumeJob, stopJob } from "../src/launch/index.ts";
import { random } from "../src/tensor/random.ts";
import { stdoutOf } from "./support/command-line.ts";
import { canStartSlurm, startSlurm, type TestSlurm } from "./support/slurm.ts";
import { python, canTrain } from "./support/torch.ts";

const galen = `env GALEN_SOURCE=1 PAUSE=0.3 ${process.execPath} ${fileURLToPath(new URL("../bin/galen.js", import.meta.url))}`;

async function ended(folder: string): Promise<JobStatus> {
  for (let i = 0; i < 480; i++) {
    const status = await jobStatus(folder);
    if (!["running", "pending"].includes(status.outcome)) return status;
    await wait(500);
  }
  return jobStatus(folder);
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 400 && !(await isSo()); i++) await wait(200);
  expect(await isSo()).toBe(true);
}

function hasCheckpoint(job: string): boolean {
  const folder = join(job, "checkpoints");
  return existsSync(folder) && readdirSync(folder).some((name) => /^step-\d+$/.test(name));
}

const logsOf = (job: string): string => {
  const names = readdirSync(join(job, "logs"), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".log"))
    .map((name) => `${name}: ${readFileSync(join(job, "logs", name), "utf8")}`)
    .join("\n");
};

describe.skipIf(!canStartSlurm() || !canTrain())("on a Slurm of two machines", () => {
  const folder = mkdtempSync(join(tmpdir(), "galen-launch-"));
  const at = (name: string): string => join(folder, name);
  let slurm: TestSlurm;

  beforeAll(async () => {
    slurm = await startSlurm();
    process.env["GALEN"] = galen;
    const { integer } = random(1);
    const words = ["heart", "kidney", "aspirin", "trial", "risk", "of", "in", "patients"];
    for (const name of ["a", "b", "held-out"]) {
      const lines = Array.from({ length: 60 }, (_, i) => {
        const text = Array.from({ length: 40 }, () => words[integer(words.length)]!).join(" ");
        return JSON.stringify({ id: `${name}-${i}`, text: `${text}.` });
      });
      writeFileSync(at(`${name}.jsonl`), `${lines.join("\n")}\n`);
    }
    writeFileSync(
      at("corpus.yaml"),
      "sources: { a: { paths: a.jsonl }, b: { paths: b.jsonl } }\nstages: [exact-duplicates]\n",
    );
    await stdoutOf("tokenizer", "train", at("a.jsonl"), "--output", at("tokenizer"), "--vocab-size", "300");
  }, 120_000);

  afterAll(async () => {
    delete process.env["GALEN"];
    await slurm?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const training = (job: string, ...more: string[]): Promise<string> => {
    const line = `launch biogpt-nano --scale debug --on slurm --ranks 2 --per-node 1 --python ${python} --tokenizer ${at("tokenizer")} --output ${job}`;
    return stdoutOf(...line.split(" "), ...more);
  };

  test("a curation, a training and an evaluation wait for each other", async () => {
    const [curated, trained, scored] = ["curated", "trained", "scored"].map(at) as [string, string, string];
    const line = ["corpus", "run", at("corpus.yaml"), "--output", at("corpus"), "--workers", "0"];
    await stdoutOf("launch", "array", "--on", "slurm", "--tasks", "2", "--output", curated, "--", ...line);
    await training(trained, "steps=6", "--data", at("corpus/dataset"), "--after", curated);
    expect((await jobStatus(trained)).training?.steps).toBeUndefined();
    const scoring = ["evaluate", "perplexity", "--model", join(trained, "model"), at("held-out.jsonl"), "--json"];
    await stdoutOf(
      "launch",
      "array",
      "--on",
      "slurm",
      "--tasks",
      "1",
      "--after",
      trained,
      "--output",
      scored,
      "--",
      ...scoring,
    );
    expect((await jobStatus(scored)).outcome).toBe("pending");

    expect((await ended(curated)).outcome, logsOf(curated)).toBe("finished");
    const { outcome, training: figures } = await ended(trained);
    expect(outcome, logsOf(trained)).toBe("finished");
    expect(figures).toMatchObject({ step: 6, steps: 6, recipe: "biogpt-nano" });
    expect(figures!.ranks.map(({ rank }) => rank)).toEqual([0, 1]);
    expect((await ended(scored)).outcome, logsOf(scored)).toBe("finished");
    const report = JSON.parse(readFileSync(join(scored, "parts/00000.out"), "utf8")) as {
      figures: { name: string; value: number }[];
    };
    const { value } = report.figures.find(({ name }) => name === "perplexity")!;
    expect(value).toBeGreaterThan(1);
    expect(value).toBeLessThan(400);
    const model = at("model");
    await stdoutOf("jobs", "fetch", trained, "--output", model);
    expect(existsSync(join(model, "model.safetensors"))).toBe(true);
  }, 300_000);

  test("a rank that is killed is named, what waits for its job does not begin, and the job goes on", async () => {
    const [job, later] = [at("killed"), at("later")];
    await training(job, "steps=4000", "save.every=10", "evaluate.every=4000", "--data", at("a.jsonl"));
    await stdoutOf(
      "launch",
      "array",
      "--on",
      "slurm",
      "--tasks",
      "1",
      "--after",
      job,
      "--output",
      later,
      "--",
      "evaluate",
      "perplexity",
      "--model",
      join(job, "model"),
      at("a.jsonl"),
    );
    await until(() => hasCheckpoint(job));
    const beat = JSON.parse(readFileSync(join(job, "ranks/00001.json"), "utf8")) as { pid: number };
    process.kill(beat.pid, "SIGKILL");
    const { outcome, training: figures } = await ended(job);
    expect(outcome).toBe("failed");
    expect(figures!.first).toMatchObject({ rank: 1, words: expect.stringContaining("SIGKILL") as string });
    expect((await ended(later)).outcome).not.toBe("finished");
    expect(existsSync(join(later, "tasks"))).toBe(false);

    const before = figures!.step;
    await resumeJob(job, { ranks: 1 });
    await until(async () => (await jobStatus(job)).training!.step > before + 5);
    const stopped = await stopJob(job);
    expect(stopped.outcome, logsOf(job)).toBe("stopped");
    expect(stopped.training!.step).toBeLessThan(4000);
  }, 300_000);

  test("near its time limit a training saves, and is handed in again by itself", async () => {
    const job = at("limited");
    await training(job, "steps=4000", "evaluate.every=4000", "--data", at("a.jsonl"));
    await until(() => existsSync(join(job, "ranks/00000.json")));
    const { submitted } = await jobStatus(job);
    expect(spawnSync("scancel", ["--batch", "--signal=USR1", submitted!.id!]).status).toBe(0);
    await until(async () => (await jobStatus(job)).outcome === "pending");
    const shown = spawnSync("scontrol", ["show", "job", submitted!.id!], { encoding: "utf8" }).stdout;
    expect(shown).toMatch(/Restarts=1/);
    expect(hasCheckpoint(job)).toBe(true);
    // Slurm lets two minutes pass before it starts such a job again.
    spawnSync("scontrol", ["update", `JobId=${submitted!.id}`, "StartTime=now"]);
    const saved = (await jobStatus(job)).training!.step;
    await until(async () => (await jobStatus(job)).training!.step > saved);
    expect((await stopJob(job)).outcome).toBe("stopped");
  }, 180_000);
});
