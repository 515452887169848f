/** task.json beside a fine-tuned model: which task it was tuned for, and the soft prompt's ids. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import { tasks } from "../tasks/index.ts";
import { taskFromSchema } from "../tasks/schema.ts";
import type { Task } from "../tasks/task.ts";

export const taskFileName = "task.json";

const schema = z.looseObject({
  format: z.literal(1),
  task: z.string(),
  version: z.string(),
  /** Contents of the user's JSON file; null for a published task. */
  schema: z.unknown(),
  promptIds: z.array(z.int().min(0)),
  truncation: z.object({ maxPositions: z.int().positive(), maxSourceTokens: z.int().positive(), marker: z.string() }),
});

export type TaskFile = z.infer<typeof schema>;

export interface NamedTask {
  readonly task: Task;
  /** Contents of the user's JSON file; null for a published task. */
  readonly schema: unknown;
}

/**
 * A published task by name, or the user's own from a JSON file.
 * @throws ConfigError that lists the tasks, or names what is wrong in the file.
 */
export async function openTask(nameOrPath: string): Promise<NamedTask> {
  const published = Object.hasOwn(tasks, nameOrPath) ? tasks[nameOrPath] : undefined;
  if (published !== undefined) return { task: published, schema: null };
  const text = await readFile(nameOrPath, "utf8").catch((cause: unknown) => {
    const known = Object.keys(tasks).join(", ");
    throw new ConfigError(`task: expected one of ${known}, or a JSON file, got "${nameOrPath}"`, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`${nameOrPath}: expected JSON, got ${(cause as Error).message}`, { cause });
  }
  return { task: asTask(taskFromSchema(json, nameOrPath)), schema: json };
}

/** Tasks differ in the examples that they read; who holds one knows them from nowhere else. */
function asTask(task: unknown): Task {
  return task as Task;
}

export function taskFileOf(
  { task, schema }: NamedTask,
  layout: Pick<TaskFile, "promptIds" | "truncation">,
  training: Readonly<Record<string, unknown>>,
): string {
  const { name, version } = task;
  return `${JSON.stringify({ format: 1, task: name, version, schema, ...layout, training }, null, 2)}\n`;
}

/** What a fine-tuned model's folder says of its task; undefined without task.json. @throws ConfigError. */
export async function readTaskFile(folder: string): Promise<TaskFile | undefined> {
  return readSettings(join(folder, taskFileName), schema);
}

/** The task of a task.json. @throws ConfigError where this version of Galen has it not, or another version of it. */
export function taskOf(file: TaskFile, where: string): Task {
  if (file.schema !== null) return asTask(taskFromSchema(file.schema, where));
  const task = Object.hasOwn(tasks, file.task) ? tasks[file.task]! : undefined;
  if (task?.version === file.version) return task;
  throw new ConfigError(`${where}: expected a task of this Galen, got ${file.task} version ${file.version}`, {
    hint:
      task === undefined
        ? "install the Galen that tuned the model"
        : `this one has version ${task.version}: tune again`,
  });
}
