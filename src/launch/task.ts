/**
 * Does tasks of an array: runs their command lines one after another, each in a process of its own, and leaves a marker for
 * each that has ended well. Code 75 of a command line is "come again": other tasks have to come first.
 */
import { spawn } from "node:child_process";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { RuntimeError } from "../errors.ts";
import { temporaryFor, writeFileAtomically, writing } from "../io/files.ts";
import {
  arrayState,
  failureOf,
  hasFailures,
  isDone,
  isStopping,
  readArray,
  readMarker,
  taskName,
  taskOf,
  writeFailure,
  writeMarker,
} from "./array.ts";

/** "Come again" (EX_TEMPFAIL of sysexits.h). */
export const comeAgain = 75;

export interface TaskOptions {
  /** What runs a command line: node and Galen's script. */
  readonly galen: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Looks for DIR/stop. */
const stopMs = 2000;
const keptWords = 2000;

/**
 * Does what a task has left; returns 0 when it is done, 75 where it must come again, else the code of what failed, or 1
 * where it was asked to stop.
 * @throws DataError where there is no such task.
 */
export async function runTask(folder: string, task: number, options: TaskOptions): Promise<number> {
  const array = await readArray(folder);
  const lines = taskOf(array, task, folder);
  const before = await readMarker(folder, task);
  if (isDone(before)) return 0;
  await rm(failureOf(folder, task), { force: true });
  let seconds = before?.seconds ?? 0;
  for (let i = before?.done ?? 0; i < lines.length; i++) {
    if (isStopping(folder) || options.signal?.aborted === true) return 1;
    const begun = performance.now();
    const part = join(folder, "parts", `${taskName(task)}${lines.length === 1 ? "" : `-${i}`}.out`);
    const ended = await runLine(lines[i]!, { ...options, folder, part, directory: array.directory });
    seconds += (performance.now() - begun) / 1000;
    const time = new Date().toISOString();
    if (ended.code !== 0) {
      // Whom it waits for may have failed, and would be waited for without end.
      if (ended.code === comeAgain) return (await hasFailures(folder)) ? 1 : comeAgain;
      await writeFailure(folder, { task, code: ended.code, time, words: ended.words });
      return ended.code ?? 1;
    }
    const own = { task, done: i + 1, of: lines.length, seconds: Number(seconds.toFixed(3)), host: hostname(), time };
    await writeMarker(folder, own);
  }
  return 0;
}

interface LineOptions extends TaskOptions {
  readonly folder: string;
  readonly directory: string;
  /** What it writes to stdout, where that is something. */
  readonly part: string;
}

/** A command line to its end; its stderr is this process's, and its last words are kept. */
async function runLine(
  words: readonly string[],
  { galen, signal, onLine, folder, directory, part }: LineOptions,
): Promise<{ code: number | null; words: string }> {
  const [program, ...before] = galen;
  onLine?.(words.join(" "));
  await writing(part, () => mkdir(dirname(part), { recursive: true }));
  const temporary = temporaryFor(part);
  await using stdout = await writing(part, () => open(temporary, "w"));
  const child = spawn(program!, [...before, ...words], { cwd: directory, stdio: ["ignore", stdout.fd, "pipe"] });
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    said = (said + text).slice(-keptWords);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const stop = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop);
  const timer = setInterval(() => {
    if (isStopping(folder)) stop();
  }, stopMs);
  try {
    const code = await ended;
    if (code === 0 && (await stdout.stat()).size > 0) await writing(part, () => rename(temporary, part));
    return { code, words: said.trim() };
  } catch (cause) {
    throw new RuntimeError(`${program}: expected to run it in ${directory}, got ${(cause as Error).message}`, {
      hint: "the folder that the array was made in must be there wherever its tasks run",
      cause,
    });
  } finally {
    await rm(temporary, { force: true });
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
  }
}

export interface TasksDone {
  readonly done: number;
  /** Code of each task that failed or was stopped. */
  readonly failed: readonly { readonly task: number; readonly code: number }[];
  /** With `once`: tasks that must come again. */
  readonly again: readonly number[];
}

export interface TasksOptions extends TaskOptions {
  /** Numbers; default: all that are not done. */
  readonly tasks?: readonly number[] | undefined;
  /** At a time; default 1. */
  readonly parallel?: number | undefined;
  /** Tasks that must come again are left to whoever called. */
  readonly once?: boolean | undefined;
}

/** Tasks that come again wait so long where nothing else is left to do. */
const againMs = 1000;

/** Does tasks, so many at a time; one that must come again goes to the end of the queue. */
export async function runTasks(
  folder: string,
  { tasks, parallel = 1, once = false, ...options }: TasksOptions,
): Promise<TasksDone> {
  const queue = [...(tasks ?? (await arrayState(folder)).left)];
  const failed: { task: number; code: number }[] = [];
  const again: number[] = [];
  let [done, under] = [0, 0];
  const lane = async (): Promise<void> => {
    for (;;) {
      const task = queue.shift();
      if (task === undefined) {
        // What others are at may come again.
        if (under === 0) return;
        await wait(100);
        continue;
      }
      under += 1;
      try {
        const code = await runTask(folder, task, options);
        if (code === 0) done += 1;
        else if (code === comeAgain && once) again.push(task);
        else if (code === comeAgain) {
          if (queue.length === 0) await wait(againMs);
          queue.push(task);
        } else failed.push({ task, code });
      } finally {
        under -= 1;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return { done, failed, again };
}

/** Writes done.json once every task is done, for jobs that wait for this one. */
export async function finishArray(folder: string): Promise<void> {
  const { tasks, left } = await arrayState(folder);
  if (left.length > 0) return;
  await writeFileAtomically(
    join(folder, "done.json"),
    `${JSON.stringify({ step: tasks, stopped: false, files: {} })}\n`,
  );
}
