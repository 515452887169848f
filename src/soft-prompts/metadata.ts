/** task.json beside a fine-tuned model: which task it was tuned for, and the soft prompt's ids. */
import { join } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import { tasks } from "../tasks/index.ts";
import { type OwnTuning, taskFromSchema } from "../tasks/schema.ts";
import { type Format, formatOf, ownFormat } from "./formats.ts";

export const taskFileName = "task.json";

const size = z.int().positive();
const schema = z.looseObject({
  format: z.literal(1),
  task: z.string(),
  version: z.string(),
  /** Contents of the user's JSON file; null for a published task. */
  schema: z.unknown(),
  promptIds: z.array(z.int().min(0)),
  truncation: z.object({ maxPositions: size, maxSourceTokens: size, marker: z.string() }),
  /** Absent in files of before it was kept: the task's own. */
  decoding: z
    .object({
      beams: size,
      lengthPenalty: z.number(),
      minLength: z.int().min(0),
      maxLength: size,
      noRepeatNgramSize: z.int().min(0),
    })
    .optional(),
});

export type TaskFile = z.infer<typeof schema>;

/** A task with what tuning on it takes. */
export interface NamedTask {
  readonly task: Benchmark;
  readonly format: Format;
  /** Contents of the user's JSON file; null for a published task. */
  readonly schema: unknown;
  /** What that file says of tuning. */
  readonly tuning: OwnTuning | undefined;
}

function publishedTask(name: string): NamedTask | undefined {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  return task && { task, format: formatOf(name), schema: null, tuning: undefined };
}

/** @throws ConfigError that names each setting that does not fit. */
function ownTask(json: unknown, where: string): NamedTask {
  const { task, tuning } = taskFromSchema(json, where);
  return { task, format: ownFormat(tuning), schema: json, tuning };
}

/**
 * A published task by name, or the user's own from a JSON file.
 * @throws ConfigError that lists the tasks, or names what is wrong in the file.
 */
export async function openTask(nameOrPath: string): Promise<NamedTask> {
  const published = publishedTask(nameOrPath);
  if (published !== undefined) return published;
  const json = await readSettings(nameOrPath);
  if (json !== undefined) return ownTask(json, nameOrPath);
  const known = Object.keys(tasks).join(", ");
  throw new ConfigError(`task: expected one of ${known}, or a JSON file, got "${nameOrPath}"`);
}

export function taskFileOf(
  { task, schema, format }: NamedTask,
  layout: Pick<TaskFile, "promptIds" | "truncation">,
  training: Readonly<Record<string, unknown>>,
): string {
  const { name, version } = task;
  const { decoding } = format;
  return `${JSON.stringify({ format: 1, task: name, version, schema, ...layout, decoding, training }, null, 2)}\n`;
}

/** What a fine-tuned model's folder says of its task; undefined without task.json. @throws ConfigError. */
export async function readTaskFile(folder: string): Promise<TaskFile | undefined> {
  return readSettings(join(folder, taskFileName), schema);
}

/** The task that a configuration names: the user's own by its `schema`. @throws ConfigError where there is none. */
export function namedTask({ task, schema }: { readonly task: string; readonly schema: unknown }): NamedTask {
  if (schema !== null) return ownTask(schema, task);
  const named = publishedTask(task);
  if (named === undefined)
    throw new ConfigError(`task: expected one of ${Object.keys(tasks).join(", ")}, got "${task}"`);
  return named;
}

/** The task of a task.json. @throws ConfigError where this version of Galen lacks it, or has another version of it. */
export function taskOf(file: TaskFile, where: string): NamedTask {
  if (file.schema !== null) return ownTask(file.schema, where);
  const named = publishedTask(file.task);
  if (named?.task.version === file.version) return named;
  throw new ConfigError(`${where}: expected a task of this Galen, got ${file.task} version ${file.version}`, {
    hint:
      named === undefined
        ? "install the Galen that tuned the model"
        : `this one has version ${named.task.version}: tune again`,
  });
}
