/**
 * The folder of a job that was handed to a launcher, as others read it: what was submitted, heartbeats and last words of
 * ranks, and whether it is done. A file that is being written, or that a killed process left, is not there yet.
 */
import { existsSync } from "node:fs";
import { appendFile, lstat, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { readText, writing } from "../io/files.ts";
import { checked, parsedJson } from "../schema.ts";
import { shownText } from "./tail.ts";
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

/** Of another program. */
const text = z.string().transform((value) => shownText(value).slice(0, 4000));

const heartbeat = z.object({
  rank: z.int().min(0),
  host: text,
  pid: z.int(),
  step: z.int().min(0),
  /** Unix seconds. */
  time: z.number(),
  device: text,
  /** Milliseconds of a product of matrices on its device alone. */
  probe: z.number().nullish(),
  /** Seconds of the last update that it waited for its batches. */
  waiting: z.number().nullish(),
  /** Bytes, at most. */
  memory: z.number().nullish(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

const lastWords = z.object({
  rank: z.int().min(0),
  time: z.number(),
  step: z.int().min(0).nullish(),
  message: text,
  traceback: text.nullish(),
});
export type LastWords = z.infer<typeof lastWords>;

export interface Ranks {
  readonly heartbeats: readonly Heartbeat[];
  readonly errors: readonly LastWords[];
}

/** Of a run; what cannot be read is not there. */
export async function readRanks(folder: string): Promise<Ranks> {
  const names = await readdir(join(folder, "ranks")).catch((): string[] => []);
  const read = async <T>(ending: RegExp, schema: z.ZodType<T>): Promise<T[]> => {
    const files = names.filter((name) => ending.test(name)).sort();
    const found = await Promise.all(files.map((name) => readOwn(join(folder, "ranks", name), schema)));
    return found.filter((one) => one !== undefined);
  };
  return {
    heartbeats: await read(/^\d+\.json$/, heartbeat),
    errors: await read(/^\d+\.error\.json$/, lastWords),
  };
}

const done = z.object({
  step: z.int().min(0),
  stopped: z.boolean(),
  files: z.record(z.string(), z.object({ bytes: z.int().min(0), sha256: z.string() })).optional(),
});
export type Done = z.infer<typeof done>;

/** done.json; undefined where there is none, or half of one. */
export function readDone(folder: string): Promise<Done | undefined> {
  return readOwn(join(folder, "done.json"), done);
}

/** No file that is read whole has more. */
const mostBytes = 16 << 20;

/** A file that a process may be writing, or may have left half-written. */
export async function readOwn<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const { size } = await lstat(path);
    if (size > mostBytes) return undefined;
    return schema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
