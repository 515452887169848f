/**
 * Work that is cut into tasks, for one machine or for any launcher of many: a task is a pure function of its arguments and of files
 * of earlier steps, writes its results under names of its own, and a marker last. What has a marker is never done again, so
 * a run that was killed goes on; ranks do their shares of the same list and share nothing but the folder.
 */
import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { writeFileAtomically, writing } from "../../io/files.ts";
import * as z from "zod";
import { missingOf, readMarkers } from "./finished.ts";
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
  /** What other ranks have to do first. */
  readonly waiting?: Unfinished | undefined;
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
  /** Whose they are. */
  readonly ranks: readonly number[];
}

const shownRanks = 5;

/** Whom a step waits for, in words. */
export function describeUnfinished({ step, missing, ranks }: Unfinished): string {
  const shown = ranks.slice(0, shownRanks).join(", ");
  const more = ranks.length > shownRanks ? ` and ${ranks.length - shownRanks} more` : "";
  const tasks = missing === 1 ? "1 task is" : `${missing} tasks are`;
  return `${step}: ${tasks} not done yet, of ${ranks.length === 1 ? "rank" : "ranks"} ${shown}${more}`;
}

export class WaitingForRanks extends Error {
  readonly unfinished: Unfinished;
  constructor(unfinished: Unfinished) {
    super(describeUnfinished(unfinished));
    this.unfinished = unfinished;
  }
}

/** Between looks for others: at first, and at most; in between a fifth of the time that was waited. */
const [firstMs, mostMs] = [200, 10_000];

/**
 * Does this rank's share of a step's tasks, and returns all markers, in order, once every rank has done its own.
 * @throws WaitingForRanks where it shall not wait; the first failure of a task, with the others' results kept.
 */
export async function doTasks<Marker>(
  step: string,
  tasks: readonly Task[],
  schema: z.ZodType<Marker>,
  work: WorkOptions,
): Promise<Marker[]> {
  const { output, rank, world, owners, onProgress } = work;
  for (const task of tasks) owners?.add(ownerOf(task));
  const own = tasks.filter((_, i) => i % world === rank);
  const bytes = own.reduce((sum, task) => sum + task.bytes, 0);
  let [tasksDone, bytesDone] = [0, 0];
  const tell = (waiting?: Unfinished): void =>
    onProgress?.({ step, tasks: own.length, tasksDone, bytes, bytesDone, waiting });
  const note = (task: Task): void => {
    tasksDone += 1;
    bytesDone += task.bytes;
    tell();
  };
  const markers = own.map(({ marker }) => marker);
  const todo = new Set(await missingOf(output, markers));
  for (const [i, task] of own.entries()) if (!todo.has(i)) note(task);
  await Promise.all(
    [...todo].map(async (i) => {
      await doTask(step, own[i]!, work);
      note(own[i]!);
    }),
  );
  await othersOf(step, tasks, work, tell);
  return readMarkers(
    output,
    tasks.map(({ marker }) => marker),
    schema,
    world > 1,
  );
}

/** Does a task; its marker comes last. */
async function doTask(step: string, task: Task, { output, pool, rank }: WorkOptions): Promise<void> {
  const { marker, seconds: took } = await pool.run(task);
  const path = join(output, task.marker);
  await writeFileAtomically(path, `${JSON.stringify(marker)}\n`, { sweeps: false });
  const seconds = Number(took.toFixed(3));
  const line = JSON.stringify({ step, task: task.marker, bytes: task.bytes, seconds });
  const log = join(output, `timings-${rank}.jsonl`);
  await writing(log, () => appendFile(log, `${line}\n`));
}

/** Waits until every rank has done its share. @throws WaitingForRanks where it shall not wait. */
async function othersOf(
  step: string,
  tasks: readonly Task[],
  { output, world, wait: waits, signal }: WorkOptions,
  tell: (waiting: Unfinished) => void,
): Promise<void> {
  const markers = tasks.map(({ marker }) => marker);
  const started = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const missing = await missingOf(output, markers);
    if (missing.length === 0) return;
    const ranks = [...new Set(missing.map((i) => i % world))].sort((a, b) => a - b);
    const unfinished = { step, missing: missing.length, ranks };
    if (!waits) throw new WaitingForRanks(unfinished);
    // Between two listings one marker alone is asked for; a rank's last one says most.
    const last = join(output, markers[missing.at(-1)!]!);
    do {
      tell(unfinished);
      const pause = Math.min(mostMs, Math.max(firstMs, (performance.now() - started) / 5));
      await wait(pause, undefined, { signal });
    } while (!existsSync(last));
  }
}
