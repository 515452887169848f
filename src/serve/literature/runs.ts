/** Training runs as the page lists them: how far each is, by the end of its metrics. */
import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readSettings } from "../../io/json.ts";
import { jobEntry, jobMark } from "./jobs.ts";
import type { RunEntry } from "./replies.ts";

const metricsFile = "metrics.jsonl";
/** The files of which each makes a folder a run's: a job has no figures before its first update. */
export const runMarks = [metricsFile, jobMark] as const;

/** Without a change for so long, a run is no longer going. */
const quietMs = 120_000;
/** Bytes at the end of the metrics that are looked at: hundreds of updates. */
const tailBytes = 1 << 18;

interface Lines {
  readonly step?: number;
  readonly steps?: number;
  readonly loss?: number | null;
  readonly secondsLeft?: number | null;
  readonly type?: string;
}

/** Lines at the end of a file that are whole. */
async function tail(path: string): Promise<Lines[]> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const start = Math.max(0, size - tailBytes);
  const bytes = Buffer.alloc(size - start);
  await file.read(bytes, 0, bytes.length, start);
  return bytes
    .toString("utf8")
    .split("\n")
    .slice(start === 0 ? 0 : 1, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Lines];
      } catch {
        return []; // the curves name it; a list of runs is not the place
      }
    });
}

export async function runEntry(name: string, folder: string): Promise<RunEntry> {
  const path = join(folder, metricsFile);
  const [lines, changed, record, described] = await Promise.all([
    tail(path).catch(() => []),
    stat(path).catch(() => stat(join(folder, jobMark))),
    readSettings(join(folder, "run.json")).catch(() => undefined),
    jobEntry(folder),
  ]);
  const last = lines.findLast(({ type }) => type === "step");
  const heldOut = lines.findLast(({ type }) => type === "evaluated");
  const recipe = described?.recipe ?? record?.["recipe"];
  const planned = described?.steps ?? last?.steps ?? record?.["steps"];
  const job = described?.job ?? null;
  const [step, steps] = [last?.step ?? job?.step ?? 0, typeof planned === "number" ? planned : null];
  const isFresh = Date.now() - changed.mtimeMs < quietMs && (steps === null || step < steps);
  return {
    name,
    recipe: typeof recipe === "string" ? recipe : null,
    step,
    steps,
    loss: last?.loss ?? null,
    heldOut: heldOut?.loss ?? null,
    secondsLeft: last?.secondsLeft ?? null,
    changed: changed.mtime.toISOString(),
    going: job === null ? isFresh : job.state === "running" || job.state === "stopping",
    job,
  };
}

/** Whether a run has figures yet; with `every`, once it has, or the signal is aborted. */
export async function metricsThere(
  folder: string,
  { every, signal }: { readonly every?: number; readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const path = join(folder, metricsFile);
  const isOver = (): boolean => every === undefined || signal?.aborted === true || existsSync(path);
  while (!isOver()) await wait(every, undefined, { signal }).catch(() => undefined);
  return existsSync(path);
}
