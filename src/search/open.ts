/**
 * An index's folder: `index.json`, which says what keeps it and what its vectors were made by, and the store's own files.
 * One process writes at a time; any number read meanwhile.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { lockFolder } from "../io/lock.ts";
import { createExactStore } from "./exact.ts";
import { openExactFiles } from "./exact-files.ts";
import { format, type IndexManifest, type IndexModel, manifestSchema, noManifest, type StoreKind } from "./manifest.ts";
import type { Store, StoreWriter } from "./store.ts";

const manifestPath = (folder: string): string => join(folder, "index.json");

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

/**
 * Opens an index for writing, made where there is none; until it is disposed of, no other process writes.
 * @throws ConfigError where another has it, or it was made with another model or kept in another way.
 */
export async function openStoreWriter(
  folder: string,
  wanted: Pick<IndexManifest, "model" | "passage"> & { readonly store?: StoreKind | undefined },
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

async function claim(folder: string, wanted: Parameters<typeof openStoreWriter>[1]): Promise<IndexManifest> {
  const there = await stat(manifestPath(folder)).catch(() => undefined);
  if (there === undefined) {
    const { store = isInstalled("@lancedb/lancedb") ? "lance" : "exact", model, passage } = wanted;
    const manifest: IndexManifest = { format, schemaVersion: 1, store, model, passage };
    await writeFileAtomically(manifestPath(folder), `${JSON.stringify(manifest, undefined, 2)}\n`);
    return manifest;
  }
  const manifest = await readManifest(folder);
  const { model, store } = manifest;
  if (model?.fingerprint !== wanted.model?.fingerprint) {
    const said = (one: IndexModel | null): string => (one === null ? "none" : `${one.source} (${one.fingerprint})`);
    throw new ConfigError(`${folder}: model: expected ${said(model)}, as the index has, got ${said(wanted.model)}`, {
      hint:
        model === null
          ? "add documents without --model, or make a new index with it"
          : `add documents with --model ${model.source}, or make a new index`,
    });
  }
  if (wanted.store !== undefined && wanted.store !== store) {
    throw new ConfigError(`${folder}: store: expected ${store}, as the index has, got ${wanted.store}`);
  }
  return manifest;
}
