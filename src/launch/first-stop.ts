/**
 * Which rank of a failed training stopped first, and its last words. Others fail after it, since they wait for it: with a
 * refused connection, or a watchdog's message that speaks of them (pytorch/pytorch#163546). A rank that was killed says
 * nothing, so torchrun's own account of it, the age of heartbeats and the ends of logs stand in for its words.
 */
import { readdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Heartbeat, LastWords, Ranks } from "../io/job-files.ts";
import { lastLines, tail } from "./tail.ts";
import { begunMark } from "./launchers/script.ts";

export interface FirstStop {
  readonly rank: number | undefined;
  readonly host?: string | undefined;
  readonly step?: number | undefined;
  /** Unix seconds: of its last sign of life, or of its error. */
  readonly time?: number | undefined;
  readonly words: string;
  /** The end of what it, or the launcher, printed. */
  readonly log?: readonly string[] | undefined;
}

/** How torchrun says that a rank failed first: "rank      : 1 (local_rank: 1)", "exitcode  : -9 (pid: 42)". */
const rootCause = /Root Cause[^]*?\brank\s*:\s*(\d+)[^]*?\bexitcode\s*:\s*(-?\d+)/g;

/** Of signals that end a rank from outside; SIGTERM (15) is torchrun's own, to those that are left. */
const signals: Readonly<Record<number, string>> = {
  6: "SIGABRT: it gave up",
  7: "SIGBUS: memory that could not be had",
  9: "SIGKILL: killed, which a system without memory does too",
  11: "SIGSEGV: a fault of a library",
};

/** Undefined where no rank has stopped that a file tells of. */
export async function firstStop(folder: string, { heartbeats, errors }: Ranks): Promise<FirstStop | undefined> {
  const said = (rank: number): boolean => errors.some((error) => error.rank === rank);
  const of = async (rank: number, words: string): Promise<FirstStop> => {
    return { ...placeOf(rank, heartbeats), words, ...(await logOf(folder, rank, heartbeats)) };
  };
  const causes = await rootCauses(folder);
  const killed = causes.find(({ rank, code }) => code < 0 && !said(rank));
  if (killed !== undefined) return of(killed.rank, `ended by signal ${signals[-killed.code] ?? -killed.code}`);
  const silent = gone(heartbeats, errors);
  if (silent !== undefined) return of(silent.rank, "its process is gone without a word");
  const first = [...errors].sort((a, b) => a.time - b.time)[0];
  if (first !== undefined) {
    const { rank, time, message } = first;
    const step = first.step ?? undefined;
    return { ...placeOf(rank, heartbeats), rank, time, step, words: message, log: lastLines(first.traceback ?? "", 3) };
  }
  const [cause] = causes;
  if (cause !== undefined) return of(cause.rank, `ended with code ${cause.code}`);
  const log = await launcherLog(folder);
  if (log === undefined) return undefined;
  return { rank: undefined, words: "no rank left a word; the launcher's log ends so", log };
}

/** Its last sign of life. */
function placeOf(rank: number, heartbeats: readonly Heartbeat[]): Omit<FirstStop, "words"> {
  const { host, step, time } = heartbeats.find((one) => one.rank === rank) ?? {};
  return { rank, host, step, time };
}

/** A rank of this machine that has no process and said nothing, where others have spoken. */
function gone(heartbeats: readonly Heartbeat[], errors: readonly LastWords[]): Heartbeat | undefined {
  if (errors.length === 0) return undefined;
  const mute = heartbeats.filter(({ rank, host, pid }) => {
    return host === hostname() && !errors.some((error) => error.rank === rank) && !isAlive(pid);
  });
  return mute.sort((a, b) => a.time - b.time)[0];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ranks that failed first on their machine, by the last word of its torchrun; one that torchrun itself ended is none. */
async function rootCauses(folder: string): Promise<{ rank: number; code: number }[]> {
  const found: { rank: number; code: number }[] = [];
  for (const path of await launcherLogs(folder)) {
    const last = [...(await lastAttempt(path)).matchAll(rootCause)].at(-1);
    if (last !== undefined && Number(last[2]) !== -15) found.push({ rank: Number(last[1]), code: Number(last[2]) });
  }
  return found;
}

/** What a log says of the last attempt. */
async function lastAttempt(path: string): Promise<string> {
  const text = await tail(path, 1 << 18);
  return text.slice(Math.max(0, text.lastIndexOf(begunMark)));
}

/** Machines of one run write to their logs until about the same time; what is older is of runs before it. */
const sameRunMs = 120_000;

/** Files that launchers write in logs/, the newest first, of the last run. */
async function launcherLogs(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, "logs"), { withFileTypes: true }).catch(() => []);
  const files = names.filter((one) => one.isFile()).map(({ name }) => join(folder, "logs", name));
  const dated = await Promise.all(files.map(async (path) => ({ path, time: (await stat(path)).mtimeMs })));
  const newest = Math.max(...dated.map(({ time }) => time));
  return dated
    .filter(({ time }) => newest - time < sameRunMs)
    .sort((a, b) => b.time - a.time)
    .map(({ path }) => path);
}

async function launcherLog(folder: string): Promise<string[] | undefined> {
  const [path] = await launcherLogs(folder);
  const lines = path === undefined ? [] : lastLines(await lastAttempt(path), 8);
  return lines.length === 0 ? undefined : lines;
}

/** Ends of stderr of a rank, where torchrun put it: logs/HOST/RUN/attempt_0/LOCAL/stderr.log. */
async function logOf(
  folder: string,
  rank: number,
  heartbeats: readonly Heartbeat[],
): Promise<{ log?: readonly string[] }> {
  const host = heartbeats.find((one) => one.rank === rank)?.host ?? "";
  if (host.includes("/")) return {};
  // Before a first sign of life no host is known; of one machine its ranks are all there are.
  const first = Math.min(rank, ...heartbeats.filter((one) => one.host === host).map((one) => one.rank));
  const place = join(folder, "logs", host);
  const names = await readdir(place, { recursive: true }).catch((): string[] => []);
  const own = names.filter((name) => name.endsWith(join(String(host === "" ? rank : rank - first), "stderr.log")));
  const dated = await Promise.all(own.map(async (name) => ({ name, time: (await stat(join(place, name))).mtimeMs })));
  const newest = dated.sort((a, b) => b.time - a.time)[0];
  if (newest === undefined) return {};
  const lines = lastLines(await tail(join(place, newest.name), 1 << 14), 5);
  return lines.length === 0 ? {} : { log: lines };
}
