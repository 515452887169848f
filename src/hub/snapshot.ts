/**
 * A model of the hub on this disk: in the cache, or as a folder of its own. What is there is not fetched again; what is
 * fetched is fetched once, by whichever process is first.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError, ConfigError, DataError } from "../errors.ts";
import { writeAtomically } from "../io/files.ts";
import { waitForFolder } from "../io/lock.ts";
import { nearest } from "../suggest.ts";
import { type Asked, isRefusal, isUnreachable } from "./answers.ts";
import {
  blobOf,
  cachedCommit,
  cachedFiles,
  cachedNames,
  hasSize,
  keepCommit,
  modelCache,
  type ModelCache,
  putInto,
  snapshotOf,
} from "./cache.ts";
import { commitOf, filesOf, type HubFile } from "./client.ts";
import { download, hashOf } from "./download.ts";
import { describeName, type HubName } from "./name.ts";
import { neededFiles, type Part } from "./needed.ts";
import { hubSettings } from "./settings.ts";

export interface HubProgress {
  /** Bytes that are there, of those that are needed as far as is known. */
  readonly done: number;
  readonly total: number;
  /** Bytes a second, of those that came now. */
  readonly rate: number;
  readonly secondsLeft: number;
  /** What comes now. */
  readonly file: string;
}

export interface FetchOptions {
  readonly part: Part;
  /** A folder of its own, instead of the cache. */
  readonly output?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

export interface Fetched {
  readonly commit: string;
  /** What a model is opened by. */
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Bytes that came now. */
  readonly fetched: number;
}

/** At once, for the sake of the many small ones. */
const atOnce = 4;
const mostIndexBytes = 100_000_000;

/** @throws ConfigError for a name, a revision or a file that there is not; CheckpointError where nothing can be had. */
export async function fetchModel(name: HubName, options: FetchOptions): Promise<Fetched> {
  const settings = await hubSettings();
  const asked: Asked = {
    name,
    settings,
    suggest: async () => nearest(name.repo, await cachedNames(settings.cache)),
  };
  const model = modelCache(settings.cache, name);
  const cached = await cachedCommit(model, name);
  if (settings.offline) return fromCache(asked, model, cached, options);
  let commit: string;
  try {
    const isWhole = /^[0-9a-f]{40}$/.test(name.revision);
    commit = isWhole ? name.revision : await commitOf(asked, options.signal);
    return await fetchCommit(asked, model, commit, options);
  } catch (error) {
    if (cached === undefined || !(isUnreachable(error) || isRefusal(error))) throw error;
    const found = await fromCache(asked, model, cached, options).catch(() => Promise.reject(error));
    const [reason] = (error as Error).message.split("\n");
    process.emitWarning(`${reason}; the copy in the cache is taken (${cached.slice(0, 7)})`, "GalenWarning");
    return found;
  }
}

/** What an earlier call, or Python, has fetched. @throws CheckpointError where that is not all. */
async function fromCache(
  { name, settings }: Asked,
  model: ModelCache,
  commit: string | undefined,
  { part, output }: FetchOptions,
): Promise<Fetched> {
  const where = describeName(name);
  const hint = settings.offline
    ? "unset HF_HUB_OFFLINE to fetch it, or name a folder with the model's files as a path: ./folder"
    : "fetch it when the hub can be reached, or name a folder with the model's files as a path: ./folder";
  const missing = (got: string, cause?: unknown): CheckpointError =>
    new CheckpointError(
      `${where}: expected it in the cache (${settings.cache})${settings.offline ? ", as HF_HUB_OFFLINE is set" : ""}, got ${got}`,
      { hint, cause },
    );
  if (commit === undefined) throw missing("none of it");
  const snapshot = snapshotOf(model, commit);
  const names = await cachedFiles(snapshot);
  const repository = { where, names, obtain: async (one: string) => join(snapshot, one) };
  const needed = await wanted(name, repository, part).catch((error: unknown) => {
    throw missing(`a part: ${(error as Error).message.split("\n")[0]}`, error);
  });
  if (needed.length === 0) throw missing("none of its files");
  const files = await Promise.all(
    needed.map(async (path) => ({ path, size: (await stat(join(snapshot, path))).size })),
  );
  if (output !== undefined) {
    for (const { path } of files) await copyInto(join(snapshot, path), join(output, path));
  }
  return { commit, path: pathIn(output ?? snapshot, name), files, fetched: 0 };
}

async function copyInto(from: string, to: string): Promise<void> {
  await writeAtomically(to, (temporary) => copyFile(from, temporary));
}

function pathIn(folder: string, { file }: HubName): string {
  return file === undefined ? folder : join(folder, file);
}

/** The files of a name: one, or all that the part needs. @throws ConfigError where the one is not there. */
async function wanted(name: HubName, repository: Parameters<typeof neededFiles>[0], part: Part): Promise<string[]> {
  const { file } = name;
  if (file === undefined) return neededFiles(repository, part);
  if (repository.names.includes(file)) return [file];
  const gguf = repository.names.filter((one) => one.endsWith(".gguf"));
  const near = nearest(file, gguf);
  throw new ConfigError(`${name.repo}: expected a file of it, got "${file}", which there is not`, {
    hint: near === undefined ? `its GGUF files are ${gguf.join(", ") || "none"}` : `did you mean "${near}"?`,
  });
}

/** Where files are put, and how one is had. */
interface Place {
  readonly folder: string;
  /** Equal for files that are fetched once. */
  keyOf(file: HubFile): string;
  isThere(file: HubFile): Promise<boolean>;
  /** Fetches it, unless its bytes are near. */
  make(file: HubFile, fetch: (path: string) => Promise<void>): Promise<void>;
}

function inCache(model: ModelCache, commit: string, symlinks: boolean): Place {
  const folder = snapshotOf(model, commit);
  return {
    folder,
    keyOf: ({ etag }) => etag,
    isThere: (file) => hasSize(join(folder, file.path), file.size),
    async make(file, fetch) {
      const blob = blobOf(model, file);
      if (!(await hasSize(blob, file.size))) await fetch(blob);
      await putInto(blob, join(folder, file.path), { symlinks });
    },
  };
}

function inFolder(model: ModelCache, commit: string, folder: string): Place {
  const same = new Set<string>();
  return {
    folder,
    keyOf: ({ path }) => path,
    async isThere(file) {
      const path = join(folder, file.path);
      if (!same.has(path) && (await hasSize(path, file.size)) && (await hashOf(path, file)) === file.etag)
        same.add(path);
      return same.has(path);
    },
    async make(file, fetch) {
      const path = join(folder, file.path);
      if (existsSync(path)) {
        throw new ConfigError(`${path}: expected none, or the one that is fetched, got another`, {
          hint: "nothing there was touched: name another --output",
        });
      }
      for (const copy of [blobOf(model, file), join(snapshotOf(model, commit), file.path)]) {
        if (await hasSize(copy, file.size)) return copyInto(copy, path);
      }
      await fetch(path);
    },
  };
}

async function fetchCommit(
  asked: Asked,
  model: ModelCache,
  commit: string,
  { part, output, signal: outer, onProgress }: FetchOptions,
): Promise<Fetched> {
  const { name, settings } = asked;
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const list = new Map((await filesOf(asked, commit, signal)).map((file) => [file.path, file]));
  const place = output === undefined ? inCache(model, commit, settings.symlinks) : inFolder(model, commit, output);
  await using lock = heldWhenNeeded(output ?? model.locks, signal);
  const count = counter(onProgress);
  const fetching = new Map<string, Promise<void>>();
  let isPlanned = false;
  const obtain = async (path: string): Promise<string> => {
    const file = list.get(path)!;
    if (await place.isThere(file)) return join(place.folder, path);
    await lock.take();
    // Another process may have made it while this one waited.
    if (await place.isThere(file)) return join(place.folder, path);
    // An index is read into memory to learn what else is needed.
    if (!isPlanned && file.size > mostIndexBytes) {
      throw new CheckpointError(
        `${describeName(name)}: ${path}: expected at most ${mostIndexBytes} bytes, got ${file.size}`,
      );
    }
    if (!isPlanned) count.expect(file.size);
    await place.make(file, async (to) => {
      const onBytes = (kept: number, came: number): void => count.bytes(file, kept, came);
      if (!fetching.has(to)) fetching.set(to, download({ asked, commit, file, path: to, signal, onBytes }));
      await fetching.get(to);
    });
    return join(place.folder, path);
  };
  const paths = await wanted(name, { where: describeName(name), names: [...list.keys()], obtain }, part);
  const files = paths.map((path) => list.get(path)!);
  const missing = new Map<string, number>();
  for (const file of files) if (!(await place.isThere(file))) missing.set(place.keyOf(file), file.size);
  const bytes = [...missing.values()].reduce((sum, size) => sum + size, 0);
  await checkRoom(asked, output ?? settings.cache, bytes);
  count.expect(bytes);
  isPlanned = true;
  await inTurns(paths, obtain, () => stop.abort());
  if (output === undefined) await keepCommit(model, name, commit);
  const made = files.map(({ path, size }) => ({ path, size }));
  return { commit, path: pathIn(place.folder, name), files: made, fetched: count.fetched };
}

/** Four at a time. The first error ends them all by `stop`, and is thrown when they have ended. */
async function inTurns(
  paths: readonly string[],
  obtain: (path: string) => Promise<unknown>,
  stop: () => void,
): Promise<void> {
  const left = [...paths];
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      try {
        await obtain(path);
      } catch (error) {
        errors.push(error);
        left.length = 0;
        stop();
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (errors.length > 0) throw errors[0];
}

interface Held extends AsyncDisposable {
  take(): Promise<void>;
}

/** A lock that is taken when something is to be written: a cache that has all may be one that is only read. */
function heldWhenNeeded(folder: string, signal: AbortSignal): Held {
  let held: Promise<AsyncDisposable> | undefined;
  return {
    async take() {
      held ??= waitForFolder(folder, signal);
      await held;
    },
    async [Symbol.asyncDispose]() {
      await (await held?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** @throws DataError where the disk has less room than so many bytes, before they are fetched. */
async function checkRoom({ name }: Asked, folder: string, missing: number): Promise<void> {
  if (missing === 0) return;
  await mkdir(folder, { recursive: true });
  const { bavail, bsize, blocks } = await statfs(folder);
  const room = bavail * bsize;
  if (blocks === 0 || missing <= room) return;
  const size = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new DataError(`${folder}: expected room for ${size(missing)} of ${describeName(name)}, got ${size(room)}`, {
    hint: "make room, or let HF_HUB_CACHE name a folder on another disk",
  });
}

interface Counter {
  fetched: number;
  expect(bytes: number): void;
  bytes(file: HubFile, kept: number, came: number): void;
}

function counter(onProgress: FetchOptions["onProgress"]): Counter {
  let [total, done, started] = [0, 0, 0];
  return {
    fetched: 0,
    expect(bytes) {
      total += bytes;
    },
    bytes({ path }, kept, came) {
      started ||= performance.now();
      done += kept + came;
      this.fetched += came;
      const rate = this.fetched / Math.max(1e-3, (performance.now() - started) / 1000);
      onProgress?.({ done, total, rate, secondsLeft: (total - done) / rate, file: path });
    },
  };
}
