/**
 * A temporary file without a name: it is taken out of its folder as soon as it is open, so that the file is gone with
 * the process, however that ends. Where an open file keeps its name, it goes on disposal.
 */
import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors.ts";

export interface TemporaryFile extends AsyncDisposable {
  append(bytes: Uint8Array): Promise<void>;
  /** Fills `bytes` with what stands at `position`. @throws DataError where the file ends before. */
  read(bytes: Uint8Array, position: number): Promise<void>;
}

/** Opens an empty one on the disk of `folder`. */
export async function openTemporary(folder: string): Promise<TemporaryFile> {
  const path = join(folder, `galen-${randomUUID().slice(0, 8)}.tmp`);
  const handle = await open(path, "wx+", 0o600);
  await rm(path).catch(() => undefined);
  return {
    append: (bytes) => handle.appendFile(bytes),
    async read(bytes, position) {
      // A read may give less than was asked.
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
        if (bytesRead === 0)
          throw new DataError(`${path}: expected ${position + bytes.length} bytes, got ${position + done}`);
        done += bytesRead;
      }
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(path, { force: true });
    },
  };
}
