/**
 * Git LFS pointers: a few lines of text in a file's place where the file itself was not fetched (git-lfs, docs/spec.md).
 * Whatever file is read, they are told apart from it.
 */
import { open } from "node:fs/promises";
import { DataError, type GalenError } from "../errors.ts";

const start = "version https://git-lfs.github.com/spec/";
const longest = 1024; // bytes, by the specification

type Failure = new (message: string, options?: { hint?: string | undefined }) => GalenError;

/** What is wrong with a file that begins with `bytes`, if it is a pointer. */
export function pointerError(
  path: string,
  bytes: Uint8Array | string,
  Failure: Failure = DataError,
): GalenError | undefined {
  const text = typeof bytes === "string" ? bytes : Buffer.from(bytes.subarray(0, start.length)).toString("latin1");
  if (!text.startsWith(start)) return undefined;
  return new Failure(`${path}: expected the file itself, got a Git LFS pointer that stands for it`, {
    hint: "fetch it with `git lfs pull`, or download it again",
  });
}

/** @throws DataError where `path` is a pointer. What cannot be read is left to its reader. */
export async function refusePointer(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > longest) return;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(start.length), 0, start.length, 0);
    const error = pointerError(path, buffer.subarray(0, bytesRead));
    if (error !== undefined) throw error;
  } finally {
    await handle.close();
  }
}
