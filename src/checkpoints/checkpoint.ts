/**
 * Checkpoint folders, one file or sharded, as Hugging Face lays them out
 * (`model.safetensors`, `pytorch_model.bin`, `*.index.json`), and `.pt` files as fairseq names them.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join, posix, win32 } from "node:path";
import { CheckpointError } from "../errors.ts";
import { byteSize, sizeOf } from "../tensor/tensor.ts";
import { systemError, withFile } from "./disk.ts";
import { readFully, readTensor, type TensorEntry } from "./entries.ts";
import { writeFileAtomically } from "../io/files.ts";
import { openSafetensors, storedDType, writeSafetensors, type TensorSource, type WriteOptions } from "./safetensors.ts";
import { parseStrictJson } from "./strict-json.ts";
import { openTorchFile } from "./torch-file.ts";

/** In the order in which they are looked for. */
const fileNames = ["model.safetensors", "pytorch_model.bin"];
const fairseqNames = ["model.pt", "checkpoint.pt", "checkpoint_best.pt", "checkpoint_last.pt"];

/**
 * The tensors of a checkpoint folder, or of one file, by the names that they are stored under.
 * @throws CheckpointError when there is no checkpoint, a shard is missing or a file cannot be read.
 */
export async function openCheckpoint(path: string): Promise<Map<string, TensorEntry>> {
  const names = await listFolder(path);
  if (names === undefined) return openFile(path);
  for (const name of fileNames) {
    if (names.includes(name)) return openFile(join(path, name));
    if (names.includes(`${name}.index.json`)) return openShards(path, `${name}.index.json`);
  }
  const numbered = names.filter((name) => /^checkpoint.*\.pt$/.test(name));
  const fairseq =
    fairseqNames.find((name) => names.includes(name)) ?? (numbered.length === 1 ? numbered[0] : undefined);
  if (fairseq !== undefined) return openFile(join(path, fairseq));
  throw new CheckpointError(
    `${path}: expected ${fileNames.join(", ")} or ${fairseqNames[0]}, got ${numbered.length > 1 ? numbered.join(", ") : "none"}`,
    { hint: numbered.length > 1 ? "name one of the files" : "name the folder that holds the model's weights" },
  );
}

/** Names in a folder; `undefined` for a file. */
async function listFolder(path: string): Promise<string[] | undefined> {
  try {
    return (await stat(path)).isDirectory() ? (await readdir(path)).sort() : undefined;
  } catch (error) {
    throw systemError(path, error);
  }
}

async function openFile(path: string, like: string = path): Promise<Map<string, TensorEntry>> {
  if (like.endsWith(".safetensors")) return (await openSafetensors(path)).entries;
  return (await openTorchFile(path, { strict: !path.endsWith(".pt") })).tensors;
}

/** Shards are of the format that the index's name says, whatever they are called. */
async function openShards(folder: string, indexName: string): Promise<Map<string, TensorEntry>> {
  const path = join(folder, indexName);
  const weightMap = readIndex(path, await readIndexFile(path));
  const shards = [...new Set(weightMap.values())];
  const missing: string[] = [];
  for (const shard of shards) if (!(await isFile(join(folder, shard)))) missing.push(shard);
  if (missing.length > 0)
    throw new CheckpointError(
      `${path}: expected the shards ${missing
        .slice(0, 20)
        .map((name) => name.slice(0, 100))
        .join(", ")}, got none of these`,
      {
        hint: "download the missing files into the same folder",
      },
    );
  const opened = new Map<string, Map<string, TensorEntry>>();
  const format = indexName.replace(/\.index\.json$/, "");
  for (const shard of shards) opened.set(shard, await openFile(join(folder, shard), format));
  const entries = new Map<string, TensorEntry>();
  for (const [name, shard] of weightMap) {
    const entry = opened.get(shard)?.get(name);
    if (entry === undefined)
      throw new CheckpointError(
        `${path}: expected tensor ${JSON.stringify(name.slice(0, 100))} in ${shard.slice(0, 100)}, got none`,
        {
          hint: "index and shards are of different downloads; download all again",
        },
      );
    entries.set(name, entry);
  }
  return entries;
}

const indexLimit = 100_000_000; // bytes

async function readIndexFile(path: string): Promise<Uint8Array> {
  return withFile(path, async (handle, size) => {
    if (size > indexLimit) {
      throw new CheckpointError(`${path}: expected an index of at most ${indexLimit} bytes, got ${size}`);
    }
    const bytes = new Uint8Array(size);
    await readFully(handle, bytes, 0, path);
    return bytes;
  });
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** Whether a path stays within the folder that it is relative to. */
function isInside(path: string): boolean {
  if (path === "" || path.includes("\0") || posix.isAbsolute(path) || win32.isAbsolute(path)) return false;
  return !path.split(/[\\/]/).includes("..");
}

/** Tensor name to shard; a shard is a file in the same folder, or in one inside it. */
function readIndex(path: string, bytes: Uint8Array): Map<string, string> {
  const index = parseStrictJson(bytes, path, 16);
  const map: unknown = typeof index === "object" && index !== null && "weight_map" in index ? index.weight_map : null;
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw new CheckpointError(`${path}: expected an object weight_map, got ${JSON.stringify(map)?.slice(0, 80)}`);
  const entries: [string, unknown][] = Object.entries(map);
  return new Map(
    entries.map(([name, shard]) => {
      if (typeof shard !== "string" || !isInside(shard))
        throw new CheckpointError(
          `${path}: tensor ${JSON.stringify(name.slice(0, 100))}: expected a file of this folder, got ${JSON.stringify(shard)?.slice(0, 80)}`,
          { hint: "the index is damaged or hostile; download it again" },
        );
      return [name, shard];
    }),
  );
}

export interface SaveOptions extends WriteOptions {
  /** Tensor bytes of one file, 5 GB unless given; a larger tensor has a file of its own. */
  maxShardBytes?: number;
}

const defaultShardBytes = 5_000_000_000;

/** A stored tensor as it is written again, under this name. */
export function tensorSource(name: string, entry: TensorEntry): TensorSource {
  return { name, dtype: entry.dtype, dims: entry.dims, data: async () => (await readTensor(entry)).data };
}

/** Writes `model.safetensors`, or numbered shards and their index, and removes what an earlier save left of either. */
export async function saveSharded(
  folder: string,
  tensors: Iterable<TensorSource>,
  options: SaveOptions = {},
): Promise<void> {
  const { maxShardBytes = defaultShardBytes, ...write } = options;
  const shards: TensorSource[][] = [[]];
  let [total, filled] = [0, 0];
  for (const tensor of tensors) {
    const bytes = sizeOf(tensor.dims) * byteSize[storedDType(tensor.dtype, write.dtype)];
    if (filled > 0 && filled + bytes > maxShardBytes) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)?.push(tensor);
    filled += bytes;
    total += bytes;
  }
  const names = shards.map((_, index) => shardName(index, shards.length));
  for (const [index, shard] of shards.entries())
    await writeSafetensors(join(folder, names[index] as string), shard, write);
  const indexName = "model.safetensors.index.json";
  if (shards.length > 1) {
    const pairs = shards.flatMap((shard, index) => shard.map(({ name }) => [name, names[index]] as const));
    const weightMap = Object.fromEntries(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    await writeFileAtomically(join(folder, indexName), `${JSON.stringify(index, null, 2)}\n`);
    names.push(indexName);
  }
  for (const name of await readdir(folder))
    if (!names.includes(name) && /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/.test(name))
      await rm(join(folder, name));
}

function shardName(index: number, count: number): string {
  if (count === 1) return "model.safetensors";
  const [number, of] = [index + 1, count].map((value) => String(value).padStart(5, "0"));
  return `model-${number}-of-${of}.safetensors`;
}
