/**
 * Files as byte streams: plain, gzip, zstd (where the Node has it), and stdin. Decompression is streamed, so a
 * compressed bomb costs time but no memory.
 */
import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { DataError } from "../errors.ts";
import { refusePointer } from "./pointer.ts";

/** The path that stands for stdin. */
export const stdin = "-";

export interface ReadBytesOptions {
  /** Sees the bytes on disk as they are read. */
  readonly onRaw?: ((chunk: Uint8Array) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file's uncompressed bytes, or those of stdin. @throws the system's or zlib's error; the signal's reason. */
export async function* readBytes(
  path: string,
  { onRaw, signal }: ReadBytesOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (path !== stdin) await refusePointer(path);
  const transform = decompressor(path);
  const file: Readable = path === stdin ? process.stdin : createReadStream(path, { highWaterMark: 1 << 20 });
  // Stdin may give nothing for as long as it likes: an abort must not wait for it.
  if (signal !== undefined) addAbortSignal(signal, file);
  try {
    if (onRaw !== undefined) file.on("data", onRaw);
    if (transform !== undefined) {
      file.on("error", (error) => transform.destroy(error));
      file.pipe(transform);
    }
    for await (const chunk of transform ?? file) {
      signal?.throwIfAborted();
      yield chunk as Uint8Array<ArrayBuffer>;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    file.destroy();
    transform?.destroy();
  }
}

function decompressor(path: string): Transform | undefined {
  const lower = path.toLowerCase();
  if (lower.endsWith(".gz")) return zlib.createGunzip({ chunkSize: 1 << 20 });
  if (!lower.endsWith(".zst")) return undefined;
  if ("createZstdDecompress" in zlib) return zlib.createZstdDecompress({ chunkSize: 1 << 20 });
  throw new DataError(`${path}: a .zst file expected Node 22.15 or later, got ${process.versions.node}`, {
    hint: "decompress it with the zstd command",
  });
}
