/**
 * Array work: command lines of Galen's that need nothing of each other, worked out in advance and kept in array.json, so that
 * any launcher runs task I by its number alone. What has a marker is never done again.
 *
 *     DIR/array.json          {"version", "tasks": [[words of a command line, …], …]}
 *     DIR/tasks/00003.json    task 3 has done so many of its command lines
 *     DIR/parts/00003.out     what it wrote to stdout, where it wrote any
 *     DIR/tasks/00003.failed.json   how it ended the last time, where that was not well
 */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { required } from "../schema.ts";
import { readOwn } from "./folder.ts";

export const arrayVersion = 1;

const arraySchema = z.strictObject({
  version: z.literal(arrayVersion),
  galen: z.string(),
  /** Where command lines are run: relative paths in them are of there. */
  directory: z.string(),
  tasks: z.array(z.array(z.array(z.string()).min(1)).min(1)).min(1),
});
export type TaskArray = z.infer<typeof arraySchema>;

/** @throws DataError where it is missing, or of another version. */
export function readArray(folder: string): Promise<TaskArray> {
  return readJson(join(folder, "array.json"), arraySchema, 'name the folder of an array, made by "galen launch array"');
}

/** Writes array.json. */
export async function writeArray(folder: string, array: Omit<TaskArray, "version">): Promise<void> {
  await writeFileAtomically(
    join(folder, "array.json"),
    `${JSON.stringify({ version: arrayVersion, ...array }, null, 1)}\n`,
  );
}

const mostTasks = 1_000_000;

/** What stands for something else in a command line. */
const places = /\{(input|name|task|tasks)\}/g;

export interface ArrayPlan {
  /** Words of the command line, with {input}, {name}, {task} and {tasks} in them. */
  readonly command: readonly string[];
  /** What {input} stands for, one after another; {name} is its last part without endings. */
  readonly over: readonly string[];
  /** Default: one for each input. */
  readonly tasks?: number | undefined;
}

/**
 * The command lines of each task. With inputs there is a command line for each, and tasks take as many as there are for each of
 * them, one after another; without, every task has one.
 * @throws ConfigError where nothing tells one from another.
 */
export function tasksOf({ command, over, tasks }: ArrayPlan): string[][][] {
  required("tasksOf: command", command, "list of texts");
  required("tasksOf: over", over, "list of texts");
  const named = new Set([...command.join(" ").matchAll(places)].map(([, name]) => name!));
  const perInput = named.has("input") || named.has("name");
  if (over.length > 0 && !perInput) {
    throw new ConfigError("command: expected {input} where an input goes, got none", {
      hint: "for example: --over shards/*.jsonl -- extract {input} --model M --output mined/{name}",
    });
  }
  if (over.length === 0 && perInput) {
    throw new ConfigError("--over: expected what {input} stands for, got nothing");
  }
  const count = tasks ?? over.length;
  if (count < 1 || count > mostTasks) {
    throw new ConfigError(`--tasks: expected 1 to ${mostTasks} of them, got ${count === 0 ? "none" : count}`);
  }
  if (over.length === 0 && count > 1 && !named.has("task")) {
    throw new ConfigError("command: expected {task} where a task's number goes, got none", {
      hint: "tasks that do the same are one: {task} is from 0, {tasks} how many there are; or name inputs with --over",
    });
  }
  if (over.length > 0 && count > over.length) {
    throw new ConfigError(`--tasks: expected at most one for each of ${over.length} inputs, got ${count}`);
  }
  const line = (task: number, input = ""): string[] => {
    const values = { input, name: nameOf(input), task: String(task), tasks: String(count) };
    return command.map((word) => word.replace(places, (_, place: keyof typeof values) => values[place]));
  };
  return Array.from({ length: count }, (_, task) => {
    if (over.length === 0) return [line(task)];
    const [from, to] = [task, task + 1].map((i) => Math.floor((i * over.length) / count));
    return over.slice(from, to).map((input) => line(task, input));
  });
}

/** "shards/0001.jsonl.gz" → "0001". */
function nameOf(input: string): string {
  return basename(input).replace(/(?<!^)(\.[a-z][a-z0-9]{0,8}){1,2}$/i, "");
}

const marker = z.object({
  task: z.int().min(0),
  /** Command lines that are done, of all of it. */
  done: z.int().min(0),
  of: z.int().positive(),
  seconds: z.number(),
  host: z.string(),
  /** ISO 8601. */
  time: z.string(),
});
export type TaskMarker = z.infer<typeof marker>;

const failure = z.object({
  task: z.int().min(0),
  code: z.int().nullable(),
  /** ISO 8601. */
  time: z.string(),
  /** The end of what it wrote to stderr. */
  words: z.string(),
});
export type TaskFailure = z.infer<typeof failure>;

/** "00003". */
export const taskName = (task: number): string => String(task).padStart(5, "0");

export function readMarker(folder: string, task: number): Promise<TaskMarker | undefined> {
  return readOwn(join(folder, "tasks", `${taskName(task)}.json`), marker);
}

export async function writeMarker(folder: string, value: TaskMarker): Promise<void> {
  const path = join(folder, "tasks", `${taskName(value.task)}.json`);
  await writeFileAtomically(path, `${JSON.stringify(value)}\n`, { sweeps: false });
}

/** Path of a task's failure. */
export const failureOf = (folder: string, task: number): string =>
  join(folder, "tasks", `${taskName(task)}.failed.json`);

/** Whether a task has failed since the array was handed in. */
export async function hasFailures(folder: string): Promise<boolean> {
  const names = await readdir(join(folder, "tasks")).catch((): string[] => []);
  return names.some((name) => name.endsWith(".failed.json"));
}

/** Forgets failures, before tasks are done again. */
export async function clearFailures(folder: string): Promise<void> {
  for (const { task } of (await arrayState(folder)).failed) await rm(failureOf(folder, task), { force: true });
}

export async function writeFailure(folder: string, value: TaskFailure): Promise<void> {
  await writeFileAtomically(failureOf(folder, value.task), `${JSON.stringify(value)}\n`, { sweeps: false });
}

export interface ArrayState {
  readonly tasks: number;
  /** Numbers of tasks that are not done, in order. */
  readonly left: readonly number[];
  /** Command lines that are done, of how many. */
  readonly lines: { readonly done: number; readonly of: number };
  /** Of tasks that are done: seconds of work. */
  readonly seconds: number;
  readonly failed: readonly TaskFailure[];
}

/** Files open at a time. */
const lanes = 64;

/** Where an array is, by its markers. @throws as `readArray`. */
export async function arrayState(folder: string): Promise<ArrayState> {
  const { tasks } = await readArray(folder);
  const names = await readdir(join(folder, "tasks")).catch((): string[] => []);
  const there = new Set(names);
  const markers: (TaskMarker | undefined)[] = [];
  const failed: TaskFailure[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks.length) {
      const task = next++;
      const name = taskName(task);
      if (there.has(`${name}.json`)) markers[task] = await readMarker(folder, task);
      if (!there.has(`${name}.failed.json`) || isDone(markers[task])) continue;
      const said = await readOwn(join(folder, "tasks", `${name}.failed.json`), failure);
      if (said !== undefined) failed.push(said);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return {
    tasks: tasks.length,
    left: tasks.flatMap((_, task) => (isDone(markers[task]) ? [] : [task])),
    lines: {
      done: markers.reduce((sum, one) => sum + (one?.done ?? 0), 0),
      of: tasks.reduce((sum, one) => sum + one.length, 0),
    },
    seconds: markers.reduce((sum, one) => sum + (one?.seconds ?? 0), 0),
    failed: failed.sort((a, b) => a.task - b.task),
  };
}

export function isDone(marker: TaskMarker | undefined): boolean {
  return marker !== undefined && marker.done === marker.of;
}

/** Whether the folder was asked to stop. */
export function isStopping(folder: string): boolean {
  return existsSync(join(folder, "stop"));
}

/** @throws DataError where there is no such task. */
export function taskOf({ tasks }: TaskArray, task: number, folder: string): readonly (readonly string[])[] {
  const found = tasks[task];
  if (found !== undefined) return found;
  throw new DataError(`${folder}: expected a task from 0 to ${tasks.length - 1}, got ${task}`);
}
