/**
 * Input files as byte streams: plain, gzip, zstd (where the Node has it), and folders of them. Decompression is
 * streamed, so a compressed bomb costs time but no memory. Symbolic links inside folders are not followed: what they
 * point to inside the folder is found by its own name, and what lies outside must be named as an input.
 */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { DataError } from "../errors.ts";

export interface SourceFile {
  path: string;
  /** Path inside the input folder with forward slashes, or the file's name: the same on every machine. */
  name: string;
  /** Size on disk. */
  bytes: number;
}

function order(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

async function walk(folder: string, root: string, accept: (name: string) => boolean): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted(order)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await walk(path, root, accept)));
    else if (entry.isFile() && accept(entry.name.toLowerCase())) {
      const name = relative(root, path).split(sep).join("/");
      files.push({ path, name, bytes: (await stat(path)).size });
    }
  }
  return files;
}

/**
 * The files that `inputs` name, in the order given, folders recursively in order of their names.
 * `accept` sees a file's name in lower case; files named directly are taken whatever their name.
 * @throws DataError where an input does not exist or a folder holds no such file.
 */
export async function listSources(
  inputs: readonly string[],
  accept: (name: string) => boolean,
  expected: string,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const input of inputs) {
    const found = await stat(input).catch((cause: unknown) => {
      throw new DataError(`${input}: expected a file or folder, got nothing that can be read`, { cause });
    });
    if (found.isDirectory()) {
      const inside = await walk(input, input, accept);
      if (inside.length === 0) throw new DataError(`${input}: expected ${expected} in the folder, got none`);
      files.push(...inside);
    } else files.push({ path: input, name: basename(input), bytes: found.size });
  }
  if (files.length === 0) throw new DataError(`inputs: expected ${expected}, got an empty list`);
  return files;
}

function decompressor(path: string): Transform | null {
  const lower = path.toLowerCase();
  if (lower.endsWith(".gz")) return zlib.createGunzip({ chunkSize: 1 << 20 });
  if (!lower.endsWith(".zst")) return null;
  if ("createZstdDecompress" in zlib) return zlib.createZstdDecompress({ chunkSize: 1 << 20 });
  throw new DataError(`${path}: a .zst file expected Node 22.15 or later, got ${process.versions.node}`, {
    hint: "decompress it with the zstd command",
  });
}

/** A file's uncompressed bytes; `onRaw` sees the bytes on disk as they are read. */
export async function* readBytes(
  path: string,
  options: { onRaw?: ((chunk: Uint8Array) => void) | undefined; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const { onRaw, signal } = options;
  const transform = decompressor(path);
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    if (onRaw !== undefined) file.on("data", (chunk) => onRaw(chunk as Buffer));
    if (transform !== null) {
      file.on("error", (error) => transform.destroy(error));
      file.pipe(transform);
    }
    for await (const chunk of transform ?? file) {
      signal?.throwIfAborted();
      yield chunk as Uint8Array;
    }
  } finally {
    file.destroy();
    transform?.destroy();
  }
}
