/** Files of weights on disk: opening them, and what the system says of those that it refuses. */
import { open, type FileHandle } from "node:fs/promises";
import { CheckpointError } from "../errors.ts";
import { pointerError } from "../io/pointer.ts";
import type { OpenBytes } from "./entries.ts";

/** Opens `path` for reading; whatever the system refuses becomes a `CheckpointError`. */
export async function withFile<T>(path: string, use: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const status = await handle.stat();
    if (!status.isFile()) throw new CheckpointError(`${path}: expected a file, got something else`);
    const start = Buffer.alloc(64);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    const pointer = pointerError(path, start.subarray(0, bytesRead), CheckpointError);
    if (pointer !== undefined) throw pointer;
    return await use(handle, status.size);
  } catch (error) {
    throw systemError(path, error);
  } finally {
    await handle?.close();
  }
}

/** A failed system call or allocation as a `CheckpointError`; anything else as it is. */
export function systemError(path: string, error: unknown): unknown {
  if (error instanceof RangeError && /allocation failed|Invalid (typed )?array length/.test(error.message))
    return new CheckpointError(`${path}: not enough memory (${error.message})`, { cause: error });
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const missing = "code" in error && error.code === "ENOENT";
  return new CheckpointError(missing ? `${path}: no such file` : `${path}: cannot be read (${error.message})`, {
    cause: error,
    hint: missing ? "check the path, or download the checkpoint again" : undefined,
  });
}

/** How the entries of a file are read. */
export function inFile(path: string): OpenBytes {
  return (use) => withFile(path, use);
}
