/**
 * Whole files: read as UTF-8, and written so that a reader never sees half of one, by a temporary name beside the target
 * and a rename.
 */
import { createHash, randomUUID } from "node:crypto";
import { readlinkSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { DataError, GalenError } from "../errors.ts";
import { pointerError } from "./pointer.ts";

/** A file's text, without a byte order mark. @throws DataError where it cannot be read or is not UTF-8. */
export async function readText(path: string, hint?: string): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "other bytes than UTF-8" : message;
    throw new DataError(`${path}: expected a readable file, got ${got}`, { hint, cause });
  }
  const pointer = pointerError(path, text);
  if (pointer !== undefined) throw pointer;
  return text;
}

/** What the system means, in words; it names no file where one was open. */
const refusals: Readonly<Record<string, string>> = {
  ENOSPC: "a full disk",
  EDQUOT: "a full quota",
  EFBIG: "a limit on the size of files",
  EROFS: "a disk that is read-only",
  EACCES: "no permission",
  EPERM: "no permission",
  ENOTDIR: "a file in the folder's place",
  EISDIR: "a folder of that name",
};

/** Does `write`, and says of which file it was where the system refuses. @throws DataError. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const refusal = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
    if (refusal === undefined || cause instanceof GalenError) throw cause;
    throw new DataError(`${path}: expected to write it, got ${refusal} (${message})`, {
      hint: "make room or give permission, or name another --output",
      cause,
    });
  }
}

export interface AtomicOptions {
  /**
   * Whether to look in the folder for what killed processes left of the same file. Default true; false where so many files are
   * written to one folder that a look at all of them for each is dear: then someone else cleans up.
   */
  readonly sweeps?: boolean | undefined;
}

/** Lets `write` fill a temporary file, flushes it to disk and renames it to `path`; nothing is left when it throws. */
export function writeAtomically(
  path: string,
  write: (temporary: string) => Promise<void>,
  { sweeps = true }: AtomicOptions = {},
): Promise<void> {
  return writing(path, () => replace(path, write, sweeps));
}

/** A name beside `path` that no other process has, on whatever machine it writes to the same folder. */
export function temporaryFor(path: string): string {
  return `${path}.${machine()}-${process.pid}.${randomUUID().slice(0, 8)}.tmp`;
}

/** What a file of `temporaryFor` was to be called; undefined for other names. */
export function finalName(temporary: string): string | undefined {
  return /^(.+)\.[0-9a-f]{8}-\d+\.[0-9a-f]{8}\.tmp$/.exec(temporary)?.[1];
}

let machineId: string | undefined;

/** Within what a process id means the same process: a machine, and on Linux a container. */
function machine(): string {
  if (machineId !== undefined) return machineId;
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Another system, where the machine's name says all.
  }
  return (machineId = createHash("sha256").update(`${hostname()} ${namespace}`).digest("hex").slice(0, 8));
}

async function replace(path: string, write: (temporary: string) => Promise<void>, sweeps: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (sweeps) await sweep(path);
  const temporary = temporaryFor(path);
  try {
    await write(temporary);
    const handle = await open(temporary, "r+");
    await handle.sync().finally(() => handle.close());
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether a name is of `temporaryFor`, of a process of this machine that is no more; of another's, nobody here knows. */
export function isLeft(name: string): boolean {
  if (!name.endsWith(".tmp")) return false;
  const owner = /\.([0-9a-f]{8})-(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name);
  return owner !== null && owner[1] === machine() && !isAlive(Number(owner[2]));
}

/** Removes what killed processes left of the same file. */
async function sweep(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const sibling of await readdir(folder)) {
    if (!sibling.startsWith(`${name}.`) || finalName(sibling) !== name || !isLeft(sibling)) continue;
    await rm(join(folder, sibling), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** `writeFile`, atomically. */
export async function writeFileAtomically(
  path: string,
  contents: string | Uint8Array,
  options: AtomicOptions = {},
): Promise<void> {
  const write = async (temporary: string): Promise<void> => {
    const handle = await open(temporary, "w");
    await handle.writeFile(contents).finally(() => handle.close());
  };
  await writeAtomically(path, write, options);
}
