/**
 * llama2.c's .bin files (github.com/karpathy/llama2.c, export.py): a header of sizes, then the numbers of one tensor after
 * the other, named here as its model.py names them. Versions 0 (no magic) and 1 in float32; 2 with matrices in whole
 * numbers of eight bits, in groups that may begin in one row and end in the next, each tensor followed by its scales.
 */
import { resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import type { GroupedWeight } from "../tensor/grouped.ts";
import { byteSize, sizeOf } from "../tensor/tensor.ts";
import { inFile, withFile } from "./disk.ts";
import { readFloat32, readFully, readTensor, type TensorEntry } from "./entries.ts";
import { madeEntry } from "./order.ts";

export interface Llama2cFile {
  readonly entries: Map<string, TensorEntry>;
  /** By the names of Meta's params.json. */
  readonly settings: Readonly<Record<string, number>>;
}

const magic = 0x616b3432; // "ak42"
const headerBytes = 256; // of version 1

interface Sizes {
  readonly dim: number;
  readonly hidden_dim: number;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly n_kv_heads: number;
  readonly vocab_size: number;
  readonly max_seq_len: number;
}
const fields = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "max_seq_len"] as const;

type Shape = readonly [name: string, ...dims: number[]];

/** @throws CheckpointError for a file whose size is not what its header says. */
export async function openLlama2c(path: string): Promise<Llama2cFile> {
  return withFile(path, async (handle, size) => {
    if (size < headerBytes) throw malformed(path, "llama2.c's header", `${size} bytes`);
    const head = Buffer.alloc(headerBytes);
    await readFully(handle, head, 0, path);
    const version = head.readUInt32LE() === magic ? head.readInt32LE(4) : 0;
    if (version < 0 || version > 2) throw malformed(path, "version 0, 1 or 2 of llama2.c's files", String(version));
    const first = version === 0 ? 0 : 8;
    const values = fields.map((name, i) => [name, head.readInt32LE(first + 4 * i)] as const);
    const given = Object.fromEntries(values) as unknown as Sizes;
    const shared = version === 0 ? given.vocab_size > 0 : head.readUInt8(36) !== 0;
    const sizes = { ...given, vocab_size: Math.abs(given.vocab_size) };
    checkSizes(path, sizes, size);
    const start = version === 0 ? 4 * fields.length : headerBytes;
    const group = version === 2 ? groupOf(path, head.readInt32LE(37), sizes) : undefined;
    const place = new Places(path, start, group);
    if (version === 0) addOldest(place, sizes, shared);
    else addNewer(place, sizes, shared);
    if (place.at !== size) throw malformed(path, `${place.at} bytes, as its header says`, String(size));
    const { hidden_dim: _, ...settings } = sizes;
    return { entries: place.entries, settings };
  });
}

function malformed(path: string, expected: string, got: string): CheckpointError {
  return new CheckpointError(`${path}: expected ${expected}, got ${got}`, {
    hint: "the file is truncated, or not llama2.c's",
  });
}

/** All of the sizes, before anything is made of them. */
function checkSizes(path: string, sizes: Sizes, size: number): void {
  for (const [name, value] of Object.entries(sizes) as [string, number][]) {
    if (value < 1 || value > size) throw malformed(path, `${name} of 1 to ${size}`, String(value));
  }
  const { dim, n_heads: heads, n_kv_heads: keys, n_layers: layers } = sizes;
  if (dim % heads !== 0 || heads % keys !== 0) {
    throw malformed(path, "sizes that are multiples of one another", `dim ${dim}, ${heads} heads, ${keys} of keys`);
  }
  if (layers > 4096) throw malformed(path, "at most 4096 layers", String(layers));
}

/** Numbers that share a scale. @throws CheckpointError where a tensor is not of whole groups. */
function groupOf(path: string, group: number, { dim, vocab_size: vocabulary, ...sizes }: Sizes): number {
  const counts = matrices({ dim, vocab_size: vocabulary, ...sizes }).map(([, rows, width]) => rows! * width!);
  if (group >= 1 && [vocabulary * dim, ...counts].every((count) => count % group === 0)) return group;
  throw malformed(path, "a group size that all matrices are multiples of", String(group));
}

/** Tensors one after the other. */
class Places {
  readonly entries = new Map<string, TensorEntry>();
  readonly #path: string;
  /** Of matrices in eight bits. */
  readonly #group: number | undefined;
  at: number;

  constructor(path: string, at: number, group?: number) {
    this.#path = path;
    this.#group = group;
    this.at = at;
  }

  skip(numbers: number): void {
    this.at += 4 * numbers;
  }

  add(name: string, ...dims: number[]): void {
    const group = dims.length > 1 ? this.#group : undefined;
    if (group === undefined) {
      this.entries.set(name, this.#take(name, "float32", dims));
      return;
    }
    const whole = this.#take(name, "int8", dims);
    this.entries.set(name, inGroups(whole, this.#take(name, "float32", [sizeOf(dims) / group]), group));
  }

  #take(name: string, dtype: "float32" | "int8", dims: readonly number[]): TensorEntry {
    const byteLength = sizeOf(dims) * byteSize[dtype];
    const place = { name, file: resolve(this.#path), open: inFile(this.#path), offset: this.at, byteLength };
    this.at += byteLength;
    return { ...place, dtype, dims };
  }
}

/** A matrix of whole numbers with the scales of its groups; where these are parts of rows, also in the bits that it has. */
function inGroups(whole: TensorEntry, scales: TensorEntry, group: number): TensorEntry {
  const made = madeEntry({ ...whole, dtype: "float32" }, whole.dims, async () => {
    const [integers, factors] = [(await readTensor(whole)).data as Int8Array, await readFloat32(scales)];
    return Float32Array.from(integers, (value, i) => value * factors[Math.floor(i / group)]!);
  });
  const [outputs, width] = whole.dims as [number, number];
  if (width % group !== 0 || group < 16 || !Number.isInteger(Math.log2(group))) return made;
  const read = async (): Promise<GroupedWeight> => {
    const integers = (await readTensor(whole)).data as Int8Array;
    const shifted = Uint8Array.from(integers, (value) => value + 128);
    return { bits: 8, group, outputs, width, whole: shifted, scales: await readFloat32(scales) };
  };
  return { ...made, grouped: { bits: 8, group, shifted: false, read } };
}

/** Matrices of a layer, in the order of newer files. */
function matrices({ dim, hidden_dim: inner, n_heads: heads, n_kv_heads: keys }: Sizes): Shape[] {
  const narrow = (dim / heads) * keys;
  return [
    ["attention.wq", dim, dim],
    ["attention.wk", narrow, dim],
    ["attention.wv", narrow, dim],
    ["attention.wo", dim, dim],
    ["feed_forward.w1", inner, dim],
    ["feed_forward.w2", dim, inner],
    ["feed_forward.w3", inner, dim],
  ];
}

function addOldest(place: Places, sizes: Sizes, shared: boolean): void {
  const { dim, n_layers: layers, vocab_size: vocabulary, max_seq_len: positions, n_heads: heads } = sizes;
  const all = matrices(sizes);
  const ordered: Shape[] = [["attention_norm", dim], ...all.slice(0, 4), ["ffn_norm", dim], ...all.slice(4)];
  place.add("tok_embeddings.weight", vocabulary, dim);
  for (const [name, ...dims] of ordered) {
    for (let layer = 0; layer < layers; layer++) place.add(`layers.${layer}.${name}.weight`, ...dims);
  }
  place.add("norm.weight", dim);
  place.skip((positions * dim) / heads); // cosines and sines
  if (!shared) place.add("output.weight", vocabulary, dim);
}

function addNewer(place: Places, sizes: Sizes, shared: boolean): void {
  const { dim, n_layers: layers, vocab_size: vocabulary } = sizes;
  const add = (name: string, ...dims: number[]): void => {
    for (let layer = 0; layer < layers; layer++) place.add(`layers.${layer}.${name}.weight`, ...dims);
  };
  add("attention_norm", dim);
  add("ffn_norm", dim);
  place.add("norm.weight", dim);
  place.add("tok_embeddings.weight", vocabulary, dim);
  for (const [name, ...dims] of matrices(sizes)) add(name, ...dims);
  if (!shared) place.add("output.weight", vocabulary, dim);
}
