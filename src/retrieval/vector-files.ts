/** Vectors on disk, window by window: NumPy's .npy (float32, [rows, width]) and Parquet (columns id, embedding). */
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { createShard, defaultCompression, encodeGroup, type ShardWriter } from "../corpus/parquet-codec.ts";
import { ConfigError } from "../errors.ts";

export interface VectorWriter {
  write(ids: readonly string[], vectors: readonly Float32Array[]): Promise<void>;
  /** Finishes the file; without it nothing appears under its name. */
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Bytes of the header, so that the number of rows can be put in at the end. */
const headerBytes = 128;

/** NumPy's format 1.0 (numpy.lib.format). */
function npyHeader(rows: number, width: number): Buffer {
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const header = Buffer.alloc(headerBytes, " ");
  header.write("\x93NUMPY\x01\x00", 0, "latin1");
  header.writeUInt16LE(headerBytes - 10, 8);
  header.write(fields, 10, "latin1");
  header.write("\n", headerBytes - 1, "latin1");
  return header;
}

const columns = { id: "string", embedding: ["float"] } as const;

/** A writer by the name's ending. @throws ConfigError for another than .npy and .parquet. */
export async function createVectorFile(path: string, width: number): Promise<VectorWriter> {
  const isParquet = path.endsWith(".parquet");
  if (!isParquet && !path.endsWith(".npy")) {
    throw new ConfigError(`output: expected a name that ends in .parquet or .npy, got ${path}`);
  }
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const handle: FileHandle = await open(temporary, "w");
  let shard: ShardWriter | undefined;
  let rows = 0;
  if (isParquet) shard = await createShard(handle, columns, defaultCompression, "galen");
  else await handle.writeFile(npyHeader(0, width));
  return {
    async write(ids, vectors) {
      rows += vectors.length;
      if (shard !== undefined) {
        const group = ids.map((id, i) => ({ id, embedding: Array.from(vectors[i]!) }));
        await shard.append(encodeGroup(group, columns, defaultCompression));
        return;
      }
      const block = new Float32Array(vectors.length * width);
      vectors.forEach((vector, i) => block.set(vector, i * width));
      await handle.writeFile(new Uint8Array(block.buffer));
    },
    async close() {
      if (shard !== undefined) await shard.finish();
      else await handle.write(npyHeader(rows, width), 0, headerBytes, 0);
      await handle.sync();
      await handle.close();
      await rename(temporary, path);
    },
    async abort() {
      await handle.close();
      await rm(temporary, { force: true });
    },
  };
}
