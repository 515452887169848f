/**
 * examples/cluster/corpus.sbatch under a real Slurm, where one runs: its nodes must see the repository and the system's folder for
 * temporary files (TMPDIR).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPipeline } from "../src/curate/run.ts";
import { random } from "../src/tensor/random.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function hasSlurm(): boolean {
  const running = /is UP/.test(spawnSync("scontrol", ["ping"], { encoding: "utf8" }).stdout ?? "");
  if (!running) console.warn("skipped: no Slurm runs here (scontrol ping)");
  return running;
}

/** Submits the script; returns the array's id. */
function sbatch(folder: string, env: Readonly<Record<string, string>>, ...options: readonly string[]): string {
  const script = join(root, "examples/cluster/corpus.sbatch");
  const galen = `${process.execPath} ${join(root, "bin/galen.js")}`;
  const line = ["--parsable", "--cpus-per-task=1", "--mem-per-cpu=600M", "--time=10", ...options, script];
  const run = spawnSync("sbatch", [...line, join(folder, "../corpus.yaml"), join(folder, "out")], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GALEN: galen, GALEN_SOURCE: "1", PAUSE: "0.3", ...env },
  });
  expect(run.stderr).toBe("");
  expect(run.stdout).toMatch(/^\d+\n$/);
  return run.stdout.trim();
}

/** Nothing of the array runs or waits. ("sbatch --wait" asks every half minute.) */
function ended(id: string): Promise<void> {
  return until(() => spawnSync("squeue", ["-h", "-j", id], { encoding: "utf8" }).stdout.trim() === "");
}

/** What ranks said, by rank. */
function logs(folder: string, id: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.startsWith(`corpus-${id}_`));
  return Object.fromEntries(
    names.map((name) => [/_(\d+)\.log/.exec(name)![1]!, readFileSync(join(folder, name), "utf8")]),
  );
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !isSo(); i++) await wait(250);
  expect(isSo()).toBe(true);
}

/** Of the dataset and the report. */
function fingerprint(output: string): string {
  const hash = createHash("sha256").update(readFileSync(join(output, "report.json")));
  const names = readdirSync(join(output, "dataset"), { recursive: true, encoding: "utf8" }).sort();
  for (const name of names.filter((one) => one.endsWith(".parquet") || one.endsWith(".json"))) {
    hash.update(name).update(readFileSync(join(output, "dataset", name)));
  }
  return hash.digest("hex");
}

describe.skipIf(!hasSlurm())("a pipeline as an array of Slurm", () => {
  const folder = mkdtempSync(join(tmpdir(), "galen-slurm-"));
  let expected: string;
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    const { integer } = random(1);
    const word = (): string => ["heart", "kidney", "aspirin", "trial", "risk", "of", "in"][integer(7)]!;
    for (const name of ["a", "b", "c", "d"]) {
      const lines = Array.from({ length: 50 }, (_, i) => {
        const text = i % 5 === 0 ? `The same text in each source, ${i}.` : Array.from({ length: 30 }, word).join(" ");
        return JSON.stringify({ id: `${name}-${i}`, text });
      });
      writeFileSync(join(folder, `${name}.jsonl`), `${lines.join("\n")}\n`);
    }
    const sources = ["a", "b", "c", "d"].map((name) => `${name}: { paths: ${name}.jsonl }`);
    const file = join(folder, "corpus.yaml");
    writeFileSync(file, `sources: { ${sources.join(", ")} }\nstages: [exact-duplicates, duplicate-paragraphs]\n`);
    await runPipeline({ file, output: join(folder, "whole"), workers: 0 });
    expected = fingerprint(join(folder, "whole"));
    for (const name of ["array", "killed", "requeued"]) mkdirSync(join(folder, name));
  });

  test("leaves the bytes of a run by one process", async () => {
    const own = join(folder, "array");
    const id = sbatch(own, {}, "--array=0-2");
    await ended(id);
    for (const rank of ["0", "1", "2"]) expect(logs(own, id)[rank]).toMatch(/dataset {2}\d+ documents/);
    expect(fingerprint(join(own, "out"))).toBe(expected);
  }, 120_000);

  test("waits for a rank that has not come and one that was killed, and ends when both were submitted", async () => {
    const own = join(folder, "killed");
    const id = sbatch(own, { WORLD: "3", ATTEMPTS: "300" }, "--array=0,2");
    await until(() => ["0", "2"].every((rank) => /not done yet, of rank 1: call/.test(logs(own, id)[rank] ?? "")));
    expect(spawnSync("scancel", [`${id}_2`]).status).toBe(0);
    await ended(sbatch(own, { WORLD: "3", ATTEMPTS: "300" }, "--array=1,2"));
    await ended(id);
    expect(fingerprint(join(own, "out"))).toBe(expected);
  }, 240_000);

  test("gives up its place where the others cannot come as long as it is there", async () => {
    const own = join(folder, "requeued");
    const id = sbatch(own, { WORLD: "2", ATTEMPTS: "1" }, "--array=0");
    const state = (): string => spawnSync("scontrol", ["show", "job", `${id}_0`], { encoding: "utf8" }).stdout;
    await until(() => /JobState=PENDING/.test(state()) && /Restarts=1/.test(state()));
    expect(spawnSync("scancel", [id]).status).toBe(0);
    expect(logs(own, id)["0"]).toMatch(/of rank 1: call it again later/);
  }, 120_000);
});
