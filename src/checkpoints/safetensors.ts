/**
 * safetensors: eight bytes of header length, a JSON header, raw little-endian tensors
 * (https://github.com/huggingface/safetensors#format). Reading checks the header as strictly as the reference
 * implementation does; writing gives the bytes that it gives. Left out: dtypes that no model here uses (float8, int16, ...).
 */
import { open, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import { byteSize, sizeOf, type DType, type TypedArrays } from "../tensor/tensor.ts";
import { readFully, withFile, type TensorEntry } from "./entries.ts";
import { writeAtomically } from "../io/files.ts";
import { fromFloat32, isFloat, toFloat32, type FloatDType } from "./floats.ts";
import { parseStrictJson } from "./strict-json.ts";

export { readFloat32, readTensor, type TensorEntry } from "./entries.ts";

export interface SafetensorsFile {
  readonly path: string;
  /** Absolute offset of the first tensor byte. */
  readonly dataStart: number;
  readonly entries: Map<string, TensorEntry>;
  readonly metadata: Map<string, string>;
}

/** A tensor to be written; `data` may be a function, called when its turn comes, so that not all need be in memory. */
export interface TensorSource {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TypedArrays[DType] | (() => TypedArrays[DType] | Promise<TypedArrays[DType]>);
}

export interface WriteOptions {
  /** `{ format: "pt" }` unless given, as Hugging Face writes and expects. */
  metadata?: Readonly<Record<string, string>>;
  /** What float tensors are stored as; others keep their dtype. */
  dtype?: FloatDType;
  /** Tensors follow one another as they are given, not as the reference implementation orders them. */
  inOrder?: boolean;
}

const headerLimit = 100_000_000; // bytes; the reference implementation's limit
const maxAxes = 64; // torch's limit
/** Ordered as the reference implementation lays tensors out: last first. */
const formatNames = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  float32: "F32",
  float64: "F64",
  int64: "I64",
} as const satisfies Record<DType, string>;
const dtypes = Object.keys(formatNames) as DType[];
const dtypeOf = new Map<string, DType>(dtypes.map((dtype) => [formatNames[dtype], dtype]));

/**
 * Reads and checks the header of a safetensors file; no tensor is read.
 * @throws CheckpointError for a missing, truncated or malformed file.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return withFile(path, async (handle, size) => {
    if (size < 8)
      throw new CheckpointError(`${path}: expected a safetensors file, got ${size} bytes`, {
        hint: "the file is empty or truncated; download it again",
      });
    const prefix = Buffer.alloc(8);
    await readFully(handle, prefix, 0, path);
    const headerLength = Number(prefix.readBigUInt64LE());
    const room = Math.min(size - 8, headerLimit);
    if (headerLength < 2 || headerLength > room)
      throw new CheckpointError(`${path}: expected a header of 2 to ${room} bytes, got ${headerLength}`, {
        hint: "the file is truncated or is not a safetensors file",
      });
    const bytes = new Uint8Array(headerLength);
    await readFully(handle, bytes, 8, path);
    const header = parseStrictJson(bytes, `${path}: header`, 3);
    return readHeader(path, header, 8 + headerLength, size);
  });
}

function readHeader(path: string, header: unknown, dataStart: number, size: number): SafetensorsFile {
  const metadata = new Map<string, string>();
  const entries = new Map<string, TensorEntry>();
  const file = resolve(path);
  for (const [name, value] of Object.entries(asObject(path, "header", header))) {
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries(asObject(path, name, value))) {
        if (typeof text !== "string") throw malformed(path, `metadata ${cut(JSON.stringify(key))}`, "a string", text);
        metadata.set(key, text);
      }
    } else entries.set(name, readEntry(path, file, name, value, dataStart, size));
  }
  checkLayout(path, entries, dataStart, size);
  return { path, dataStart, entries, metadata };
}

function malformed(path: string, what: string, expected: string, got: unknown): CheckpointError {
  const text = JSON.stringify(got) ?? String(got);
  return new CheckpointError(`${path}: ${what}: expected ${expected}, got ${cut(text)}`, {
    hint: "the file is damaged or was not written by a safetensors library; download it again",
  });
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

function nameOf(tensor: string): string {
  return `tensor ${cut(JSON.stringify(tensor.slice(0, 100)))}`;
}

function asObject(path: string, what: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(path, what, "an object", value);
  return value as Record<string, unknown>;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function readEntry(
  path: string,
  file: string,
  name: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): TensorEntry {
  const what = nameOf(name);
  const fields = asObject(path, what, value);
  const unknown = Object.keys(fields).find((key) => !["dtype", "shape", "data_offsets"].includes(key));
  if (unknown !== undefined) throw malformed(path, what, "dtype, shape and data_offsets", unknown);
  const dtype = typeof fields.dtype === "string" ? dtypeOf.get(fields.dtype) : undefined;
  if (dtype === undefined)
    throw malformed(path, `${what}: dtype`, `one of ${[...dtypeOf.keys()].join(", ")}`, fields.dtype);
  const dims: unknown = fields.shape;
  if (!Array.isArray(dims) || !dims.every(isSize))
    throw malformed(path, `${what}: shape`, "a list of non-negative integers", dims);
  if (dims.length > maxAxes) throw malformed(path, `${what}: shape`, `at most ${maxAxes} axes`, dims.length);
  const offsets: unknown = fields.data_offsets;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw malformed(path, `${what}: data_offsets`, "two non-negative integers", offsets);
  const [start, end] = offsets as [number, number];
  if (start > end || end > fileSize - dataStart)
    throw malformed(path, `${what}: data_offsets`, `a range within ${fileSize - dataStart} bytes of data`, offsets);
  const byteLength = sizeOf(dims) * byteSize[dtype];
  if (byteLength !== end - start || !dims.every((_, axis) => Number.isSafeInteger(sizeOf(dims.slice(0, axis + 1)))))
    throw malformed(path, what, `${byteLength} bytes for ${dtype} [${dims.join(", ")}]`, end - start);
  return { name, file, dtype, dims, offset: dataStart + start, byteLength };
}

/** Tensors must follow each other without holes or overlaps and end with the file. */
function checkLayout(path: string, entries: Map<string, TensorEntry>, dataStart: number, size: number): void {
  let end = dataStart;
  const ordered = [...entries.values()].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (const { name, offset, byteLength } of ordered) {
    if (offset !== end) throw malformed(path, nameOf(name), `to start at ${end - dataStart}`, offset - dataStart);
    end = offset + byteLength;
  }
  if (end !== size) throw malformed(path, "data", `${end - dataStart} bytes`, size - dataStart);
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
