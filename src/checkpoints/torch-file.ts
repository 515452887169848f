/**
 * Files of `torch.save`: the zip format (since 1.6) and the legacy one (torch/serialization.py, `_save` and
 * `_legacy_save`). Only the pickle is read; tensors are entries that point into the file. Left out: TorchScript
 * archives, the tar files of before 0.4, dtypes that no model here uses.
 */
import type { FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import { byteSize } from "../tensor/tensor.ts";
import { inFile, withFile } from "./disk.ts";
import { readFully, rowMajorStrides, type TensorEntry } from "./entries.ts";
import { readPickle } from "./pickle.ts";
import type { Fail, PickleValue, TorchStorage, TorchTensor } from "./pickle-values.ts";
import { spanOf, torchRules } from "./torch-globals.ts";
import { locateMember, readZipDirectory } from "./zip.ts";

export interface TorchFile {
  readonly path: string;
  /** What was saved, as inert data. */
  readonly root: PickleValue;
  /** The tensors of the state dict: `root`, or its `model` or `state_dict`. */
  readonly tensors: Map<string, TensorEntry>;
}

/** Where storages lie: absolute byte offset by key. */
interface Places {
  readonly offsets: Map<string, number>;
  readonly bigEndian: boolean;
}

const pickleLimit = 1 << 26; // bytes
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;

/**
 * Reads what a `torch.save` file describes. With `strict` (the default) the pickle may name tensors only; without,
 * fairseq's settings too, which become inert objects.
 * @throws CheckpointError for a damaged or hostile file, naming the pickle's byte where it is the pickle.
 */
export async function openTorchFile(path: string, { strict = true }: { strict?: boolean } = {}): Promise<TorchFile> {
  return withFile(path, async (handle, size) => {
    const start = Buffer.alloc(Math.min(size, 16));
    await readFully(handle, start, 0, path);
    const isZip = start.toString("latin1", 0, 4) === "PK\u0003\u0004";
    if (!isZip && start[0] !== 0x80) throw unknownFormat(path, start);
    const storages = new Map<string, TorchStorage>();
    const rules = torchRules(strict, (storage, fail) => noteStorage(storages, storage, fail));
    const read = isZip ? readZipFile : readLegacyFile;
    const { root, places } = await read(handle, path, size, storages, rules);
    return { path, root, tensors: stateDict(path, root, places) };
  });
}

function unknownFormat(path: string, start: Buffer): CheckpointError {
  const text = start.toString("latin1");
  const hint = "download the file again, or save it again with torch.save or as safetensors";
  return new CheckpointError(`${path}: expected a file of torch.save, got ${JSON.stringify(text)}`, { hint });
}

/** Mentions of one key must agree. */
function noteStorage(storages: Map<string, TorchStorage>, storage: TorchStorage, fail: Fail): void {
  const known = storages.get(storage.key);
  if (known !== undefined && (known.dtype !== storage.dtype || known.rootSize !== storage.rootSize))
    fail(
      `expected storage ${JSON.stringify(storage.key.slice(0, 60))} to be the same everywhere, got two descriptions`,
    );
  storages.set(storage.key, storage);
}

type Rules = ReturnType<typeof torchRules>;
type Read = { root: PickleValue; places: Places };

async function readZipFile(
  handle: FileHandle,
  path: string,
  size: number,
  storages: Map<string, TorchStorage>,
  rules: Rules,
): Promise<Read> {
  const members = await readZipDirectory(handle, path, size);
  const pickles = [...members.keys()].filter((name) => name === "data.pkl" || /^[^/]*\/data\.pkl$/.test(name));
  const [pickleName] = pickles;
  if (pickleName === undefined || pickles.length > 1)
    throw new CheckpointError(`${path}: expected one data.pkl in the archive, got ${pickles.length}`, {
      hint: "this zip archive was not written by torch.save",
    });
  const prefix = pickleName.slice(0, -"data.pkl".length);
  const readMember = async (name: string, limit: number): Promise<Buffer | undefined> => {
    const member = members.get(prefix + name);
    if (member === undefined) return undefined;
    if (member.size > limit)
      throw new CheckpointError(`${path}: expected ${name} of at most ${limit} bytes, got ${member.size}`);
    const bytes = Buffer.alloc(member.size);
    await readFully(handle, bytes, await locateMember(handle, path, size, member), `${path}: ${name}`);
    return bytes;
  };
  const byteOrder = (await readMember("byteorder", 16))?.toString("latin1") ?? "little";
  if (byteOrder !== "little" && byteOrder !== "big")
    throw new CheckpointError(`${path}: expected byteorder little or big, got ${JSON.stringify(byteOrder)}`);
  const pickle = (await readMember("data.pkl", pickleLimit)) as Buffer;
  const { value: root } = readPickle(pickle, `${path}: data.pkl`, rules);
  const offsets = new Map<string, number>();
  for (const storage of storages.values()) {
    const member = members.get(`${prefix}data/${storage.key}`);
    checkStorage(path, storage, member?.size);
    if (member !== undefined) offsets.set(storage.key, await locateMember(handle, path, size, member));
  }
  return { root, places: { offsets, bigEndian: byteOrder === "big" } };
}

function checkStorage(path: string, storage: TorchStorage, bytes: number | undefined): void {
  const expected = storage.rootSize * byteSize[storage.dtype];
  if (bytes !== expected)
    throw new CheckpointError(
      `${path}: storage ${JSON.stringify(storage.key.slice(0, 60))}: expected ${expected} bytes, got ${bytes ?? "none"}`,
      { hint: "the file is truncated or damaged; download it again" },
    );
}

/** Five pickles (magic number, protocol, system, object, storage keys), then each storage after its length. */
async function readLegacyFile(
  handle: FileHandle,
  path: string,
  size: number,
  storages: Map<string, TorchStorage>,
  rules: Rules,
): Promise<Read> {
  const head = Buffer.alloc(Math.min(size, pickleLimit));
  await readFully(handle, head, 0, path);
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickle(head, path, rules, at);
    at = end;
    return value;
  };
  const [magic, protocol] = [next(), next()];
  if (magic !== legacyMagic || protocol !== legacyProtocol)
    throw new CheckpointError(`${path}: expected a file of torch.save, got another pickle`, {
      hint: "save the tensors with torch.save or as safetensors",
    });
  next(); // of the system that wrote it; storages are little-endian on every one
  const root = next();
  const keys = next();
  const offsets = new Map<string, number>();
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined || offsets.has(storage.key))
      throw new CheckpointError(`${path}: expected each storage once, got one that no tensor names or twice`);
    const count = Buffer.alloc(8);
    await readFully(handle, count, at, `${path}: storage ${JSON.stringify(storage.key.slice(0, 60))}`);
    const bytes = Number(count.readBigInt64LE()) * byteSize[storage.dtype];
    checkStorage(path, storage, bytes);
    if (at + 8 + bytes > size) checkStorage(path, storage, size - at - 8);
    offsets.set(storage.key, at + 8);
    at += 8 + bytes;
  }
  return { root, places: { offsets, bigEndian: false } };
}

/** A value by key of a dictionary or attribute of an inert object (`Namespace`). */
export function field(value: PickleValue | undefined, key: string): PickleValue | undefined {
  if (value instanceof Map) return value.get(key);
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== "object") return undefined;
  return value.items.get(key) ?? (value.state instanceof Map ? value.state.get(key) : undefined);
}

function stateDict(path: string, root: PickleValue, places: Places): Map<string, TensorEntry> {
  const state = [field(root, "model"), field(root, "state_dict"), root].find((value) => value instanceof Map);
  if (!(state instanceof Map))
    throw new CheckpointError(`${path}: expected a state dict, got another object`, {
      hint: "save model.state_dict() instead of the model",
    });
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of state) {
    if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== "tensor") continue;
    if (typeof name !== "string" || name === "__proto__")
      throw new CheckpointError(
        `${path}: expected tensors under names, got ${JSON.stringify(String(name).slice(0, 60))}`,
      );
    entries.set(name, toEntry(path, name, value, places));
  }
  return entries;
}

function toEntry(path: string, name: string, tensor: TorchTensor, places: Places): TensorEntry {
  const { storage, dims, strides } = tensor;
  const { dtype } = storage;
  const start = places.offsets.get(storage.key);
  if (start === undefined)
    throw new CheckpointError(`${path}: tensor ${JSON.stringify(name)}: expected its storage in the file, got none`);
  const size = byteSize[dtype];
  const offset = start + (storage.start + tensor.offset) * size;
  const span = dims.includes(0) ? 0 : spanOf(dims, strides);
  const rowMajor = rowMajorStrides(dims);
  const contiguous = span === 0 || dims.every((dim, axis) => dim === 1 || strides[axis] === rowMajor[axis]);
  const place = { name, file: resolve(path), open: inFile(path), dtype, dims, offset, byteLength: span * size };
  const bigEndian = places.bigEndian && size > 1;
  return contiguous && !bigEndian ? place : { ...place, layout: { strides, bigEndian } };
}
