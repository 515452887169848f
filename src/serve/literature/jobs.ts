/**
 * A job's folder (`launch/job.ts` says what lies in it) as the page shows it: state, how ranks are, first error. Other
 * programs wrote the files, maybe on other machines: of each a bounded part is read, what does not fit is left out and
 * counted, links are not followed, and what ranks say is text without marks that would order or colour it.
 */
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { JobEntry, JobRank } from "./replies.ts";

/** The file that makes a folder a job's. */
export const jobMark = "job.json";

/** Bytes of a file that are read: of a job's and a result's, of a rank's. */
const [largeBytes, rankBytes] = [4 << 20, 1 << 18];
/** Ranks that are looked at, and that are shown of a kind. */
const [mostRanks, shownRanks] = [4096, 5];
/** Files that are open at once. */
const atOnce = 64;
/** A rank that wrote so long before the last one that did is dead; where all are silent for so long, the run is. */
const [deadSeconds, silentSeconds] = [60, 120];
/** A device that takes so many times as long as the median's for the same product is slow. */
const slowTimes = 1.25;
const [shortText, longText] = [300, 6000];

const number = z.number().finite();
const text = z.string();
const job = z.object({ recipe: text.optional(), steps: z.int().positive().optional() });
const heartbeat = z.object({
  rank: z.int().min(0),
  host: text.optional(),
  step: z.int().min(0),
  time: number,
  device: text.optional(),
  probe: number.nullish(),
  waiting: number.nullish(),
  memory: number.nullish(),
});
const lastWords = z.object({
  rank: z.int().min(0),
  time: number,
  step: z.int().min(0).nullish(),
  message: text,
  traceback: text.optional(),
});
const done = z.object({
  step: z.int().min(0),
  stopped: z.boolean().optional(),
  files: z.record(text, z.object({ bytes: number.optional() })).optional(),
});

/** What of a foreign text is shown. */
function plain(value: string | undefined, most: number = shortText): string {
  const clean = (value ?? "").replace(/[^\P{C}\n\t]/gu, "\u{fffd}");
  return clean.length > most ? `… ${clean.slice(-most)}` : clean;
}

/** A small JSON file of this form; undefined where there is none; null where it does not fit. */
async function read<S extends z.ZodType>(
  path: string,
  schema: S,
  most: number,
): Promise<z.output<S> | null | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > most) return null;
  try {
    await using file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const bytes = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const { success, data } = schema.safeParse(JSON.parse(bytes.toString("utf8", 0, bytesRead)));
    return success ? data : null;
  } catch {
    return null; // replaced as it was read, or no JSON
  }
}

type Heartbeat = z.output<typeof heartbeat>;
type LastWords = z.output<typeof lastWords>;

interface Ranks {
  readonly alive: readonly Heartbeat[];
  readonly errors: readonly LastWords[];
  /** Files that do not fit, and those beyond what is looked at. */
  readonly unread: number;
}

async function ranksIn(folder: string): Promise<Ranks> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const [alive, errors]: [Heartbeat[], LastWords[]] = [[], []];
  const wanted = names.filter((name) => /^\d{5,7}(?:\.error)?\.json$/.test(name)).sort();
  const looked = wanted.slice(0, 2 * mostRanks);
  let unread = wanted.length - looked.length;
  for (let i = 0; i < looked.length; i += atOnce) {
    const some = looked.slice(i, i + atOnce).map(async (name) => {
      const path = join(folder, name);
      if (name.endsWith(".error.json")) {
        const found = await read(path, lastWords, rankBytes);
        if (found === null) unread += 1;
        else if (found !== undefined) errors.push(found);
        return;
      }
      const found = await read(path, heartbeat, rankBytes);
      if (found === null) unread += 1;
      else if (found !== undefined) alive.push(found);
    });
    await Promise.all(some);
  }
  return { alive: alive.sort((a, b) => a.rank - b.rank), errors: errors.sort((a, b) => a.time - b.time), unread };
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
  const described = await read(join(folder, jobMark), job, largeBytes);
  if (described === undefined) return undefined;
  const [ranks, finished, stops] = await Promise.all([
    ranksIn(join(folder, "ranks")),
    read(join(folder, "done.json"), done, largeBytes),
    exists(join(folder, "stop")),
  ]);
  const recipe = described?.recipe;
  return {
    recipe: recipe === undefined ? null : plain(recipe),
    steps: described?.steps ?? null,
    job: entryOf(ranks, finished ?? undefined, stops, now),
  };
}

function entryOf(
  { alive, errors, unread }: Ranks,
  finished: z.output<typeof done> | undefined,
  stops: boolean,
  now: number,
): JobEntry {
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
  const sizes = Object.values(finished?.files ?? {}).map(({ bytes = 0 }) => bytes);
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
  readonly finished: z.output<typeof done> | undefined;
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
