/**
 * Whole files: read as UTF-8, and written so that a reader never sees half of one, by a temporary name beside the target
 * and a rename.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "../errors.ts";
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

/** Lets `write` fill a temporary file, flushes it to disk and renames it to `path`; nothing is left when it throws. */
export async function writeAtomically(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
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

/** `writeFile`, atomically. */
export async function writeFileAtomically(path: string, contents: string | Uint8Array): Promise<void> {
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, "w");
    await handle.writeFile(contents).finally(() => handle.close());
  });
}
