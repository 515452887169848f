/** A job as it goes on: its metrics as they are written, its tasks as they are done, and what its launcher says. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type JobStatus, jobStatus, type JobOutcome } from "./status.ts";
import { lineOf, type MetricLine } from "./last-metrics.ts";

export type JobEvent =
  | MetricLine
  | { readonly type: "state"; readonly outcome: JobOutcome; readonly detail?: string | undefined }
  | {
      readonly type: "tasks";
      readonly done: number;
      readonly tasks: number;
      readonly failed: number;
      readonly secondsLeft?: number | undefined;
    };

export interface FollowOptions {
  /** Also what metrics.jsonl has already. Default false. */
  readonly fromStart?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const mostBytes = 1 << 20;

/** A cluster's scheduler is asked less often than files are looked at. */
const [lookMs, askMs] = [500, 3000];

/** Events of a job until it has ended; returns how. @throws the signal's reason, at once; as `jobStatus`. */
export async function* followJob(
  folder: string,
  { fromStart = false, signal }: FollowOptions = {},
): AsyncGenerator<JobEvent, JobStatus> {
  const path = join(folder, "metrics.jsonl");
  let offset = fromStart ? 0 : await sizeOf(path);
  let [said, done, asked] = ["", -1, -Infinity];
  let status: JobStatus | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const now = performance.now();
    if (status === undefined || status.submitted?.on === "local" || now - asked > askMs) {
      asked = now;
      status = await jobStatus(folder);
    }
    const { outcome, launcher, array } = status;
    const goesOn = outcome === "running" || outcome === "pending";
    const size = await sizeOf(path);
    // It went back to a checkpoint.
    if (size < offset) offset = size;
    const added = await wholeLines(path, offset, size);
    offset += added.bytes;
    for (const text of added.lines) {
      const one = lineOf(text);
      if (one !== undefined) yield one;
    }
    const state = `${outcome} ${goesOn ? (launcher?.detail ?? "") : ""}`;
    if (state !== said) yield { type: "state", outcome, detail: launcher?.detail };
    said = state;
    if (array !== undefined && array.lines.done !== done) {
      done = array.lines.done;
      const { tasks, left, failed, secondsLeft } = array;
      yield { type: "tasks", done: tasks - left.length, tasks, failed: failed.length, secondsLeft };
    }
    if (!goesOn) return status;
    await wait(lookMs, undefined, { signal });
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Lines from a byte on that have ended. */
async function wholeLines(path: string, from: number, to: number): Promise<{ lines: string[]; bytes: number }> {
  if (to <= from) return { lines: [], bytes: 0 };
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(Math.min(to - from, mostBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const bytes = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    return { lines: buffer.subarray(0, bytes).toString("utf8").split("\n").slice(0, -1), bytes };
  } catch {
    return { lines: [], bytes: 0 };
  }
}
