/**
 * Token vectors in a temporary file, for those that do not fit in memory: float32 rows one text after the other, read
 * back in ranges of texts. In memory is a number a text. The file goes with the store, however its user ends.
 */
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import type { TokenVectors } from "./max-sim.ts";

export interface VectorStore extends AsyncDisposable {
  /** Of the texts that follow. All have the same width. */
  append(vectors: readonly TokenVectors[]): Promise<void>;
  /** Of the texts from number `first` up to `end`, which is not read. */
  read(first: number, end: number): Promise<TokenVectors[]>;
}

/** Opens an empty store in a new folder within `parent`. @throws DataError where its file is changed by others. */
export async function openVectorStore(parent: string): Promise<VectorStore> {
  const folder = await mkdtemp(join(parent, "galen-vectors-"));
  const path = join(folder, "vectors.f32");
  const handle = await open(path, "wx+").catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  let width = 0;
  /** Vectors before each text, and before what is to come. */
  const starts = [0];
  return {
    async append(vectors) {
      await handle.writeFile(vectors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
      for (const one of vectors) {
        ({ width } = one);
        starts.push(starts.at(-1)! + one.count);
      }
    },
    async read(first, end) {
      const from = starts[first]!;
      const rows = new Float32Array((starts[end]! - from) * width);
      await fill(handle, new Uint8Array(rows.buffer), 4 * from * width, path);
      return Array.from({ length: end - first }, (_, i) => {
        const [start, stop] = [starts[first + i]!, starts[first + i + 1]!];
        return { width, count: stop - start, data: rows.subarray((start - from) * width, (stop - from) * width) };
      });
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A read may give less than was asked. */
async function fill(handle: FileHandle, bytes: Uint8Array, position: number, path: string): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0)
      throw new DataError(`${path}: expected ${position + bytes.length} bytes, got ${position + done}`);
    done += bytesRead;
  }
}
