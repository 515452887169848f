/**
 * Work that is cut into tasks, for one machine or for any launcher of many: a task is a pure function of its arguments and of files
 * of earlier steps, writes its results under names of its own, and a marker last. What has a marker is never done again, so
 * a run that was killed goes on; ranks do their shares of the same list and share nothing but the folder.
 */
import { existsSync } from "node:fs";
import { appendFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readJson } from "../../io/json.ts";
import { writeFileAtomically } from "../../io/files.ts";
import * as z from "zod";
import type { TaskPool } from "./pool.ts";
import { ownerOf } from "./prune.ts";

/** A task: which function of `tasks.ts` on what, and where its marker will be, relative to the output folder. */
export interface Task {
  readonly kind: string;
  readonly marker: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What it reads, for progress. */
  readonly bytes: number;
}

export interface WorkProgress {
  readonly step: string;
  readonly tasks: number;
  readonly tasksDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
  /** Of other ranks that are waited for. */
  readonly waiting?: number | undefined;
}

export interface WorkOptions {
  readonly output: string;
  readonly pool: TaskPool;
  readonly rank: number;
  readonly world: number;
  /** Whether to wait for other ranks at the end of each step. */
  readonly wait: boolean;
  /** Bytes of records that a task sorts in memory; for tests. */
  readonly rangeBytes?: number | undefined;
  /** Gets what the tasks belong to (`prune.ts`). */
  readonly owners?: Set<string> | undefined;
  readonly onProgress?: ((progress: WorkProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Other ranks have to come first: nothing is wrong. */
export interface Unfinished {
  readonly step: string;
  readonly missing: number;
}

export class WaitingForRanks extends Error {
  readonly unfinished: Unfinished;
  constructor(unfinished: Unfinished) {
    super(`${unfinished.step}: ${unfinished.missing} tasks of other ranks are not done yet`);
    this.unfinished = unfinished;
  }
}

const pollMs = 500;

/**
 * Does this rank's share of a step's tasks, and returns all markers, in order, once every rank has done its own.
 * @throws WaitingForRanks where it shall not wait; the first failure of a task, with the others' results kept.
 */
export async function doTasks<Marker>(
  step: string,
  tasks: readonly Task[],
  schema: z.ZodType<Marker>,
  { output, pool, rank, world, wait: waits, owners, onProgress, signal }: WorkOptions,
): Promise<Marker[]> {
  for (const task of tasks) owners?.add(ownerOf(task));
  const pathOf = ({ marker }: Task): string => join(output, marker);
  const isDone = (task: Task): boolean => existsSync(pathOf(task));
  const own = tasks.filter((_, i) => i % world === rank);
  const bytes = own.reduce((sum, task) => sum + task.bytes, 0);
  let [tasksDone, bytesDone] = [0, 0];
  const tell = (waiting?: number): void =>
    onProgress?.({ step, tasks: own.length, tasksDone, bytes, bytesDone, waiting });
  const note = (task: Task): void => {
    tasksDone += 1;
    bytesDone += task.bytes;
    tell();
  };
  const todo = own.filter((task) => !isDone(task));
  for (const task of own) if (!todo.includes(task)) note(task);
  await Promise.all(
    todo.map(async (task) => {
      const started = performance.now();
      const marker = await pool.run(task);
      await mkdir(dirname(pathOf(task)), { recursive: true });
      await writeFileAtomically(pathOf(task), `${JSON.stringify(marker)}\n`);
      const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
      const line = JSON.stringify({ step, task: task.marker, bytes: task.bytes, seconds });
      await appendFile(join(output, `timings-${rank}.jsonl`), `${line}\n`);
      note(task);
    }),
  );
  for (;;) {
    signal?.throwIfAborted();
    const missing = tasks.filter((task) => !isDone(task)).length;
    if (missing === 0) break;
    if (!waits) throw new WaitingForRanks({ step, missing });
    tell(missing);
    await wait(pollMs, undefined, { signal });
  }
  return Promise.all(
    tasks.map((task) => readJson(pathOf(task), schema, "remove the file to have its task done again")),
  );
}
