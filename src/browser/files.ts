/**
 * The files of a model or an index, as a page has them: from an address, or given as bytes. A file that a server does not
 * have is none, also where the server gives its start page in the file's place.
 */
import type * as z from "zod";
import { openBytes } from "../checkpoints/entries.ts";
import type { SafetensorsBytes } from "../checkpoints/safetensors-read.ts";
import { ConfigError, DataError } from "../errors.ts";
import { parsedSettings, required } from "../schema.ts";

/** The address of a folder, or its files by their paths in it: `{ "config.json": bytes, "1_Pooling/config.json": bytes }`. */
export type FilesSource = string | URL | Readonly<Record<string, Uint8Array | ArrayBuffer | Blob>>;

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of each file as it comes; `total` is undefined where the server does not say. */
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  /** A file that is larger is refused. Default 2 GiB. */
  readonly mostBytes?: number | undefined;
}

export interface FetchProgress {
  readonly file: string;
  readonly bytes: number;
  readonly total: number | undefined;
}

/** Files by their paths, which begin with `where`. */
export interface Files {
  readonly where: string;
  read(path: string): Promise<Uint8Array | undefined>;
}

/** @throws ConfigError where the source is neither an address nor files. */
export function filesOf(source: FilesSource, options: FetchOptions = {}): Files {
  const { mostBytes = 2 ** 31 } = options;
  if (typeof source === "string" || source instanceof URL) {
    const where = addressOf(source);
    return { where, read: (path) => fetched(path, { ...options, mostBytes }) };
  }
  required("files", source, "object");
  const where = "files";
  const read: Files["read"] = async (path) => {
    options.signal?.throwIfAborted();
    const name = path.slice(where.length + 1);
    const data = Object.hasOwn(source, name) ? source[name] : undefined;
    if (data === undefined) return undefined;
    if (!(data instanceof Uint8Array || data instanceof ArrayBuffer || data instanceof Blob)) {
      throw new ConfigError(`${path}: expected bytes (a Uint8Array, an ArrayBuffer or a Blob), got something else`);
    }
    const size = data instanceof Blob ? data.size : data.byteLength;
    if (size > mostBytes) throw tooLarge(path, size, mostBytes);
    return data instanceof Uint8Array ? data : new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
  };
  return { where, read };
}

/** Without a slash at its end. */
function addressOf(source: string | URL): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  try {
    const url = new URL(source, page);
    if (url.search !== "" || url.hash !== "") throw new TypeError("a query or a fragment");
    return url.href.replace(/\/+$/, "");
  } catch (cause) {
    throw new ConfigError(`${String(source)}: expected the address of a folder, got ${(cause as Error).message}`, {
      cause,
      hint: "give the address that the folder's files lie under, such as https://example.org/models/encoder",
    });
  }
}

function tooLarge(path: string, bytes: number, most: number): DataError {
  return new DataError(`${path}: expected at most ${most} bytes, got ${bytes}`, {
    hint: "raise mostBytes if the file is meant to be that large",
  });
}

async function fetched(
  path: string,
  { signal, onProgress, mostBytes }: FetchOptions & { readonly mostBytes: number },
): Promise<Uint8Array | undefined> {
  const response = await fetch(path, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new DataError(`${path}: expected an answer, got ${(cause as Error).message}`, {
      cause,
      hint: "the server must be reached, and allow this page to read from it (CORS)",
    });
  });
  const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
  if (response.status === 404 || response.status === 410 || (response.ok && isPage)) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) throw new DataError(`${path}: expected the file, got status ${response.status}`);
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isNaN(length) ? undefined : length;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(response)) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw tooLarge(path, bytes, mostBytes);
    chunks.push(chunk);
    onProgress?.({ file: path, bytes, total });
  }
  // More than was announced is what a compressed answer comes to.
  if (total !== undefined && bytes < total) {
    throw new DataError(`${path}: expected ${total} bytes, got ${bytes}`, { hint: "the answer broke off: try again" });
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** A stream's own iterator is not everywhere; leaving it cancels the stream. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value as Uint8Array;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** @throws DataError where they are no UTF-8. */
export function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: expected UTF-8 text, got other bytes`, { cause });
  }
}

/** A file of settings; undefined where there is none. @throws ConfigError where it is no JSON, or does not fit. */
export async function readSettings<S extends z.ZodType>(
  files: Files,
  path: string,
  schema: S,
): Promise<z.output<S> | undefined> {
  const bytes = await files.read(path);
  return bytes === undefined ? undefined : parsedSettings(textOf(path, bytes), path, schema);
}

/** Bytes in memory as a file of weights is read. */
export function inMemory(path: string, bytes: Uint8Array): SafetensorsBytes {
  return { path, file: path, open: openBytes(bytes) };
}
