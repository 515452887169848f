/**
 * Append-only outputs with a journal, so that a killed run goes on without losing or repeating a line. A group's lines
 * are appended and flushed before the journal says so; on resuming, what the journal does not know of is cut off.
 */
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";

/** Counted over the whole run, kills included. */
export interface Counts {
  readonly documents: number;
  /** Documents without text. */
  readonly empty: number;
  /** Longer than the model takes, read in several windows. */
  readonly windowed: number;
  readonly triples: number;
  /** Triples whose two names stand in the text. */
  readonly grounded: number;
  readonly headsNotInText: number;
  readonly tailsNotInText: number;
  /** Answers that length or the repeat guard ended. */
  readonly unfinished: number;
}

export const noCounts: Counts = {
  documents: 0,
  empty: 0,
  windowed: 0,
  triples: 0,
  grounded: 0,
  headsNotInText: 0,
  tailsNotInText: 0,
  unfinished: 0,
};

interface Entry {
  /** Groups of documents done, in the run's order. */
  readonly window: number;
  readonly group: number;
  /** Id of the window's first document, against resuming on other input. */
  readonly first: string;
  readonly bytes: readonly number[];
  readonly counts: Counts;
}

export interface Journal extends AsyncDisposable {
  /** The last group that is done; undefined at the start. */
  readonly last: Entry | undefined;
  /** Appends lines to each file, in the order of `names`, then the journal's own. */
  append(lines: readonly string[], entry: Omit<Entry, "bytes">): Promise<void>;
}

/**
 * Opens the outputs `names` in `folder`, new or, with `resume`, where the journal ends.
 * @throws ConfigError where the folder holds a run and `resume` is false, or a run with other settings.
 */
export async function openJournal(
  folder: string,
  names: readonly string[],
  { settings, resume }: { settings: unknown; resume: boolean },
): Promise<Journal> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "journal.jsonl");
  const text = await readFile(path, "utf8").catch(() => "");
  const { header, entries, bytes } = parse(text);
  const wanted = JSON.stringify({ settings });
  if (header !== undefined && !resume) {
    throw new ConfigError(`${folder}: expected a folder without a run, got one`, {
      hint: "go on with --resume, or name another --output",
    });
  }
  if (header !== undefined && header !== wanted) {
    throw new ConfigError(`${folder}: expected a run with the same model, task, inputs and decoding, got another`, {
      hint: "name another --output",
    });
  }
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
        await appendTo(files[i]!, part);
        sizes[i]! += Buffer.byteLength(part);
      }
      await appendTo(files.at(-1)!, `${JSON.stringify({ ...entry, bytes: sizes })}\n`);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const file of files) await file.close();
    },
  };
}

/** The whole lines of a journal; the last may be half-written. */
function parse(text: string): { header: string | undefined; entries: Entry[]; bytes: number } {
  const lines = text.split("\n").slice(0, -1);
  const [header, ...rest] = lines;
  const entries: Entry[] = [];
  let bytes = header === undefined ? 0 : Buffer.byteLength(header) + 1;
  for (const line of rest) {
    try {
      entries.push(JSON.parse(line) as Entry);
    } catch {
      break;
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
