/**
 * Files as byte streams: plain, gzip, zstd (where the Node has it), and stdin. Decompression is streamed, so a
 * compressed bomb costs time but no memory. Of a damaged file, all that was packed before the damage comes.
 */
import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import * as zlib from "node:zlib";
import { DataError } from "../errors.ts";
import { refusePointer } from "./pointer.ts";

/** The path that stands for stdin. */
export const stdin = "-";

export interface ReadBytesOptions {
  /** Sees the bytes on disk as they are read: all of them, unless reading is aborted. */
  readonly onRaw?: ((chunk: Uint8Array) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Chunks = AsyncGenerator<Uint8Array<ArrayBuffer>>;

/** Bytes of a compressed file at a time: what a decoder fails at is sought again byte by byte. */
const pieceBytes = 1 << 16;

/**
 * A file's uncompressed bytes, or those of stdin.
 * @throws DataError that says what is damaged; the system's error; the signal's reason.
 */
export async function* readBytes(path: string, options: ReadBytesOptions = {}): Chunks {
  const { signal } = options;
  if (path !== stdin) await refusePointer(path);
  try {
    const decoder = decoderFor(path);
    const raw = rawBytes(path, decoder === undefined ? 1 << 20 : pieceBytes, options);
    yield* decoder === undefined ? raw : decoded(path, raw, decoder);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function* rawBytes(path: string, size: number, { onRaw, signal }: ReadBytesOptions): Chunks {
  const file: Readable = path === stdin ? process.stdin : createReadStream(path, { highWaterMark: size });
  // Stdin may give nothing for as long as it likes: an abort must not wait for it.
  if (signal !== undefined) addAbortSignal(signal, file);
  const chunks = file[Symbol.asyncIterator]() as AsyncIterator<Uint8Array<ArrayBuffer>>;
  let next: IteratorResult<Uint8Array<ArrayBuffer>> = { done: false, value: new Uint8Array() };
  const advance = async (): Promise<boolean> => {
    next = { done: true, value: undefined };
    next = await chunks.next();
    if (next.done !== true) onRaw?.(next.value);
    return next.done !== true;
  };
  try {
    while (await advance()) {
      signal?.throwIfAborted();
      yield next.value;
    }
  } finally {
    // The reader has enough, or cannot decode the rest; `onRaw` is promised all of it.
    const isWanted = (): boolean => onRaw !== undefined && next.done !== true && signal?.aborted !== true;
    while (isWanted()) await advance();
    file.destroy();
  }
}

type Decoder = zlib.Gunzip | zlib.ZstdDecompress;

function decoderFor(path: string): Decoder | undefined {
  const lower = path.toLowerCase();
  if (/\.t?gz$/.test(lower)) return zlib.createGunzip({ chunkSize: 1 << 20 });
  if (!lower.endsWith(".zst")) return undefined;
  if ("createZstdDecompress" in zlib) return zlib.createZstdDecompress({ chunkSize: 1 << 20 });
  throw new DataError(`a .zst file expected Node 22.15 or later, got ${process.versions.node}`, {
    hint: "decompress it with the zstd command",
  });
}

async function* decoded(path: string, raw: Chunks, decoder: Decoder): Chunks {
  const feeding = feed(raw, decoder).catch((error: unknown) => decoder.destroy(error as Error));
  let given = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Uint8Array<ArrayBuffer>>) {
      given += chunk.length;
      yield chunk;
    }
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!/^(?:Z_|ZSTD_)/.test(code)) throw error;
    // Stdin cannot be read again.
    if (path !== stdin) yield* beforeDamage(path, given, decoder.bytesWritten);
    throw new DataError(damageOf(path, message), { cause: error });
  } finally {
    decoder.destroy();
    await feeding;
  }
}

/** Writes all of `raw`, no faster than it is decoded, until the decoder has ended. */
async function feed(raw: Chunks, decoder: Decoder): Promise<void> {
  for await (const chunk of raw) {
    const hasRoom = decoder.write(chunk);
    if (decoder.destroyed) return;
    if (hasRoom) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        decoder.off("drain", go).off("close", go);
        resolve();
      };
      decoder.on("drain", go).on("close", go);
    });
    if (decoder.destroyed) return;
  }
  decoder.end();
}

/**
 * What a damaged file holds before the damage, without the first `skip` bytes. A decoder keeps to itself what it made of
 * the piece that it fails at, so that the bytes from `from` on are given to it one by one.
 */
async function* beforeDamage(path: string, skip: number, from: number): Chunks {
  const decoder = decoderFor(path)!;
  let made: Uint8Array<ArrayBuffer>[] = [];
  // A write that fails is never answered.
  const failed = new Promise<void>((resolve) => decoder.on("error", () => resolve()));
  decoder.on("data", (chunk: Uint8Array<ArrayBuffer>) => made.push(chunk));
  let left = skip;
  const taken = function* (): Generator<Uint8Array<ArrayBuffer>> {
    for (const chunk of made) {
      if (chunk.length > left) yield chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
    }
    made = [];
  };
  let at = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>) {
    for (let start = 0; start < chunk.length && !decoder.destroyed;) {
      const size = at < from ? Math.min(chunk.length - start, from - at) : 1;
      const piece = chunk.subarray(start, start + size);
      await Promise.race([failed, new Promise((resolve) => decoder.write(piece, resolve))]);
      [at, start] = [at + size, start + size];
      yield* taken();
    }
    if (decoder.destroyed) break;
  }
  yield* taken();
  decoder.destroy();
}

function damageOf(path: string, message: string): string {
  const kind = /\.t?gz$/i.test(path) ? "gzip" : "zstd";
  if (/unexpected end/.test(message)) return `the ${kind} file is cut short`;
  if (/incorrect (?:data|length) check/.test(message)) return "the gzip file's checksum is not that of its contents";
  if (/incorrect header check|unknown frame/i.test(message)) return `expected ${kind} data, got other bytes`;
  return `the ${kind} file is damaged (${message})`;
}
