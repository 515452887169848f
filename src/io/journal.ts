/**
 * Append-only outputs with a journal, so that a killed run goes on without losing or repeating a line. A group's lines
 * are appended and flushed before the journal says so; on resuming, what the journal does not know of is cut off.
 */
import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { checked } from "../schema.ts";
import { writing } from "./files.ts";
import { lockFolder } from "./lock.ts";

interface Journal<Entry> extends AsyncDisposable {
  /** The last group that is done; undefined at the start. */
  readonly last: Entry | undefined;
  /** Appends lines to each file, in the order of `names`, then the journal's own. */
  append(lines: readonly string[], entry: Entry): Promise<void>;
}

/** What the journal says of a group: the caller's entry, and the sizes of the files after it. */
type Stored<Entry> = Entry & { readonly bytes: readonly number[] };

export interface JournalOptions<Entry> {
  /** What the results depend on: a run that differs in one of these is another. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What an entry is. */
  readonly entry: z.ZodType<Entry>;
  readonly resume: boolean;
}

/**
 * Opens the outputs `names` in `folder`, new or, with `resume`, where the journal ends.
 * @throws ConfigError where the folder holds a run and `resume` is false, a run with other settings, or one under way.
 */
export async function openJournal<Entry extends object>(
  folder: string,
  names: readonly string[],
  { settings, entry, resume }: JournalOptions<Entry>,
): Promise<Journal<Entry>> {
  const lock = await lockFolder(folder);
  try {
    const journal = await openLocked<Entry>(folder, names, { settings, entry, resume });
    return {
      ...journal,
      async [Symbol.asyncDispose](): Promise<void> {
        await journal[Symbol.asyncDispose]();
        await lock[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

async function openLocked<Entry extends object>(
  folder: string,
  names: readonly string[],
  { settings, entry, resume }: JournalOptions<Entry>,
): Promise<Journal<Entry>> {
  const path = join(folder, "journal.jsonl");
  const text = await readFile(path, "utf8").catch(() => "");
  const { header, entries, bytes } = parse(text, path, (line) => entryOf(line, entry, names.length));
  const wanted = JSON.stringify({ settings });
  if (header !== undefined && !resume) {
    throw new ConfigError(`${folder}: expected a folder without a run, got one`, {
      hint: "go on with --resume, or name another --output",
    });
  }
  if (header !== undefined && header !== wanted) throw new ConfigError(...differenceOf(folder, header, wanted));
  if (header === undefined) await checkNew(folder, names);
  const last = entries.at(-1);
  const files: FileHandle[] = [];
  try {
    for (const [i, name] of names.entries()) files.push(await openAt(join(folder, name), last?.bytes[i] ?? 0));
    const journal = await openAt(path, header === undefined ? 0 : bytes);
    files.push(journal);
    if (header === undefined) await appendTo(journal, `${wanted}\n`);
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
  const sizes = names.map((_, i) => last?.bytes[i] ?? 0);
  return {
    last,
    async append(lines, entry): Promise<void> {
      for (const [i, part] of lines.entries()) {
        await writing(join(folder, names[i]!), () => appendTo(files[i]!, part));
        sizes[i]! += Buffer.byteLength(part);
      }
      await writing(path, () => appendTo(files.at(-1)!, `${JSON.stringify({ ...entry, bytes: sizes })}\n`));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const file of files) await file.close();
    },
  };
}

/** Results without a journal are not cut: whoever made them may want them. */
async function checkNew(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found === undefined || found.size === 0) continue;
    throw new ConfigError(`${folder}: expected journal.jsonl beside ${name}, got none, or an empty one`, {
      hint: "nothing there was touched: name another --output, or move these files away",
    });
  }
}

/** Message and hint: the first setting that differs. */
function differenceOf(folder: string, header: string, wanted: string): [string, { hint: string }] {
  const hint = { hint: "a run is resumed with what it was started with; name another --output" };
  let there: Record<string, unknown>;
  try {
    ({ settings: there } = checked(z.object({ settings: z.record(z.string(), z.unknown()) }), JSON.parse(header), ""));
  } catch {
    return [`${join(folder, "journal.jsonl")}: expected a journal of Galen, got another file`, hint];
  }
  const { settings: now } = JSON.parse(wanted) as { settings: Record<string, unknown> };
  const [before, after] = [flat(there), flat(now)];
  // A hash says less than the field that it differs by.
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(
    (a, b) => Number(a === "hash") - Number(b === "hash"),
  );
  const name = names.find((key) => before.get(key) !== after.get(key));
  const show = (values: ReadonlyMap<string, string>): string => (values.get(name ?? "") ?? "none").slice(0, 80);
  return [`${folder}: ${name}: expected ${show(before)}, as the run there has, got ${show(after)}`, hint];
}

/** Values of nested objects as JSON, by their path: `decoder.beams`. */
export function flat(value: Readonly<Record<string, unknown>>, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, one] of Object.entries(value)) {
    if (typeof one === "object" && one !== null && !Array.isArray(one)) {
      for (const entry of flat(one as Record<string, unknown>, `${path}${key}.`)) found.set(...entry);
    } else found.set(`${path}${key}`, JSON.stringify(one));
  }
  return found;
}

/** A line of the journal: the caller's entry, with the sizes of so many files. @throws ConfigError where it is neither. */
function entryOf<Entry>(line: string, schema: z.ZodType<Entry>, files: number): Stored<Entry> {
  const sizes = z.looseObject({ bytes: z.array(z.int().min(0)).length(files) });
  const { bytes, ...own } = checked(sizes, JSON.parse(line), "entry");
  return { ...checked(schema, own, "entry"), bytes };
}

/** The whole lines of a journal; the last may be half-written. @throws ConfigError for a whole line that is no entry. */
function parse<Entry>(
  text: string,
  path: string,
  entryFrom: (line: string) => Stored<Entry>,
): { header: string | undefined; entries: Stored<Entry>[]; bytes: number } {
  const lines = text.split("\n").slice(0, -1);
  const [header, ...rest] = lines;
  const entries: Stored<Entry>[] = [];
  let bytes = header === undefined ? 0 : Buffer.byteLength(header) + 1;
  for (const [i, line] of rest.entries()) {
    try {
      entries.push(entryFrom(line));
    } catch (cause) {
      throw new ConfigError(`${path}:${i + 2}: expected an entry of the journal, got "${line.slice(0, 40)}"`, {
        cause,
        hint: "the file was damaged after the run; nothing was touched: start again in another folder",
      });
    }
    bytes += Buffer.byteLength(line) + 1;
  }
  return { header, entries, bytes };
}

/** Opens for appending, cut to `size` bytes. */
async function openAt(path: string, size: number): Promise<FileHandle> {
  const handle = await open(path, "a");
  const { size: found } = await handle.stat();
  if (found < size) {
    await handle.close();
    throw new ConfigError(`${path}: expected at least ${size} bytes, as the journal says, got ${found}`, {
      hint: "the file was changed after the run; start again in another folder",
    });
  }
  await handle.truncate(size);
  return handle;
}

async function appendTo(handle: FileHandle, text: string): Promise<void> {
  if (text === "") return;
  await handle.appendFile(text);
  await handle.datasync();
}
