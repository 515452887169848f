/**
 * The folder of a job that was handed to a launcher, as others read it: its kind and what was submitted. What its ranks
 * write is read by `io/job-files.ts`.
 */
import { existsSync } from "node:fs";
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { readText, writing } from "../io/files.ts";
import { readJobFile } from "../io/job-files.ts";
import { checked, parsedJson } from "../schema.ts";
import { launcherNames } from "./launchers/launcher.ts";

const count = z.int().positive();

/** A line of submitted.jsonl. */
const submitted = z.strictObject({
  /** ISO 8601. */
  time: z.string(),
  on: z.enum(launcherNames),
  /** What the launcher calls it; null: it was written, and handed to nobody. */
  id: z.string().nullable(),
  work: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("ranks"),
      ranks: count,
      perNode: count,
      tensorParallel: count,
      restarts: z.int().min(0),
      prepares: z.boolean(),
    }),
    z.strictObject({ kind: z.literal("tasks"), count, parallel: count.optional() }),
  ]),
  python: z.string(),
  galen: z.string(),
  options: z.array(z.tuple([z.string(), z.string()])),
  address: z.string().optional(),
  after: z.array(z.string()),
});

export type Submitted = z.infer<typeof submitted> & {
  /** Absolute path of the job's folder. */
  readonly folder: string;
};

/** Whether a folder is that of a job, and of which kind. */
export function kindOf(folder: string): "training" | "array" | undefined {
  if (existsSync(join(folder, "array.json"))) return "array";
  return ["job.json", "launch.json"].some((name) => existsSync(join(folder, name))) ? "training" : undefined;
}

/** @throws ConfigError where it is none. */
export function requireJob(folder: string): "training" | "array" {
  const kind = kindOf(folder);
  if (kind !== undefined) return kind;
  throw new ConfigError(`${folder}: expected the folder of a job, got one without job.json or array.json`, {
    hint: 'name the --output of "galen launch"; "galen jobs list FOLDER" shows those in a folder',
  });
}

/** All that was handed in, in order; a half-written last line is none. @throws DataError where a line is of another form. */
export async function readSubmitted(folder: string): Promise<Submitted[]> {
  const path = join(folder, "submitted.jsonl");
  if (!existsSync(path)) return [];
  const lines = (await readText(path)).split("\n").slice(0, -1);
  return lines.map((line, i) => {
    const where = `${path}:${i + 1}`;
    return { ...checked(submitted, parsedJson(line, where), where, DataError), folder };
  });
}

/** What was handed in last; a dry run is handed to nobody. */
export async function lastHandedIn(folder: string): Promise<Submitted | undefined> {
  return (await readSubmitted(folder)).findLast(({ id }) => id !== null);
}

export async function addSubmitted({ folder, ...line }: Submitted): Promise<void> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const path = join(folder, "submitted.jsonl");
  await writing(path, () => appendFile(path, `${JSON.stringify(line)}\n`));
}

/** A file that a process may be writing, or may have left half-written. */
export async function readOwn<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  return (await readJobFile(path, schema)) ?? undefined;
}
