/**
 * Fingerprints: two things with the same are the same, so that a run is gone on with on what it began with. Large files
 * are sampled: a change that leaves their size as it was, and all samples too, is not seen.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors.ts";

/** A file up to this size is read whole, of a larger one so many samples of a part each. */
const wholeBytes = 4 << 20;
const samples = 16;

/** The first sixteen hexadecimal digits of SHA-256. */
export function digest(hash: Hash): string {
  return hash.digest("hex").slice(0, 16);
}

/** SHA-256 of a file, whole, and how many bytes it has. @throws the system's error. */
export async function fileSha256(path: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
  }
  return { sha256: hash.digest("hex"), bytes };
}

/** Of texts, or bytes, in order. */
export function fingerprintOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return digest(hash);
}

/** Of named texts, in whatever order they come. */
export function filesFingerprint(files: ReadonlyMap<string, string>): string {
  const names = [...files.keys()].sort();
  return fingerprintOf(...names.flatMap((name) => [name, files.get(name)!]));
}

/**
 * Of a file, or of all that a folder holds but hidden entries, as "1234 bytes, 0123456789abcdef": a reader sees whether
 * it grew.
 * @throws DataError where there is none.
 */
export async function pathFingerprint(path: string): Promise<string> {
  const hash = createHash("sha256");
  const bytes = await addPath(hash, path);
  return `${bytes} bytes, ${digest(hash)}`;
}

/**
 * Of a model: its weights, whole, settings and vocabulary, those of its numbered modules included. Models that differ in a
 * few rows, such as a soft prompt, differ here, which samples would miss.
 */
export async function modelFingerprint(path: string): Promise<string> {
  const hash = createHash("sha256");
  const wanted = /^(?:\d+_[^/]+\/)?[^/]+\.(?:safetensors|bin|pt|json|txt)$/;
  const isFolder = (await stat(path)).isDirectory();
  const names = isFolder ? (await readdir(path, { recursive: true })).map((name) => name.replaceAll("\\", "/")) : [];
  for (const name of isFolder ? names.filter((one) => wanted.test(one)).sort() : [""]) {
    hash.update(name).update("\0");
    for await (const chunk of createReadStream(join(path, name))) hash.update(chunk as Uint8Array);
  }
  return digest(hash);
}

/** Of inputs by path; standard input has none. */
export async function inputFingerprints(paths: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of paths) found[path] = path === "-" ? "standard input" : await pathFingerprint(path);
  return found;
}

async function addPath(hash: Hash, path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new DataError(`${path}: expected a file or folder, got ${(cause as Error).message}`, { cause });
  });
  if (!found.isDirectory()) return addFile(hash, path);
  let bytes = 0;
  for (const name of (await readdir(path)).sort()) {
    if (name.startsWith(".")) continue;
    hash.update(name).update("\0");
    bytes += await addPath(hash, join(path, name));
  }
  return bytes;
}

async function addFile(hash: Hash, path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    hash.update(`${size}\0`);
    const [count, bytes] = size <= wholeBytes ? [1, size] : [samples, wholeBytes / samples];
    const buffer = Buffer.alloc(bytes);
    for (let i = 0; i < count; i++) {
      // The first sample begins at the beginning, the last ends at the end.
      const start = count === 1 ? 0 : Math.floor((i * (size - bytes)) / (count - 1));
      const { bytesRead } = await file.read(buffer, 0, bytes, start);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return size;
  } finally {
    await file.close();
  }
}
