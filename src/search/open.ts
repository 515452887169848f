/**
 * An index's folder: `index.json`, which says what keeps it and what its vectors were made by, and the store's own files.
 * One process writes at a time; any number read meanwhile.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { lockFolder } from "../io/lock.ts";
import { inWindows } from "../io/streams.ts";
import { createExactStore } from "./exact.ts";
import { openExactFiles } from "./exact-files.ts";
import { format, type IndexManifest, type IndexModel, manifestSchema, noManifest, type StoreKind } from "./manifest.ts";
import type { Store, StoreWriter } from "./store.ts";

const manifestPath = (folder: string): string => join(folder, "index.json");
const writeManifest = (folder: string, manifest: IndexManifest): Promise<void> =>
  writeFileAtomically(manifestPath(folder), `${JSON.stringify(manifest, undefined, 2)}\n`);

/** @throws DataError where the folder holds no index, or one of another version. */
export function readManifest(folder: string): Promise<IndexManifest> {
  return readJson(manifestPath(folder), manifestSchema, noManifest);
}

async function openKind(folder: string, { store, model }: IndexManifest): Promise<StoreWriter> {
  const width = model?.width ?? 0;
  if (store === "exact") return createExactStore(await openExactFiles(join(folder, "exact"), width));
  const { openLanceStore } = await import("./lance.ts");
  return openLanceStore(join(folder, "lance"), width);
}

/** Opens an index for reading. @throws as `readManifest`. */
export async function openStore(folder: string): Promise<{ readonly store: Store; readonly manifest: IndexManifest }> {
  const manifest = await readManifest(folder);
  return { store: await openKind(folder, manifest), manifest };
}

export interface WantedIndex extends Pick<IndexManifest, "passage"> {
  /** undefined: whichever it has, since nothing will be embedded. */
  readonly model: IndexModel | null | undefined;
  /** What is to keep it: an index that something else keeps is moved there. Default: what keeps it, else `usualStore`. */
  readonly store?: StoreKind | undefined;
  /** What it will be made of, as far as files say. */
  readonly inputs?: readonly string[] | undefined;
}

/**
 * Opens an index for writing, made where there is none; until it is disposed of, no other process writes.
 * @throws ConfigError where another has it, or it was made with another model.
 */
export async function openStoreWriter(
  folder: string,
  wanted: WantedIndex,
): Promise<{ readonly store: StoreWriter; readonly manifest: IndexManifest }> {
  const lock = await lockFolder(folder);
  try {
    const manifest = await claim(folder, wanted);
    const store = await openKind(folder, manifest);
    const dispose = async (): Promise<void> => {
      await store[Symbol.asyncDispose]();
      await lock[Symbol.asyncDispose]();
    };
    return { store: { ...store, [Symbol.asyncDispose]: dispose }, manifest };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

function isInstalled(name: string): boolean {
  try {
    return import.meta.resolve(name) !== "";
  } catch {
    return false;
  }
}

/** Bytes of inputs up to which an index is searched fastest in memory, and opened in a second or two. */
const fewBytes = 32 << 20;

async function bytesOf(path: string): Promise<number> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return Infinity;
  if (!there.isDirectory()) return there.size;
  const inside = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = inside.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

/** Memory for what is small, LanceDB, where it is installed, for the rest and for what nobody knows the size of (stdin). */
async function usualStore(inputs: readonly string[]): Promise<StoreKind> {
  if (!isInstalled("@lancedb/lancedb")) return "exact";
  let bytes = 0;
  for (const input of inputs) bytes += await bytesOf(input);
  return bytes <= fewBytes ? "exact" : "lance";
}

async function claim(folder: string, wanted: WantedIndex): Promise<IndexManifest> {
  const there = await stat(manifestPath(folder)).catch(() => undefined);
  if (there === undefined) {
    const { store = await usualStore(wanted.inputs ?? []), model, passage } = wanted;
    const manifest: IndexManifest = { format, schemaVersion: 2, store, model: model ?? null, passage };
    await writeManifest(folder, manifest);
    return manifest;
  }
  const manifest = await readManifest(folder);
  const { model, store } = manifest;
  if (wanted.model !== undefined && model?.fingerprint !== wanted.model?.fingerprint) {
    const said = (one: IndexModel | null): string => (one === null ? "none" : `${one.source} (${one.fingerprint})`);
    throw new ConfigError(`${folder}: model: expected ${said(model)}, as the index has, got ${said(wanted.model)}`, {
      hint:
        model === null
          ? "add documents without --model, or make a new index with it"
          : `add documents with --model ${model.source}, or make a new index`,
    });
  }
  return wanted.store === undefined || wanted.store === store ? manifest : moved(folder, manifest, wanted.store);
}

/** Copies an index, vectors included, into another store, which its manifest then names; killed before that, nothing has changed. */
async function moved(folder: string, manifest: IndexManifest, store: StoreKind): Promise<IndexManifest> {
  const next: IndexManifest = { ...manifest, store };
  // What is left of a move that was killed, or of the store that one has left.
  await rm(join(folder, store), { recursive: true, force: true });
  {
    await using from = await openKind(folder, manifest);
    await using to = await openKind(folder, next);
    for await (const documents of inWindows(from.all(), 512)) await to.put(documents);
  }
  await writeManifest(folder, next);
  await rm(join(folder, manifest.store), { recursive: true, force: true });
  return next;
}
