/**
 * One file of the hub onto the disk: what was begun goes on where it broke off (Range), also in another process, its hash
 * is that of its name in the cache, and it gets its own name last. A server that goes on and on is left at the listed size.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CheckpointError } from "../errors.ts";
import { writing } from "../io/files.ts";
import { type Asked, isUnreachable, reasonOf, request, unreachable } from "./answers.ts";
import type { HubFile } from "./client.ts";
import { describeName } from "./name.ts";

/** Breaks without a byte between them, and how long no byte may come. */
const tries = 5;
const silenceMs = 60_000;

export interface Download {
  readonly asked: Asked;
  readonly commit: string;
  readonly file: HubFile;
  /** Where it is put. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Bytes that are there without having been fetched now, and those that were; negative where some are thrown away. */
  onBytes(kept: number, fetched: number): void;
}

/** @throws CheckpointError where the bytes are not those of the hash; DataError where the disk is full. */
export function download(job: Download): Promise<void> {
  return writing(job.path, async () => {
    await mkdir(dirname(job.path), { recursive: true });
    const partial = partialOf(job.path);
    const begun = await lengthOf(partial);
    await fetchRest(job, partial).catch(async (error: unknown) => {
      // Where the server and its list disagree, nothing of it is worth going on with.
      if (error instanceof CheckpointError && !isUnreachable(error)) await rm(partial, { force: true });
      throw error;
    });
    if ((await hashOf(partial, job.file)) !== job.file.etag && begun > 0) {
      // What an earlier call left may be of another tool, or of a disk that failed.
      await rm(partial);
      job.onBytes(-job.file.size, 0);
      await fetchRest(job, partial);
    }
    const hash = await hashOf(partial, job.file);
    if (hash !== job.file.etag) {
      await rm(partial, { force: true });
      const kind = job.file.etag.length === 64 ? "SHA-256" : "git hash";
      throw new CheckpointError(
        `${describeName(job.asked.name)}: ${job.file.path}: expected the ${kind} ${job.file.etag}, got ${hash}`,
        { hint: "it was damaged on its way, or is not what its list says: nothing of it was kept; try again later" },
      );
    }
    await rename(partial, job.path);
  });
}

/** Of a file that is not all there. */
export function partialOf(path: string): string {
  return `${path}.galen.incomplete`;
}

async function lengthOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** The hash that a file of the hub is called by: SHA-256 of large ones, git's of a blob else. */
export async function hashOf(path: string, { etag, size }: Pick<HubFile, "etag" | "size">): Promise<string> {
  const hash = etag.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** Fetches until the file has its size, however often that breaks off, as long as bytes come between. */
async function fetchRest(job: Download, partial: string): Promise<void> {
  let have = await lengthOf(partial);
  if (have > job.file.size) {
    await rm(partial);
    have = 0;
  }
  job.onBytes(have, 0);
  let failures = 0;
  for (let isMade = have > 0; !isMade || have < job.file.size; isMade = true) {
    try {
      await fetchOnce(job, partial, have);
    } catch (error) {
      job.signal.throwIfAborted();
      if (!isUnreachable(error)) throw error;
      failures = (await lengthOf(partial)) > have ? 0 : failures + 1;
      if (failures === tries) throw error;
      await wait(500 * 2 ** failures, undefined, { signal: job.signal });
    }
    have = await lengthOf(partial);
  }
}

async function fetchOnce(job: Download, partial: string, have: number): Promise<void> {
  const { asked, commit, file, signal } = job;
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${asked.settings.endpoint}/${asked.name.repo}/resolve/${commit}/${path}`);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silenceMs);
  const headers = { "accept-encoding": "identity", ...(have > 0 ? { range: `bytes=${have}-` } : {}) };
  try {
    const response = await request(asked, url, headers, AbortSignal.any([signal, silence.signal]));
    const goesOn = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${have}-`);
    if (goesOn !== true && have > 0) job.onBytes(-have, 0);
    await using handle = await open(partial, goesOn === true ? "a" : "w");
    let length = goesOn === true ? have : 0;
    for await (const chunk of chunksOf(response, job)) {
      timer.refresh();
      length += chunk.length;
      if (length > file.size) throw tooLong(job);
      await handle.writeFile(chunk);
      job.onBytes(0, chunk.length);
    }
    await handle.sync();
    if (length < file.size) throw unreachable(asked, `${file.path} up to byte ${length} of ${file.size}`);
  } catch (error) {
    if (silence.signal.aborted)
      throw unreachable(asked, `no byte of ${file.path} in ${silenceMs / 1000} seconds`, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What comes; a break is as if nobody answered. */
async function* chunksOf({ body }: Response, { asked, signal }: Download): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body ?? []) yield chunk;
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(asked, reasonOf(cause), cause);
  }
}

function tooLong({ asked, file }: Download): CheckpointError {
  return new CheckpointError(
    `${describeName(asked.name)}: ${file.path}: expected ${file.size} bytes, as listed, got more`,
    { hint: "the server's list and its files do not belong together: nothing more was read" },
  );
}
