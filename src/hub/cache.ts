/**
 * The cache that Python's huggingface_hub keeps (its "Understand caching" describes it): `models--org--name` with `blobs`
 * by hash, `snapshots` by commit, whose files are links to blobs, and `refs` by branch or tag, which hold a commit.
 */
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { writeAtomically, writeFileAtomically } from "../io/files.ts";
import type { HubFile } from "./client.ts";
import type { HubName } from "./name.ts";

/** Of one model. */
export interface ModelCache {
  readonly folder: string;
  /** That are held for it while something is fetched. */
  readonly locks: string;
}

const prefix = "models--";

export function modelCache(cache: string, { repo }: HubName): ModelCache {
  const name = prefix + repo.replaceAll("/", "--");
  return { folder: join(cache, name), locks: join(cache, ".locks", name) };
}

/** Names of the models in the cache. */
export async function cachedNames(cache: string): Promise<string[]> {
  const found = await readdir(cache).catch((): string[] => []);
  return found.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length).replaceAll("--", "/"));
}

export function snapshotOf({ folder }: ModelCache, commit: string): string {
  return join(folder, "snapshots", commit);
}

export function blobOf({ folder }: ModelCache, { etag }: HubFile): string {
  return join(folder, "blobs", etag);
}

/** The commit that a revision was when it was last asked for, of which something is in the cache. */
export async function cachedCommit(model: ModelCache, { revision }: HubName): Promise<string | undefined> {
  const stored = await readFile(join(model.folder, "refs", revision), "utf8").catch(() => revision);
  const commit = stored.trim();
  return /^[0-9a-f]{40}$/.test(commit) && existsSync(snapshotOf(model, commit)) ? commit : undefined;
}

/** Says which commit a revision is; a cache that cannot be written to stays as it is. */
export async function keepCommit({ folder }: ModelCache, { revision }: HubName, commit: string): Promise<void> {
  if (revision === commit) return;
  const path = join(folder, "refs", revision);
  if ((await readFile(path, "utf8").catch(() => undefined)) === commit) return;
  await writeFileAtomically(path, commit).catch(() => undefined);
}

/** Files of a snapshot, those that links lead to alone. */
export async function cachedFiles(snapshot: string): Promise<string[]> {
  const names = await readdir(snapshot, { recursive: true });
  const found = await Promise.all(
    names.map(async (name) => ((await stat(join(snapshot, name)).catch(() => undefined))?.isFile() ? [name] : [])),
  );
  return found.flat().map((name) => name.replaceAll("\\", "/"));
}

/** Whether a file of this size is there. */
export async function hasSize(path: string, size: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === size;
}

/**
 * Puts a blob into a snapshot as a link. Where there can be no symbolic one, on some Windows, it is a second name of the
 * file, and a copy where there can be none of these either; Python moves the file there.
 */
export async function putInto(blob: string, path: string, { symlinks }: { readonly symlinks: boolean }): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  if (symlinks && (await succeeds(symlink(relative(dirname(path), blob), path)))) return;
  if (await succeeds(link(blob, path))) return;
  await writeAtomically(path, (temporary) => copyFile(blob, temporary));
}

const impossible = new Set(["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EINVAL", "EXDEV", "EMLINK", "UNKNOWN"]);

/** False where this system has no such links. */
async function succeeds(linking: Promise<void>): Promise<boolean> {
  try {
    await linking;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (impossible.has(code)) return false;
    if (code !== "EEXIST") throw error; // another process made it just now, of the same blob
  }
  return true;
}
