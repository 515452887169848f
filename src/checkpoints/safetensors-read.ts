/**
 * Reading safetensors, wherever the bytes lie: eight bytes of header length, a JSON header, raw little-endian tensors
 * (https://github.com/huggingface/safetensors#format). The header is checked as strictly as the reference implementation
 * does. Left out: dtypes that no model here uses (float8, int16, ...).
 */
import { CheckpointError } from "../errors.ts";
import { byteSize, sizeOf, type DType } from "../tensor/tensor.ts";
import { type ByteReader, type OpenBytes, readFully, type TensorEntry } from "./entries.ts";
import { parseStrictJson } from "./strict-json.ts";

export interface SafetensorsFile {
  readonly path: string;
  /** Absolute offset of the first tensor byte. */
  readonly dataStart: number;
  readonly entries: Map<string, TensorEntry>;
  readonly metadata: Map<string, string>;
}

/** Where a file's bytes come from. */
export interface SafetensorsBytes {
  /** For messages. */
  readonly path: string;
  /** Of its entries. */
  readonly file: string;
  readonly open: OpenBytes;
}

const headerLimit = 100_000_000; // bytes; the reference implementation's limit
const maxAxes = 64; // torch's limit
/** Ordered as the reference implementation lays tensors out: last first. */
export const formatNames = {
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
export const dtypes = Object.keys(formatNames) as DType[];
const dtypeOf = new Map<string, DType>(dtypes.map((dtype) => [formatNames[dtype], dtype]));

/** Reads and checks the header of `size` bytes. @throws CheckpointError where they are truncated or malformed. */
export async function readSafetensors(
  from: SafetensorsBytes,
  reader: ByteReader,
  size: number,
): Promise<SafetensorsFile> {
  const { path } = from;
  if (size < 8)
    throw new CheckpointError(`${path}: expected a safetensors file, got ${size} bytes`, {
      hint: "the file is empty or truncated; download it again",
    });
  const prefix = new Uint8Array(8);
  await readFully(reader, prefix, 0, path);
  const headerLength = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  const room = Math.min(size - 8, headerLimit);
  if (headerLength < 2 || headerLength > room)
    throw new CheckpointError(`${path}: expected a header of 2 to ${room} bytes, got ${headerLength}`, {
      hint: "the file is truncated or is not a safetensors file",
    });
  const bytes = new Uint8Array(headerLength);
  await readFully(reader, bytes, 8, path);
  const header = parseStrictJson(bytes, `${path}: header`, 3);
  return readHeader(from, header, 8 + headerLength, size);
}

function readHeader(from: SafetensorsBytes, header: unknown, dataStart: number, size: number): SafetensorsFile {
  const { path } = from;
  const metadata = new Map<string, string>();
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(asObject(path, "header", header))) {
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries(asObject(path, name, value))) {
        if (typeof text !== "string") throw malformed(path, `metadata ${cut(JSON.stringify(key))}`, "a string", text);
        metadata.set(key, text);
      }
    } else entries.set(name, readEntry(from, name, value, dataStart, size));
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

export function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function readEntry(
  { path, file, open }: SafetensorsBytes,
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
  return { name, file, open, dtype, dims, offset: dataStart + start, byteLength };
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
