/**
 * What the ranks of a training write into its job's folder (`distributed/worker.py`), as whoever watches it reads it: heartbeats,
 * last words, and that it is done. Other programs wrote the files, maybe on other machines: of each a bounded part is read,
 * links are not followed, and what cannot be read, as a file that is just being replaced, is not there.
 */
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

/** What another program wrote, without marks that would move, order or colour it. */
export function shownText(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, "\u{fffd}");
}

/** The end says most of an error. */
const text = z.string().transform((value) => shownText(value).slice(-8000));

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
export type Heartbeat = z.output<typeof heartbeat>;

const lastWords = z.object({
  rank: z.int().min(0),
  time: z.number(),
  step: z.int().min(0).nullish(),
  message: text,
  traceback: text.nullish(),
});
export type LastWords = z.output<typeof lastWords>;

const done = z.object({
  step: z.int().min(0),
  stopped: z.boolean(),
  files: z.record(z.string(), z.object({ bytes: z.int().min(0), sha256: z.string() })).optional(),
});
export type Done = z.output<typeof done>;

/** Bytes of a file that are read: of a rank's, and of others. */
const [rankBytes, mostBytes] = [1 << 18, 16 << 20];
/** Files that are open at once. */
const atOnce = 64;

/** A JSON file of this form; undefined where there is none; null where it does not fit, or not yet. */
export async function readJobFile<T>(
  path: string,
  schema: z.ZodType<T>,
  most = mostBytes,
): Promise<T | null | undefined> {
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

export interface Ranks {
  /** By rank. */
  readonly heartbeats: readonly Heartbeat[];
  readonly errors: readonly LastWords[];
  /** Files that do not fit, and those beyond what is looked at. */
  readonly unread: number;
}

/** Of a run's folder, `most` ranks at most. */
export async function readRanks(folder: string, most = Number.POSITIVE_INFINITY): Promise<Ranks> {
  const entries = await readdir(join(folder, "ranks"), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const wanted = names.filter((name) => /^\d{1,9}(?:\.error)?\.json$/.test(name)).sort();
  const looked = wanted.slice(0, 2 * most);
  const [heartbeats, errors]: [Heartbeat[], LastWords[]] = [[], []];
  let unread = wanted.length - looked.length;
  const into = <T>(all: T[], found: T | null | undefined): void => {
    if (found === null) unread += 1;
    else if (found !== undefined) all.push(found);
  };
  for (let i = 0; i < looked.length; i += atOnce) {
    const some = looked.slice(i, i + atOnce).map(async (name) => {
      const path = join(folder, "ranks", name);
      if (name.endsWith(".error.json")) into(errors, await readJobFile(path, lastWords, rankBytes));
      else into(heartbeats, await readJobFile(path, heartbeat, rankBytes));
    });
    await Promise.all(some);
  }
  const byRank = (a: { rank: number }, b: { rank: number }): number => a.rank - b.rank;
  return { heartbeats: heartbeats.sort(byRank), errors: errors.sort(byRank), unread };
}

/** done.json; undefined where there is none, or half of one. */
export async function readDone(folder: string): Promise<Done | undefined> {
  return (await readJobFile(join(folder, "done.json"), done)) ?? undefined;
}
