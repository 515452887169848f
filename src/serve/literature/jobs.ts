/**
 * A job's folder (`launch/job.ts` says what lies in it) as the page shows it: state, how ranks are, first error. Other
 * programs wrote the files, maybe on other machines: of each a bounded part is read, what does not fit is left out and
 * counted, links are not followed, and what ranks say is text without marks that would order or colour it.
 */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import {
  type Done,
  type Heartbeat,
  readDone,
  readJobFile,
  type Ranks,
  readRanks,
  shownText,
} from "../../io/job-files.ts";
import type { JobEntry, JobRank } from "./replies.ts";

/** The file that makes a folder a job's. */
export const jobMark = "job.json";

/** Bytes of job.json that are read. */
const jobBytes = 4 << 20;
/** Ranks that are looked at, and that are shown of a kind. */
const [mostRanks, shownRanks] = [4096, 5];
/** A rank that wrote so long before the last one that did is dead; where all are silent for so long, the run is. */
const [deadSeconds, silentSeconds] = [60, 120];
/** A device that takes so many times as long as the median's for the same product is slow. */
const slowTimes = 1.25;
const [shortText, longText] = [300, 6000];

const job = z.object({ recipe: z.string().optional(), steps: z.int().positive().optional() });

/** What of a foreign text is shown. */
function plain(value: string | null | undefined, most: number = shortText): string {
  const clean = shownText(value ?? "");
  return clean.length > most ? `… ${clean.slice(-most)}` : clean;
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** What `recipe` and `steps` the job has, beside how it is. Undefined where the folder is no job's. */
export async function jobEntry(
  folder: string,
  now: number = Date.now() / 1000,
): Promise<{ readonly recipe: string | null; readonly steps: number | null; readonly job: JobEntry } | undefined> {
  const described = await readJobFile(join(folder, jobMark), job, jobBytes);
  if (described === undefined) return undefined;
  const [ranks, finished, stops] = await Promise.all([
    readRanks(folder, mostRanks),
    readDone(folder),
    exists(join(folder, "stop")),
  ]);
  const recipe = described?.recipe;
  return {
    recipe: recipe === undefined ? null : plain(recipe),
    steps: described?.steps ?? null,
    job: entryOf(ranks, finished, stops, now),
  };
}

function entryOf(
  { heartbeats: alive, errors: said, unread }: Ranks,
  finished: Done | undefined,
  stops: boolean,
  now: number,
): JobEntry {
  const errors = said.toSorted((a, b) => a.time - b.time);
  const last = alive.reduce((most, { time }) => Math.max(most, time), 0);
  // Of a run that was taken up again, errors of before are past.
  const current = errors.filter(({ time }) => last - time < deadSeconds);
  const isOver = finished !== undefined;
  const dead = isOver ? [] : alive.filter(({ time }) => last - time > deadSeconds);
  const [first] = current;
  const state = stateOf({ finished, stops, failed: first !== undefined, last, now });
  const probes = alive
    .flatMap(({ probe }) => (typeof probe === "number" && probe > 0 ? [probe] : []))
    .sort((a, b) => a - b);
  const median = probes[probes.length >> 1] ?? 0;
  const slow = alive
    .filter(({ probe }) => median > 0 && (probe ?? 0) > slowTimes * median)
    .sort((a, b) => b.probe! - a.probe!);
  const shown = (ranks: readonly Heartbeat[]): JobRank[] =>
    ranks.slice(0, shownRanks).map((one) => rankOf(one, last, median));
  const sizes = Object.values(finished?.files ?? {}).map(({ bytes }) => bytes);
  return {
    state,
    step: finished?.step ?? alive.reduce((most, { step }) => Math.max(most, step), 0),
    ranks: alive.length,
    hosts: new Set(alive.map(({ host }) => host)).size,
    devices: [...new Set(alive.map(({ device }) => plain(device)))].slice(0, 3),
    heard: last === 0 ? null : new Date(Math.min(last * 1000, 8.64e15)).toISOString(),
    behind: alive.filter(({ step }) => step < alive.reduce((most, one) => Math.max(most, one.step), 0)).length,
    memory: alive.reduce((most, { memory }) => Math.max(most, memory ?? 0), 0),
    waiting: alive.reduce((most, { waiting }) => Math.max(most, waiting ?? 0), 0),
    slow: shown(slow),
    slowCount: slow.length,
    dead: shown(dead),
    deadCount: dead.length,
    error:
      first === undefined || finished?.stopped === false
        ? null
        : {
            rank: first.rank,
            step: first.step ?? null,
            message: plain(first.message),
            traceback: plain(first.traceback, longText),
          },
    errors: finished?.stopped === false ? 0 : current.length,
    unread,
    result: finished === undefined ? null : { files: sizes.length, bytes: sizes.reduce((sum, one) => sum + one, 0) },
  };
}

function stateOf(found: {
  readonly finished: Done | undefined;
  readonly stops: boolean;
  readonly failed: boolean;
  readonly last: number;
  readonly now: number;
}): JobEntry["state"] {
  const { finished, stops, failed, last, now } = found;
  if (finished !== undefined) return finished.stopped === true ? "stopped" : "done";
  if (failed) return "failed";
  if (last === 0) return "waiting";
  if (now - last > silentSeconds) return "silent";
  return stops ? "stopping" : "running";
}

function rankOf({ rank, host, step, time, probe, waiting }: Heartbeat, last: number, median: number): JobRank {
  return {
    rank,
    host: plain(host),
    step,
    silent: Math.max(0, last - time),
    times: median > 0 && typeof probe === "number" ? probe / median : null,
    waiting: waiting ?? null,
  };
}
