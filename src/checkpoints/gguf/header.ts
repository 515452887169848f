/**
 * The header of GGUF, versions 2 and 3 (ggml-org/ggml, docs/gguf.md): metadata by key, and where each tensor lies. Every
 * length is compared with what is left of the file before anything is made of it. Left out: version 1, big-endian files,
 * lists of lists, models split over several files.
 */
import { CheckpointError } from "../../errors.ts";
import { withFile } from "../disk.ts";
import { readFully } from "../entries.ts";

export type GgufValue = number | boolean | string | readonly number[] | readonly boolean[] | readonly string[];

/** A tensor as the header has it. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major, the last axis within a row: the file has them the other way round. */
  readonly dims: readonly number[];
  /** ggml's number of it. */
  readonly type: number;
  /** From the start of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where the data begin. */
  readonly dataStart: number;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly alignment: number;
}

export const magic = "GGUF";
const headerLimit = 1 << 28; // bytes: a vocabulary of a million tokens has 30 MB
const mostAxes = 4; // GGML_MAX_DIMS
const mostTensors = 1 << 20;

/** The numbers of metadata's types, in their order, with the least bytes of a value. */
export const valueTypes: readonly (readonly [name: string, bytes: number])[] = [
  ["uint8", 1],
  ["int8", 1],
  ["uint16", 2],
  ["int16", 2],
  ["uint32", 4],
  ["int32", 4],
  ["float32", 4],
  ["bool", 1],
  ["string", 8],
  ["array", 12],
  ["uint64", 8],
  ["int64", 8],
  ["float64", 8],
];

/** @throws CheckpointError for a missing, truncated or malformed file. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  return withFile(path, async (handle, size) => {
    // Most headers are of a few MB; only one that is longer is read again.
    for (let room = 1 << 22; ; room *= 8) {
      const bytes = Buffer.alloc(Math.min(size, room, headerLimit));
      await readFully(handle, bytes, 0, path);
      const reader = new Reader(path, bytes, size);
      try {
        return headerOf(reader);
      } catch (error) {
        if (error !== beyond) throw error;
        if (bytes.length === size) throw reader.malformed("a header that ends within the file", "one that does not");
        if (bytes.length === headerLimit) {
          throw reader.malformed(`a header of at most ${headerLimit} bytes`, "a longer one");
        }
      }
    }
  });
}

/** Thrown where a header goes on after the bytes that have been read. */
const beyond = new Error("beyond");

class Reader {
  readonly path: string;
  readonly #bytes: Buffer;
  /** Of the file. */
  readonly size: number;
  at = 0;

  constructor(path: string, bytes: Buffer, size: number) {
    this.path = path;
    this.#bytes = bytes;
    this.size = size;
  }

  malformed(expected: string, got: string, where = `at byte ${this.at}`): CheckpointError {
    return new CheckpointError(`${this.path}: ${where}: expected ${expected}, got ${got}`, {
      hint: "the file is truncated, damaged or of another format; download it again",
    });
  }

  take(length: number): Buffer {
    if (length > this.size - this.at) {
      throw this.malformed(`at most ${this.size - this.at} bytes, as the file has left`, String(length));
    }
    if (length > this.#bytes.length - this.at) throw beyond;
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  /** A count or an offset. */
  length(): number {
    const value = Number(this.take(8).readBigUInt64LE());
    if (!Number.isSafeInteger(value)) throw this.malformed("a length", String(value));
    return value;
  }

  text(): string {
    const bytes = this.take(this.length());
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.malformed("UTF-8 text", "other bytes");
    }
  }

  value(type: number): GgufValue {
    const [name] = valueTypes[type] ?? ["unknown"];
    if (name === "array") return this.#list();
    return this.#single(type, name);
  }

  #single(type: number, name: string): number | boolean | string {
    if (name === "string") return this.text();
    const bytes = this.take(valueTypes[type]?.[1] ?? 0);
    switch (name) {
      case "uint8":
        return bytes.readUInt8();
      case "int8":
        return bytes.readInt8();
      case "uint16":
        return bytes.readUInt16LE();
      case "int16":
        return bytes.readInt16LE();
      case "uint32":
        return bytes.readUInt32LE();
      case "int32":
        return bytes.readInt32LE();
      case "float32":
        return bytes.readFloatLE();
      case "bool":
        return bytes.readUInt8() !== 0;
      case "uint64":
        return Number(bytes.readBigUInt64LE());
      case "int64":
        return Number(bytes.readBigInt64LE());
      case "float64":
        return bytes.readDoubleLE();
      default:
        throw this.malformed("a value of a known type", `type ${type}`);
    }
  }

  #list(): GgufValue {
    const type = this.uint32();
    const [name, least] = valueTypes[type] ?? ["unknown", 1];
    if (name === "array") throw this.malformed("a list of numbers or texts", "a list of lists");
    const count = this.length();
    if (count > (this.size - this.at) / least) {
      throw this.malformed(`a list within the file's ${this.size - this.at} bytes`, `one of ${count} values`);
    }
    const values: (number | boolean | string)[] = [];
    for (let i = 0; i < count; i++) values.push(this.#single(type, name));
    return values as string[];
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function headerOf(reader: Reader): GgufHeader {
  const { path, size } = reader;
  const start = reader.take(4).toString("latin1");
  if (start !== magic) throw reader.malformed(`a GGUF file, which begins with "${magic}"`, JSON.stringify(start));
  const version = reader.uint32();
  if (version !== 2 && version !== 3) {
    const got = version > 0xffff ? "a big-endian file" : String(version);
    throw new CheckpointError(`${path}: expected GGUF version 2 or 3, got ${got}`, {
      hint: "convert the model again with a llama.cpp of this or the last years",
    });
  }
  const [tensorCount, valueCount] = [reader.length(), reader.length()];
  if (tensorCount > mostTensors) throw reader.malformed(`at most ${mostTensors} tensors`, String(tensorCount));
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = reader.text();
    if (metadata.has(key)) throw reader.malformed(`key ${JSON.stringify(key.slice(0, 80))} once`, "it twice");
    metadata.set(key, reader.value(reader.uint32()));
  }
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const tensor = tensorOf(reader);
    if (tensors.has(tensor.name)) throw reader.malformed(`tensor ${shown(tensor.name)} once`, "it twice");
    tensors.set(tensor.name, tensor);
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  if (
    typeof alignment !== "number" ||
    alignment < 1 ||
    alignment > 1 << 20 ||
    !Number.isInteger(Math.log2(alignment))
  ) {
    throw reader.malformed("a power of two", String(alignment).slice(0, 80), "general.alignment");
  }
  const dataStart = Math.ceil(reader.at / alignment) * alignment;
  return { metadata, tensors: [...tensors.values()], dataStart, size, alignment };
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 100));

function tensorOf(reader: Reader): GgufTensor {
  const name = reader.text();
  const axes = reader.uint32();
  if (axes > mostAxes) throw reader.malformed(`tensor ${shown(name)} of at most ${mostAxes} axes`, String(axes));
  const dims = Array.from({ length: axes }, () => reader.length()).reverse();
  if (dims.includes(0) || !Number.isSafeInteger(dims.reduce((product, dim) => product * dim, 1))) {
    throw reader.malformed(`tensor ${shown(name)} of sizes that a file can hold`, `[${dims.join(", ")}]`);
  }
  return { name, dims, type: reader.uint32(), offset: reader.length() };
}
