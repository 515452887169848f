/**
 * An index's folder: `index.json` says which store keeps it, which model made its vectors and how, and the version of all
 * that; one process at a time writes. Readers need no lock: they see what is committed.
 */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readSettings } from "../io/json.ts";
import { isLock, lockFolder } from "../io/lock.ts";
import { createExactStore } from "./exact.ts";
import { createExactLog, openExactLog } from "./exact-log.ts";
import type { Store, StoreWriter } from "./store.ts";

export const storeKinds = ["lance", "exact"] as const;
export type StoreKind = (typeof storeKinds)[number];

const manifestName = "index.json";
const indexFormat = "galen-index";
/** Raised with every change after which older indexes cannot be read or added to. */
const schemaVersion = 1;

const embedderSchema = z.strictObject({
  /** As it was named: a path or a name of Hugging Face's hub. */
  model: z.string(),
  fingerprint: z.string(),
  width: z.int().min(1),
  /** How its weights were held when the vectors were made: "float32", "int8". Queries may be made otherwise. */
  weights: z.string(),
  /** Most tokens of a passage. */
  passageTokens: z.int().min(8),
});
/** The model that makes an index's vectors. */
export type IndexEmbedder = Readonly<z.infer<typeof embedderSchema>>;

const manifestSchema = z.strictObject({
  format: z.literal(indexFormat),
  schemaVersion: z.int(),
  store: z.enum(storeKinds),
  /** null: full text alone. */
  embedder: embedderSchema.nullable(),
});
export type IndexManifest = Readonly<z.infer<typeof manifestSchema>>;

/** What an index's folder says of it; undefined where it holds no index. @throws ConfigError where it cannot be read. */
export async function readIndexManifest(folder: string): Promise<IndexManifest | undefined> {
  const path = join(folder, manifestName);
  const found = await readSettings(path);
  if (found === undefined) return undefined;
  if (found["format"] === indexFormat && found["schemaVersion"] !== schemaVersion) {
    throw new ConfigError(`${path}: schemaVersion: expected ${schemaVersion}, got ${String(found["schemaVersion"])}`, {
      hint: "the index is of another version of Galen: make it again, in another folder",
    });
  }
  return await readSettings(path, manifestSchema);
}

/** An index's store with what its folder says of it. */
export type OpenedStore<Kind extends Store> = Kind & { readonly manifest: IndexManifest };

/** Opens an index for reading. @throws ConfigError where there is none; DataError where it is damaged. */
export async function openStore(folder: string): Promise<OpenedStore<Store>> {
  const manifest = await readIndexManifest(folder);
  if (manifest === undefined) {
    throw new ConfigError(`${folder}: expected an index, got no ${manifestName}`, {
      hint: `make one with "galen index INPUT… --output ${folder}"`,
    });
  }
  return Object.assign(await openKind(folder, manifest, false), { manifest });
}

export interface WriterOptions {
  /** Of an index that is made. Default: "lance" where it is installed, else "exact". One that is there has its own. */
  readonly store?: StoreKind | undefined;
  /** The model of the vectors that will be put; null: none. Default: whatever the index has. */
  readonly embedder?: IndexEmbedder | null | undefined;
}

/**
 * Opens an index for writing and reading, or makes one where the folder is empty or not there.
 * @throws ConfigError where another process writes to it, it was made by another model or kept by another store, or the
 * folder holds something else; DataError where it is damaged.
 */
export async function openStoreWriter(folder: string, options: WriterOptions = {}): Promise<OpenedStore<StoreWriter>> {
  const lock = await lockFolder(folder);
  try {
    const manifest = (await readIndexManifest(folder)) ?? (await createIndex(folder, options));
    checkSame(folder, manifest, options);
    const store = await openKind(folder, manifest, true);
    return {
      ...store,
      manifest,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await lock[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** Names that a store made before the manifest was written, which is last: a process may have been killed between. */
const made = /^(?:exact\.json|documents-1\.jsonl|documents\.lance)$|\.tmp$/;

async function createIndex(folder: string, { store, embedder = null }: WriterOptions): Promise<IndexManifest> {
  const other = (await readdir(folder)).find((name) => !isLock(name) && !made.test(name));
  if (other !== undefined) {
    throw new ConfigError(`${resolve(folder)}: expected an index or an empty folder, got one with ${other}`, {
      hint: "nothing there was touched: name another folder",
    });
  }
  const kind = store ?? "exact";
  await createExactLog(folder);
  const manifest: IndexManifest = { format: indexFormat, schemaVersion, store: kind, embedder };
  await writeFileAtomically(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

async function openKind(folder: string, _manifest: IndexManifest, write: boolean): Promise<StoreWriter> {
  return createExactStore(await openExactLog(folder, { write }));
}

function checkSame(folder: string, manifest: IndexManifest, { store, embedder }: WriterOptions): void {
  const path = join(folder, manifestName);
  if (store !== undefined && store !== manifest.store) {
    throw new ConfigError(`${path}: store: expected ${manifest.store}, as the index has, got ${store}`, {
      hint: "an index keeps its store: leave the option out, or make another index",
    });
  }
  if (embedder === undefined) return;
  const [there, given] = [manifest.embedder, embedder];
  const nameOf = (one: IndexEmbedder | null): string =>
    one === null ? "no model" : `${one.model} (fingerprint ${one.fingerprint})`;
  const same =
    there?.fingerprint === given?.fingerprint &&
    there?.width === given?.width &&
    there?.passageTokens === given?.passageTokens;
  if (same) return;
  throw new ConfigError(`${path}: embedder: expected ${nameOf(there)}, which made the index, got ${nameOf(given)}`, {
    hint: "vectors of different models cannot be compared: name the same model, or make another index",
  });
}
