/**
 * Where a tensor lies in a file, and reading it. Every format (safetensors, torch zip, torch legacy, GGUF) is described
 * by the same entries; one that `isPlain` is raw little-endian row-major bytes that may be memory-mapped. What the bytes
 * are read from, a file (`disk.ts`), a server or memory, an entry knows, and this file does not.
 * The machine is taken to be little-endian.
 */
import { CheckpointError } from "../errors.ts";
import { allocate, byteSize, sizeOf, view, type DType, type Tensor, type TypedArrays } from "../tensor/tensor.ts";
import { dequantizeGroups, type GroupedWeight, type Grouping, transposed } from "../tensor/grouped.ts";
import { isFloat, toFloat32 } from "./floats.ts";

/** Reads bytes at a position, as Node's file handles do: fewer than asked for, and none at the end. */
export interface ByteReader {
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** Opens what bytes lie in, of so many bytes, and closes it again. */
export type OpenBytes = <T>(use: (reader: ByteReader, size: number) => Promise<T>) => Promise<T>;

export interface TensorEntry {
  readonly name: string;
  /** Absolute path, or URL. */
  readonly file: string;
  readonly open: OpenBytes;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
  /** Bytes from the first to the last element. */
  readonly byteLength: number;
  /** Only where the bytes are not the tensor as it is: a strided view or big-endian numbers. */
  readonly layout?: StridedLayout;
  /** Only of a matrix in few bits, whose `dtype` is what it is read as, float32; offset and length are not its numbers'. */
  readonly grouped?: GroupedEntry;
  /** Only where the bytes are blocks of few bits; `dtype` is then what they are widened to, float32. */
  readonly blocks?: BlockFormat;
  /** Only where the tensor is made of others: its numbers, as `dtype` says. `file` is where most of them come from. */
  readonly make?: () => Promise<TypedArrays[DType]>;
}

export interface GroupedParts {
  readonly whole: TensorEntry;
  readonly scales: TensorEntry;
  readonly shifts: TensorEntry | undefined;
}

/** A matrix in few bits, as a file holds it. */
export interface GroupedEntry extends Grouping {
  /** Where its parts lie, if they lie as `GroupedWeight` has them. */
  readonly parts?: GroupedParts;
  /** Whether its groups are shifted. */
  readonly shifted: boolean;
  /** [outputs, width], also of one that is `transposed`. */
  read(): Promise<GroupedWeight>;
}

/** Blocks of few bits, so many numbers and bytes each. */
export interface BlockFormat {
  readonly name: string;
  readonly values: number;
  readonly bytes: number;
  /** Widens as many blocks as fill `into`. */
  widen(blocks: Uint8Array, into: Float32Array): void;
}

/** Whether the bytes in the file are the tensor as it is. */
export function isPlain({ layout, grouped, blocks, make }: TensorEntry): boolean {
  return layout === undefined && grouped === undefined && blocks === undefined && make === undefined;
}

interface StridedLayout {
  /** In elements. */
  readonly strides: readonly number[];
  readonly bigEndian: boolean;
}

const chunkBytes = 1 << 24;
const readLimit = 1 << 30; // one read(2) returns less than 2 GiB

/** Fills `target` from the file at `position`. */
export async function readFully(reader: ByteReader, target: Uint8Array, position: number, what: string): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(readLimit, target.byteLength - done);
    const { bytesRead } = await reader.read(target, done, length, position + done);
    if (bytesRead === 0)
      throw new CheckpointError(`${what}: expected ${target.byteLength} bytes at ${position}, got ${done}`, {
        hint: "the file is truncated; copy or download it again",
      });
    done += bytesRead;
  }
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function label(entry: TensorEntry): string {
  return `${entry.file}: tensor ${JSON.stringify(entry.name.slice(0, 100))}`;
}

/** Reads a tensor in the dtype it is stored in. @throws CheckpointError when the file is shorter than it was. */
export async function readTensor(entry: TensorEntry): Promise<Tensor> {
  const { dtype, dims } = entry;
  if (entry.make !== undefined) return { dtype, dims, data: await entry.make() };
  if (entry.blocks !== undefined) return { dtype, dims, data: await readFloat32(entry) };
  if (entry.grouped !== undefined) {
    const weight = await entry.grouped.read();
    const numbers = dequantizeGroups(weight);
    const data = entry.grouped.transposed === true ? transposed(numbers, weight.outputs, weight.width) : numbers;
    return { dtype: entry.dtype, dims: entry.dims, data };
  }
  return entry.open(async (reader) => {
    const count = sizeOf(entry.dims);
    const { layout } = entry;
    if (layout === undefined) {
      const data = allocate(entry.dtype, count);
      await readFully(reader, bytesOf(data), entry.offset, label(entry));
      return { dtype: entry.dtype, dims: entry.dims, data };
    }
    if (count === 0) return { dtype: entry.dtype, dims: entry.dims, data: allocate(entry.dtype, 0) };
    const bytes = new Uint8Array(entry.byteLength);
    await readFully(reader, bytes, entry.offset, label(entry));
    if (layout.bigEndian) swapBytes(bytes, byteSize[entry.dtype]);
    const data = gather(entry.dtype, view(entry.dtype, bytes), entry.dims, layout.strides);
    return { dtype: entry.dtype, dims: entry.dims, data };
  });
}

/**
 * Reads a float tensor as float32 (float16 and bfloat16 exactly, float64 rounded), into `into` when given.
 * @throws CheckpointError when the tensor is not of a float dtype or `into` is not of its size.
 */
export async function readFloat32(entry: TensorEntry, into?: Float32Array): Promise<Float32Array> {
  const { dtype } = entry;
  const count = sizeOf(entry.dims);
  if (!isFloat(dtype)) throw new CheckpointError(`${label(entry)}: expected a float dtype, got ${dtype}`);
  if (into !== undefined && into.length !== count)
    throw new CheckpointError(`${label(entry)}: expected room for ${count} numbers, got ${into.length}`);
  if (
    entry.layout !== undefined ||
    entry.make !== undefined ||
    (entry.grouped !== undefined && entry.blocks === undefined)
  ) {
    const { data } = await readTensor(entry);
    if (into === undefined && data instanceof Float32Array) return data;
    return toFloat32(dtype, data as TypedArrays[typeof dtype], into);
  }
  return entry.open(async (reader) => {
    const out = into ?? new Float32Array(count);
    if (entry.blocks !== undefined) {
      await readBlocks(reader, entry, entry.blocks, out);
      return out;
    }
    if (dtype === "float32") {
      await readFully(reader, bytesOf(out), entry.offset, label(entry));
      return out;
    }
    const size = byteSize[dtype];
    const chunk = allocate(dtype, Math.min(count, chunkBytes / size));
    for (let start = 0; start < count; start += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, count - start)) as typeof chunk;
      await readFully(reader, bytesOf(part), entry.offset + start * size, label(entry));
      toFloat32(dtype, part, out.subarray(start, start + part.length));
    }
    return out;
  });
}

async function readBlocks(
  reader: ByteReader,
  entry: TensorEntry,
  { values, bytes, widen }: BlockFormat,
  out: Float32Array,
): Promise<void> {
  const most = Math.floor(chunkBytes / bytes);
  const chunk = new Uint8Array(Math.min(out.length / values, most) * bytes);
  for (let block = 0; block * values < out.length; block += most) {
    const part = out.subarray(block * values, Math.min((block + most) * values, out.length));
    const stored = chunk.subarray(0, (part.length / values) * bytes);
    await readFully(reader, stored, entry.offset + block * bytes, label(entry));
    widen(stored, part);
  }
}

function swapBytes(bytes: Uint8Array, size: number): void {
  if (size > 1) for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}

/** Row-major strides of `dims`, in elements. */
export function rowMajorStrides(dims: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dims[axis] as number;
  }
  return strides;
}

/** A strided view, copied row-major. */
function gather<D extends DType>(
  dtype: D,
  source: TypedArrays[D],
  dims: readonly number[],
  strides: readonly number[],
): TypedArrays[D] {
  const count = sizeOf(dims);
  const out = allocate(dtype, count);
  const index = dims.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    out[to] = source[from] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const dim = dims[axis] as number;
      const stride = strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      from += stride;
      if ((index[axis] as number) < dim) break;
      index[axis] = 0;
      from -= dim * stride;
    }
  }
  return out;
}

/** How the entries of a file that is in memory are read. */
export function openBytes(bytes: Uint8Array): OpenBytes {
  const reader: ByteReader = {
    async read(target, offset, length, position) {
      const part = bytes.subarray(position, position + length);
      target.set(part, offset);
      return { bytesRead: part.byteLength };
    },
  };
  return (use) => use(reader, bytes.byteLength);
}
