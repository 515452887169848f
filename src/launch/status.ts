/**
 * What has become of a job: the launcher's word, and the files of its folder, which know more. A launcher says that a process
 * ended, done.json that the work is done; where they differ the file is believed, since an engine may fall in its last step.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ArrayState, arrayState, readArray } from "./array.ts";
import { acceleratorOf } from "./devices.ts";
import { type FirstStop, firstStop } from "./first-stop.ts";
import { kindOf, lastHandedIn, requireJob, type Submitted } from "./folder.ts";
import { type Done, type Heartbeat, readDone, readRanks } from "../io/job-files.ts";
import { type Job, readJob } from "./job.ts";
import { lastMetrics, type LastMetrics } from "./last-metrics.ts";
import { launchers } from "./launchers/list.ts";
import type { JobState } from "./launchers/launcher.ts";

/**
 * new: written, handed to nobody. finished: all is there. stopped: saved because it was asked to. failed: ended without
 * either. unknown: the launcher knows nothing of it, and no file speaks of it.
 */
export const outcomes = ["new", "pending", "running", "finished", "stopped", "failed", "unknown"] as const;
export type JobOutcome = (typeof outcomes)[number];

export interface Utilisation {
  /** Of the accelerators' peak; undefined where no peak is known. */
  readonly share: number | undefined;
  /** How it is counted, or why it is unknown. */
  readonly means: string;
}

export interface SlowRank {
  readonly rank: number;
  readonly host: string;
  /** Milliseconds of the same work. */
  readonly probe: number;
  readonly median: number;
}

export interface TrainingStatus {
  readonly recipe: string | undefined;
  readonly step: number;
  /** Undefined before its inputs are there. */
  readonly steps: number | undefined;
  readonly loss: number | undefined;
  readonly heldOut: number | undefined;
  /** Tokens (or examples) a second, of all ranks. */
  readonly speed: number | undefined;
  readonly secondsLeft: number | undefined;
  readonly utilisation: Utilisation | undefined;
  readonly ranks: readonly Heartbeat[];
  readonly slowest: SlowRank | undefined;
  /** Ranks without a sign of life for long, with its age in seconds; of a run that is running. */
  readonly late: readonly { readonly rank: number; readonly host: string; readonly seconds: number }[];
  /** Of a run that failed. */
  readonly first: FirstStop | undefined;
}

export interface ArrayStatus extends ArrayState {
  /** Its first command line. */
  readonly command: string;
  readonly secondsLeft: number | undefined;
}

export interface JobStatus {
  readonly folder: string;
  readonly outcome: JobOutcome;
  readonly submitted: Submitted | undefined;
  readonly launcher: JobState | undefined;
  readonly training?: TrainingStatus;
  readonly array?: ArrayStatus;
}

/** Where a job is. @throws ConfigError where the folder is none. */
export async function jobStatus(folder: string): Promise<JobStatus> {
  const kind = requireJob(folder);
  const submitted = await lastHandedIn(resolve(folder));
  const launcher = submitted === undefined ? undefined : await launchers[submitted.on].state(submitted);
  const done = await readDone(folder);
  const facts = { folder, submitted, launcher, done };
  return kind === "array" ? arrayStatus(facts) : trainingStatus(facts);
}

interface Facts {
  readonly folder: string;
  readonly submitted: Submitted | undefined;
  readonly launcher: JobState | undefined;
  readonly done: Done | undefined;
}

/** @param alive whether files say that it runs, where the launcher says nothing. */
function outcomeOf({ launcher, done, submitted }: Facts, alive: boolean): JobOutcome {
  if (done?.stopped === false) return "finished";
  if (launcher?.state === "running" || launcher?.state === "pending") return launcher.state;
  if (done?.stopped === true) return "stopped";
  if (launcher?.state === "ended") return "failed";
  if (alive) return "running";
  return submitted === undefined ? "new" : "unknown";
}

/** A rank of a run with short updates is late after so many seconds without a sign of life; of long ones, after so many updates. */
const [lateSeconds, lateUpdates] = [60, 5];

async function trainingStatus(facts: Facts): Promise<JobStatus> {
  const { folder, submitted, launcher } = facts;
  const job = existsSync(join(folder, "job.json")) ? await readJob(folder) : undefined;
  const last = await lastMetrics(folder);
  const ranks = await readRanks(folder);
  const now = Date.now() / 1000;
  const speed = last.step?.speed ?? undefined;
  const limit = Math.max(lateSeconds, lateUpdates * (secondsOfUpdate(last) ?? 0));
  const isLate = ({ time }: Heartbeat): boolean => now - time > limit;
  const outcome = outcomeOf(
    facts,
    ranks.heartbeats.some((one) => !isLate(one)),
  );
  const step = Math.max(0, facts.done?.step ?? 0, last.step?.step ?? 0);
  return {
    folder,
    outcome,
    submitted,
    launcher,
    training: {
      recipe: job?.recipe,
      step,
      steps: job?.steps,
      loss: last.step?.loss ?? undefined,
      heldOut: last.evaluated?.loss ?? undefined,
      speed,
      secondsLeft: outcome === "running" ? (last.step?.secondsLeft ?? undefined) : undefined,
      utilisation: utilisationOf(job, speed, ranks.heartbeats),
      ranks: ranks.heartbeats,
      slowest: slowestOf(ranks.heartbeats),
      late:
        outcome === "running"
          ? ranks.heartbeats.filter(isLate).map(({ rank, host, time }) => ({ rank, host, seconds: now - time }))
          : [],
      first: outcome === "failed" || ranks.errors.length > 0 ? await firstStop(folder, ranks) : undefined,
    },
  };
}

function secondsOfUpdate({ step: last }: LastMetrics): number | undefined {
  if (last?.secondsLeft == null || last.steps <= last.step) return undefined;
  return last.secondsLeft / (last.steps - last.step);
}

/** As `galen plan` counts it (src/plan/flops.ts): the share of the accelerators' peak that 6 N of all tokens are. */
function utilisationOf(
  job: Job | undefined,
  speed: number | undefined,
  ranks: readonly Heartbeat[],
): Utilisation | undefined {
  if (job === undefined || speed === undefined || ranks.length === 0) return undefined;
  const { parameters } = job.model;
  if (!("tokens" in job.objective)) return { share: undefined, means: "unknown: the speed is not in tokens" };
  const unknown = ranks.find(({ device }) => acceleratorOf(device) === undefined);
  if (unknown !== undefined) {
    return { share: undefined, means: `unknown: no published peak of "${unknown.device}" is known` };
  }
  const known = ranks.map(({ device }) => acceleratorOf(device)!);
  const peak = known.reduce((sum, { accelerator }) => sum + accelerator.peak, 0);
  const [{ name, accelerator }] = known as [(typeof known)[number]];
  const rate = (accelerator.peak / 1e12).toFixed(0);
  return {
    share: (6 * parameters * speed) / peak,
    means: `6 N a token over the dense ${accelerator.half} peak of ${known.length} × ${name} (${rate} TFLOP/s each), N all ${parameters.toLocaleString("en-US")} weights, attention and recomputation left out`,
  };
}

function slowestOf(ranks: readonly Heartbeat[]): SlowRank | undefined {
  const probed = ranks.filter((one) => one.probe != null).sort((a, b) => a.probe! - b.probe!);
  const last = probed.at(-1);
  if (last === undefined || probed.length < 2) return undefined;
  const middle = probed.length / 2;
  const median = (probed[Math.ceil(middle) - 1]!.probe! + probed[Math.floor(middle)]!.probe!) / 2;
  return { rank: last.rank, host: last.host, probe: last.probe!, median };
}

async function arrayStatus(facts: Facts): Promise<JobStatus> {
  const { folder, submitted, launcher } = facts;
  const state = await arrayState(folder);
  const { tasks } = await readArray(folder);
  const all = state.left.length === 0;
  const outcome = all
    ? "finished"
    : outcomeOf({ ...facts, done: existsSync(join(folder, "stop")) ? { step: 0, stopped: true } : undefined }, false);
  return {
    folder,
    outcome,
    submitted,
    launcher,
    array: {
      ...state,
      command: tasks[0]![0]!.join(" "),
      secondsLeft: outcome === "running" ? arraySecondsLeft(state, submitted) : undefined,
    },
  };
}

/** From what has been done since it was handed in. */
function arraySecondsLeft({ tasks, left }: ArrayState, submitted: Submitted | undefined): number | undefined {
  if (submitted?.work.kind !== "tasks") return undefined;
  const done = submitted.work.count - left.length;
  if (done < 1 || tasks < 1) return undefined;
  return ((Date.now() - Date.parse(submitted.time)) / 1000 / done) * left.length;
}

/** Folders of jobs in a folder, itself and two levels below, in the order of their names. */
export async function findJobs(folder: string, levels = 2): Promise<string[]> {
  if (kindOf(folder) !== undefined) return [folder];
  if (levels === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const inside = entries.filter((one) => one.isDirectory() && !one.name.startsWith(".")).map(({ name }) => name);
  const found = await Promise.all(inside.sort().map((name) => findJobs(join(folder, name), levels - 1)));
  return found.flat();
}
