/** Writing files so that a reader never sees half of one: a temporary name beside the target, then a rename. */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

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
