/**
 * Writing GGUF, version 3: metadata, then tensors one after the other, each in memory alone. Matrices are written in the
 * type asked for, vectors in float32, and rows that no whole number of blocks makes in float16, as llama.cpp's converter
 * does.
 */
import { open, type FileHandle } from "node:fs/promises";
import { CheckpointError } from "../../errors.ts";
import { writeAtomically } from "../../io/files.ts";
import { byteSize, sizeOf } from "../../tensor/tensor.ts";
import { readFloat32, type TensorEntry } from "../entries.ts";
import { fromFloat32 } from "../floats.ts";
import { blockTypes } from "./blocks.ts";
import { type GgufValue, magic, valueTypes } from "./header.ts";
import { plainTypes } from "./read.ts";

/** Names of types, in order of size, with ggml's numbers and those of whole files (`general.file_type`). */
export const ggufTypes = {
  f32: { type: 0, file: 0 },
  f16: { type: 1, file: 1 },
  bf16: { type: 30, file: 32 },
  q8_0: { type: 8, file: 7 },
  q4_0: { type: 2, file: 2 },
} as const;
export type GgufType = keyof typeof ggufTypes;

/** A value with the name of its type; of a list: that of its values. */
export interface GgufEntry {
  readonly key: string;
  readonly type: "uint32" | "int32" | "float32" | "bool" | "string";
  readonly value: GgufValue;
}

export interface GgufSource {
  readonly name: string;
  readonly entry: TensorEntry;
  readonly type: GgufType;
}

const alignment = 32;
const version = 3;

const padding = (length: number): number => (alignment - (length % alignment)) % alignment;

/** What a tensor can be written as, asked for a type. */
function typeOf({ entry, type }: GgufSource): number {
  const { dims } = entry;
  if (dims.length < 2) return ggufTypes.f32.type;
  const blocks = blockTypes.get(ggufTypes[type].type);
  return blocks !== undefined && dims.at(-1)! % blocks.values !== 0 ? ggufTypes.f16.type : ggufTypes[type].type;
}

function bytesOf(type: number, dims: readonly number[]): number {
  const blocks = blockTypes.get(type);
  const count = sizeOf(dims);
  return blocks === undefined ? count * byteSize[plainTypes.get(type)!] : (count / blocks.values) * blocks.bytes;
}

/** @throws CheckpointError where a tensor cannot be read, or has more axes than the format has. */
export async function writeGguf(
  path: string,
  metadata: readonly GgufEntry[],
  tensors: readonly GgufSource[],
): Promise<void> {
  const header = headerOf(path, metadata, tensors);
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, "w");
    try {
      await writeAll(handle, header);
      for (const tensor of tensors) {
        const bytes = await contentsOf(path, tensor);
        await writeAll(handle, bytes);
        await writeAll(handle, Buffer.alloc(padding(bytes.length)));
      }
    } finally {
      await handle.close();
    }
  });
}

async function contentsOf(path: string, source: GgufSource): Promise<Uint8Array> {
  const type = typeOf(source);
  const numbers = await readFloat32(source.entry);
  const blocks = blockTypes.get(type);
  if (blocks === undefined) {
    const { buffer, byteOffset, byteLength } = fromFloat32(plainTypes.get(type) as "float32", numbers);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new CheckpointError(
      `${path}: tensor "${source.name}": expected finite numbers for ${blocks.name}, got ${numbers[bad]} at ${bad}`,
    );
  }
  return blocks.narrow!(numbers);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    // One write(2) takes less than 2 GiB.
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, 1 << 30));
    done += bytesWritten;
  }
}

function headerOf(path: string, metadata: readonly GgufEntry[], tensors: readonly GgufSource[]): Buffer {
  const parts: Buffer[] = [Buffer.from(magic), uint32(version), uint64(tensors.length), uint64(metadata.length)];
  for (const { key, type, value } of metadata) {
    parts.push(text(key));
    const number = valueTypes.findIndex(([name]) => name === type);
    if (typeof value === "object") {
      parts.push(uint32(valueTypes.findIndex(([name]) => name === "array")), uint32(number), uint64(value.length));
      for (const one of value) parts.push(single(type, one));
    } else parts.push(uint32(number), single(type, value));
  }
  let offset = 0;
  for (const source of tensors) {
    const { dims } = source.entry;
    if (dims.length > 4) {
      throw new CheckpointError(`${path}: tensor "${source.name}": expected at most 4 axes, got ${dims.length}`);
    }
    const type = typeOf(source);
    parts.push(text(source.name), uint32(dims.length), ...dims.toReversed().map(uint64), uint32(type), uint64(offset));
    const bytes = bytesOf(type, dims);
    offset += bytes + padding(bytes);
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(padding(header.length))]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function single(type: GgufEntry["type"], value: number | boolean | string): Buffer {
  if (type === "string") return text(String(value));
  if (type === "bool") return Buffer.from([value === true ? 1 : 0]);
  const bytes = Buffer.alloc(4);
  if (type === "uint32") bytes.writeUInt32LE(Number(value));
  else if (type === "int32") bytes.writeInt32LE(Number(value));
  else bytes.writeFloatLE(Number(value));
  return bytes;
}
