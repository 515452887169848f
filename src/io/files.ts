/**
 * Whole files: read as UTF-8, and written so that a reader never sees half of one, by a temporary name beside the target
 * and a rename.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
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

/** Lets `write` fill a temporary file, flushes it to disk and renames it to `path`; nothing is left when it throws. */
export function writeAtomically(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  return writing(path, () => replace(path, write));
}

async function replace(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await sweep(path);
  const temporary = `${path}.${process.pid}.${randomUUID().slice(0, 8)}.tmp`;
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

/** Removes what killed processes left of the same file. */
async function sweep(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const sibling of await readdir(folder)) {
    const owner = sibling.startsWith(`${name}.`)
      ? /^\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(sibling.slice(name.length))
      : null;
    if (owner !== null && !isAlive(Number(owner[1]))) await rm(join(folder, sibling), { recursive: true, force: true });
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
export async function writeFileAtomically(path: string, contents: string | Uint8Array): Promise<void> {
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, "w");
    await handle.writeFile(contents).finally(() => handle.close());
  });
}
