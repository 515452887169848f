/**
 * Writing PyTorch's zip format (torch.serialization, format version 3), so that `torch.load(weights_only=True)` reads
 * it: a stored zip with data.pkl in pickle protocol 2, one file a storage, storages aligned to 64 bytes. Names, numbers,
 * strings, lists, dictionaries and tensors; ZIP64 where a file needs it.
 */
import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { CheckpointError } from "../errors.ts";
import type { DType, TypedArrays } from "../tensor/tensor.ts";
import { writeAtomically } from "../io/files.ts";
import { readTensor, type TensorEntry } from "./entries.ts";

/** A tensor to be written; tensors with the same `key` share a storage, which is written once. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly key: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: () => TypedArrays[DType] | Promise<TypedArrays[DType]>;
}

/** A stored tensor as it is written again. */
export function torchTensor(key: string, entry: TensorEntry): TorchTensor {
  return {
    kind: "tensor",
    key,
    dtype: entry.dtype,
    dims: entry.dims,
    data: async () => (await readTensor(entry)).data,
  };
}

export type TorchValue =
  | null
  | boolean
  | number
  | string
  | TorchTensor
  | readonly TorchValue[]
  | { readonly [key: string]: TorchValue };

const storages: Partial<Record<DType, string>> = {
  float32: "FloatStorage",
  float64: "DoubleStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
  int32: "IntStorage",
  uint8: "ByteStorage",
  int8: "CharStorage",
  bool: "BoolStorage",
};

/** Writes `value` as torch.save would. @throws CheckpointError on a number that is neither finite nor an integer it can hold. */
export async function writeTorchFile(path: string, value: TorchValue): Promise<void> {
  const pickler = new Pickler();
  pickler.value(value);
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, "w");
    try {
      const zip = new ZipWriter(handle);
      await zip.file("archive/data.pkl", pickler.bytes());
      await zip.file("archive/byteorder", Buffer.from("little"));
      for (const [index, tensor] of pickler.tensors.entries()) {
        const { buffer, byteOffset, byteLength } = await tensor.data();
        await zip.file(`archive/data/${index}`, new Uint8Array(buffer, byteOffset, byteLength));
      }
      await zip.file("archive/version", Buffer.from("3\n"));
      await zip.close();
    } finally {
      await handle.close();
    }
  });
}

class Pickler {
  readonly #parts: Buffer[] = [Buffer.from([0x80, 2])];
  readonly #keys = new Map<string, number>();
  /** In the order of their numbers. */
  readonly tensors: TorchTensor[] = [];

  bytes(): Buffer {
    return Buffer.concat([...this.#parts, Buffer.from(".")]);
  }

  value(value: TorchValue): void {
    if (value === null) this.#raw("N");
    else if (typeof value === "boolean") this.#parts.push(Buffer.from([value ? 0x88 : 0x89]));
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#text(value);
    else if (Array.isArray(value)) this.#sequence("](", value as readonly TorchValue[], "e");
    else if (isTensor(value)) this.#tensor(value);
    else {
      this.#raw("}(");
      for (const [key, one] of Object.entries(value)) {
        this.#text(key);
        this.value(one as TorchValue);
      }
      this.#raw("u");
    }
  }

  #raw(text: string): void {
    this.#parts.push(Buffer.from(text, "latin1"));
  }

  #sequence(before: string, values: readonly TorchValue[], after: string): void {
    this.#raw(before);
    for (const one of values) this.value(one);
    this.#raw(after);
  }

  #text(text: string): void {
    const bytes = Buffer.from(text, "utf8");
    const head = Buffer.alloc(5);
    head.write("X");
    head.writeUInt32LE(bytes.length, 1);
    this.#parts.push(head, bytes);
  }

  #number(value: number): void {
    const bytes = Buffer.alloc(10);
    if (!Number.isInteger(value)) {
      bytes.write("G");
      bytes.writeDoubleBE(value, 1);
      this.#parts.push(bytes.subarray(0, 9));
    } else if (Math.abs(value) < 2 ** 31) {
      bytes.write("J");
      bytes.writeInt32LE(value, 1);
      this.#parts.push(bytes.subarray(0, 5));
    } else if (Number.isSafeInteger(value)) {
      bytes.writeUInt8(0x8a, 0);
      bytes.writeUInt8(8, 1);
      bytes.writeBigInt64LE(BigInt(value), 2);
      this.#parts.push(bytes);
    } else throw new CheckpointError(`number: expected one that a pickle can hold, got ${value}`);
  }

  /** torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()). */
  #tensor(tensor: TorchTensor): void {
    const { key, dtype, dims } = tensor;
    let index = this.#keys.get(key);
    if (index === undefined) this.#keys.set(key, (index = this.tensors.push(tensor) - 1));
    const storage = storages[dtype];
    if (storage === undefined) throw new CheckpointError(`${key}: expected a dtype of PyTorch, got ${dtype}`);
    const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
    const count = dims.reduce((product, dim) => product * dim, 1);
    this.#raw("ctorch._utils\n_rebuild_tensor_v2\n((");
    this.#text("storage");
    this.#raw(`ctorch\n${storage}\n`);
    this.#text(String(index));
    this.#text("cpu");
    this.#number(count);
    this.#raw("tQ");
    this.#number(0);
    this.#sequence("(", dims, "t");
    this.#sequence("(", strides, "t");
    this.value(false);
    this.#raw("ccollections\nOrderedDict\n)RtR");
  }
}

function isTensor(value: TorchValue): value is TorchTensor {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "tensor";
}

interface ZipEntry {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

const alignment = 64; // bytes, torch's kFieldAlignment
const sizeLimit = 0xffffffff;

class ZipWriter {
  readonly #handle: FileHandle;
  readonly #entries: ZipEntry[] = [];
  #offset = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      // One write(2) takes less than 2 GiB.
      const { bytesWritten } = await this.#handle.write(bytes, done, Math.min(bytes.length - done, 1 << 30));
      done += bytesWritten;
    }
    this.#offset += bytes.length;
  }

  async file(path: string, contents: Uint8Array): Promise<void> {
    if (contents.length >= sizeLimit)
      throw new CheckpointError(`${path}: expected a tensor below 4 GiB, got ${contents.length} bytes`);
    const name = Buffer.from(path);
    const offset = this.#offset;
    // An extra field "FB" of filler puts the contents on a multiple of 64, as torch does.
    const start = offset + 30 + name.length + 4;
    const filler = (alignment - (start % alignment)) % alignment;
    const entry = { name, crc: crc32(contents), size: contents.length, offset };
    const extra = Buffer.alloc(4 + filler, "Z");
    extra.write("FB");
    extra.writeUInt16LE(filler, 2);
    await this.#write(Buffer.concat([localHeader(entry, extra.length), name, extra]));
    await this.#write(contents);
    this.#entries.push(entry);
  }

  async close(): Promise<void> {
    const start = this.#offset;
    for (const entry of this.#entries) await this.#write(centralHeader(entry));
    const size = this.#offset - start;
    const count = this.#entries.length;
    const large = this.#offset > sizeLimit || count >= 0xffff;
    if (large) await this.#write(zip64End(count, size, start));
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(large ? 0xffff : count, 8);
    end.writeUInt16LE(large ? 0xffff : count, 10);
    end.writeUInt32LE(large ? sizeLimit : size, 12);
    end.writeUInt32LE(large ? sizeLimit : start, 16);
    await this.#write(end);
  }
}

function localHeader({ name, crc, size }: ZipEntry, extra: number): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt32LE(size, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra, 28);
  return header;
}

function centralHeader({ name, crc, size, offset }: ZipEntry): Buffer {
  const far = offset >= sizeLimit;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(far ? 45 : 20, 4);
  header.writeUInt16LE(far ? 45 : 20, 6);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(size, 20);
  header.writeUInt32LE(size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(far ? 12 : 0, 30);
  header.writeUInt32LE(far ? sizeLimit : offset, 42);
  if (!far) return Buffer.concat([header, name]);
  const extra = Buffer.alloc(12);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(BigInt(offset), 4);
  return Buffer.concat([header, name, extra]);
}

/** ZIP64's end record and its locator. */
function zip64End(count: number, size: number, start: number): Buffer {
  const bytes = Buffer.alloc(76);
  bytes.writeUInt32LE(0x06064b50, 0);
  bytes.writeBigUInt64LE(44n, 4);
  bytes.writeUInt16LE(45, 12);
  bytes.writeUInt16LE(45, 14);
  bytes.writeBigUInt64LE(BigInt(count), 24);
  bytes.writeBigUInt64LE(BigInt(count), 32);
  bytes.writeBigUInt64LE(BigInt(size), 40);
  bytes.writeBigUInt64LE(BigInt(start), 48);
  bytes.writeUInt32LE(0x07064b50, 56);
  bytes.writeBigUInt64LE(BigInt(start + size), 64);
  bytes.writeUInt32LE(1, 72);
  return bytes;
}
