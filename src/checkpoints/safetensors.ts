/**
 * safetensors: eight bytes of header length, a JSON header, raw little-endian tensors
 * (https://github.com/huggingface/safetensors#format). Reading checks the header as strictly as the reference
 * implementation does; writing gives the bytes that it gives. Left out: dtypes that no model here uses (float8, int16, ...).
 */
import { open, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import { byteSize, sizeOf, type DType, type Tensor, type TypedArrays } from "../tensor/tensor.ts";
import { inFile, withFile } from "./disk.ts";
import { writeAtomically } from "../io/files.ts";
import { fromFloat32, isFloat, toFloat32, type FloatDType } from "./floats.ts";
import { dtypes, formatNames, isSize, readSafetensors, type SafetensorsFile } from "./safetensors-read.ts";

export { readFloat32, readTensor, type TensorEntry } from "./entries.ts";

/** A tensor to be written; `data` may be a function, called when its turn comes, so that not all need be in memory. */
export interface TensorSource {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TypedArrays[DType] | (() => TypedArrays[DType] | Promise<TypedArrays[DType]>);
}

/** Tensors in memory as what is written: numbers that a tensor makes are made as its turn comes. */
export function sourcesOf(tensors: Iterable<readonly [name: string, tensor: Tensor]>): TensorSource[] {
  return [...tensors].map(([name, one]) => ({ name, dtype: one.dtype, dims: one.dims, data: () => one.data }));
}

export interface WriteOptions {
  /** `{ format: "pt" }` unless given, as Hugging Face writes and expects. */
  metadata?: Readonly<Record<string, string>>;
  /** What float tensors are stored as; others keep their dtype. */
  dtype?: FloatDType;
  /** Tensors follow one another as they are given, not as the reference implementation orders them. */
  inOrder?: boolean;
}

/**
 * Reads and checks the header of a safetensors file; no tensor is read.
 * @throws CheckpointError for a missing, truncated or malformed file.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const bytes = { path, file: resolve(path), open: inFile(path) };
  return withFile(path, (reader, size) => readSafetensors(bytes, reader, size));
}

/**
 * Writes tensors one after the other, atomically; names must differ.
 * @throws CheckpointError when a tensor's data do not fit its shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorSource>,
  options: WriteOptions = {},
): Promise<void> {
  const stored = [...tensors].map((source) => ({ source, dtype: storedDType(source.dtype, options.dtype) }));
  if (options.inOrder !== true) {
    stored.sort(
      (a, b) => dtypes.indexOf(b.dtype) - dtypes.indexOf(a.dtype) || compareBytes(a.source.name, b.source.name),
    );
  }
  const header = makeHeader(path, stored, options.metadata ?? { format: "pt" });
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, "w");
    try {
      await writeFully(handle, header);
      for (const { source, dtype } of stored) {
        const data = typeof source.data === "function" ? await source.data() : source.data;
        await writeTensor(handle, path, { ...source, data }, dtype);
      }
    } finally {
      await handle.close();
    }
  });
}

export function storedDType(dtype: DType, wanted: FloatDType | undefined): DType {
  return wanted !== undefined && isFloat(dtype) ? wanted : dtype;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function makeHeader(
  path: string,
  stored: readonly { source: TensorSource; dtype: DType }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const parts = Object.keys(metadata).length === 0 ? [] : [`"__metadata__":${JSON.stringify(metadata)}`];
  const seen = new Set<string>();
  for (const { source, dtype } of stored) {
    const { name, dims } = source;
    if (seen.has(name) || name === "__metadata__" || name === "__proto__")
      throw new CheckpointError(
        `${path}: expected distinct tensor names, got ${JSON.stringify(name)} twice or reserved`,
      );
    seen.add(name);
    if (dims.some((dim) => !isSize(dim)))
      throw new CheckpointError(`${path}: tensor "${name}" has the shape [${dims.join(", ")}]`);
    const start = end;
    end += sizeOf(dims) * byteSize[dtype];
    const fields = { dtype: formatNames[dtype], shape: dims, data_offsets: [start, end] };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(fields)}`);
  }
  const text = Buffer.from(`{${parts.join(",")}}`);
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  return padded;
}

async function writeTensor(
  handle: FileHandle,
  path: string,
  tensor: TensorSource & { data: TypedArrays[DType] },
  dtype: DType,
): Promise<void> {
  const { data, dims } = tensor;
  if (data.length !== sizeOf(dims) || data.BYTES_PER_ELEMENT !== byteSize[tensor.dtype])
    throw new CheckpointError(
      `${path}: tensor "${tensor.name}" expected ${sizeOf(dims)} numbers of ${tensor.dtype} for [${dims.join(", ")}], ` +
        `got ${data.length} of ${data.BYTES_PER_ELEMENT} bytes`,
    );
  if (dtype === tensor.dtype || !isFloat(dtype) || !isFloat(tensor.dtype)) {
    await writeFully(handle, data);
    return;
  }
  const chunk = 1 << 22; // numbers converted at a time
  for (let start = 0; start < data.length; start += chunk) {
    const part = data.subarray(start, start + chunk) as TypedArrays[FloatDType];
    const wide =
      part instanceof Float32Array ? part : toFloat32(tensor.dtype, part as TypedArrays[typeof tensor.dtype]);
    await writeFully(handle, fromFloat32(dtype, wide));
  }
}

async function writeFully(handle: FileHandle, data: ArrayBufferView): Promise<void> {
  let done = 0;
  while (done < data.byteLength) {
    const part = new Uint8Array(data.buffer, data.byteOffset + done, Math.min(1 << 30, data.byteLength - done));
    done += (await handle.write(part)).bytesWritten;
  }
}
