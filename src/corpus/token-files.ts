/**
 * Token files in Megatron's indexed format (megatron/core/datasets/indexed_dataset.py): NAME.bin holds the ids of all
 * documents one after the other, NAME.idx where each begins. Read by position, so the system's page cache is the only
 * memory they take.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically, writing } from "../io/files.ts";
import { pointerError } from "../io/pointer.ts";
import { DataError } from "../errors.ts";

const magic = "MMIDIDX\0\0";
/** Megatron's codes of the two types that it writes for vocabularies. */
const codes = { uint16: 8, int32: 4 } as const;
export type TokenType = keyof typeof codes;

/** uint16 where it is enough, as Megatron chooses. */
function typeFor(vocabSize: number): TokenType {
  return vocabSize <= 65_500 ? "uint16" : "int32";
}

export interface TokenWriter {
  /** One document's ids. */
  write(ids: readonly number[]): Promise<void>;
  /** Puts on disk what was written so far. */
  flush(): Promise<void>;
  /** Finishes both files; without it nothing appears under their names. */
  close(): Promise<{ documents: number; tokens: number }>;
  /** Removes what was begun. */
  abort(): Promise<void>;
}

/** Writes `prefix.bin` and `prefix.idx`. */
export async function writeTokens(prefix: string, { vocabSize }: { vocabSize: number }): Promise<TokenWriter> {
  const type = typeFor(vocabSize);
  const Type = type === "uint16" ? Uint16Array : Int32Array;
  const temporary = `${prefix}.bin.${process.pid}.tmp`;
  const handle = await writing(temporary, async () => {
    await mkdir(dirname(prefix), { recursive: true });
    return open(temporary, "w");
  });
  const sizes: number[] = [];
  let tokens = 0;
  let buffer = new Type(1 << 19);
  let filled = 0;
  const abort = async (): Promise<void> => {
    await handle.close();
    await rm(temporary, { force: true });
  };
  const flush = async (): Promise<void> => {
    const bytes = new Uint8Array(buffer.buffer, 0, filled * Type.BYTES_PER_ELEMENT);
    if (filled > 0) await writing(`${prefix}.bin`, () => handle.writeFile(bytes));
    filled = 0;
  };
  const sync = async (): Promise<void> => {
    await flush();
    await writing(`${prefix}.bin`, () => handle.sync());
  };
  return {
    async write(ids: readonly number[]): Promise<void> {
      if (filled + ids.length > buffer.length) await flush();
      if (ids.length > buffer.length) buffer = new Type(ids.length);
      buffer.set(ids, filled);
      filled += ids.length;
      sizes.push(ids.length);
      tokens += ids.length;
    },
    flush: sync,
    async close(): Promise<{ documents: number; tokens: number }> {
      try {
        await sync();
        await handle.close();
        await writeFileAtomically(`${prefix}.idx`, indexOf(sizes, type, Type.BYTES_PER_ELEMENT));
        await rename(temporary, `${prefix}.bin`);
      } catch (error) {
        await abort();
        throw error;
      }
      return { documents: sizes.length, tokens };
    },
    abort,
  };
}

/** magic, u64 version, u8 type, u64 sequences, u64 document bounds, i32 sizes, i64 byte offsets, i64 bounds. */
function indexOf(sizes: readonly number[], type: TokenType, width: number): Uint8Array {
  const count = sizes.length;
  const bytes = Buffer.alloc(34 + 4 * count + 8 * count + 8 * (count + 1));
  bytes.write(magic, "latin1");
  bytes.writeBigUInt64LE(1n, 9);
  bytes.writeUInt8(codes[type], 17);
  bytes.writeBigUInt64LE(BigInt(count), 18);
  bytes.writeBigUInt64LE(BigInt(count + 1), 26);
  let offset = 0n;
  sizes.forEach((size, i) => {
    bytes.writeInt32LE(size, 34 + 4 * i);
    bytes.writeBigInt64LE(offset, 34 + 4 * count + 8 * i);
    offset += BigInt(size * width);
  });
  for (let i = 0; i <= count; i++) bytes.writeBigInt64LE(BigInt(i), 34 + 12 * count + 8 * i);
  return bytes;
}

export interface TokenFile extends Disposable {
  /** Of both files, without their endings. */
  readonly prefix: string;
  readonly type: TokenType;
  readonly tokens: number;
  readonly documents: number;
  /** Ids [start, start + length) of the stream of all documents. */
  read(start: number, length: number): Uint16Array | Int32Array;
}

/**
 * Opens `prefix.bin` and `prefix.idx`. With `vocabSize`, ids that are none of the vocabulary's are found when they are read.
 * @throws DataError when a file is missing, truncated or of another format.
 */
export function openTokens(prefix: string, { vocabSize = Infinity }: { vocabSize?: number } = {}): TokenFile {
  const index = openFile(`${prefix}.idx`);
  let documents: number;
  let type: TokenType;
  let expected: number;
  try {
    const header = Buffer.alloc(34);
    if (readSync(index, header, 0, 34, 0) < 34 || header.toString("latin1", 0, 9) !== magic) {
      throw new DataError(`${prefix}.idx: expected Megatron's index ("MMIDIDX"), got another format`);
    }
    const found = Object.entries(codes).find(([, code]) => code === header.readUInt8(17));
    if (found === undefined) {
      throw new DataError(
        `${prefix}.idx: expected tokens of type uint16 (8) or int32 (4), got code ${header.readUInt8(17)}`,
      );
    }
    type = found[0] as TokenType;
    documents = Number(header.readBigUInt64LE(18));
    const bounds = Number(header.readBigUInt64LE(26));
    const size = 34 + 12 * documents + 8 * bounds;
    if (fstatSync(index).size !== size) {
      throw new DataError(`${prefix}.idx: expected ${size} bytes, got ${fstatSync(index).size}`, {
        hint: "the file is truncated: make the token files again",
      });
    }
    const last = Buffer.alloc(12);
    if (documents > 0) {
      readSync(index, last, 0, 4, 34 + 4 * (documents - 1));
      readSync(index, last, 4, 8, 34 + 4 * documents + 8 * (documents - 1));
    }
    expected = Number(last.readBigInt64LE(4)) + last.readInt32LE(0) * (type === "uint16" ? 2 : 4);
  } finally {
    closeSync(index);
  }
  const file = openFile(`${prefix}.bin`);
  const { size } = fstatSync(file);
  if (size !== expected) {
    closeSync(file);
    throw new DataError(`${prefix}.bin: expected ${expected} bytes as ${prefix}.idx says, got ${size}`, {
      hint: "the files do not belong together: make them again",
    });
  }
  const Type = type === "uint16" ? Uint16Array : Int32Array;
  const tokens = size / Type.BYTES_PER_ELEMENT;
  return {
    prefix,
    type,
    tokens,
    documents,
    read(start: number, length: number): Uint16Array | Int32Array {
      if (start < 0 || start + length > tokens) {
        throw new DataError(
          `${prefix}.bin: expected a range within ${tokens} tokens, got [${start}, ${start + length})`,
        );
      }
      const ids = new Type(length);
      const bytes = new Uint8Array(ids.buffer);
      let done = 0;
      while (done < bytes.length) {
        const count = readSync(file, bytes, done, bytes.length - done, start * Type.BYTES_PER_ELEMENT + done);
        if (count === 0) throw new DataError(`${prefix}.bin: was truncated while it was read`);
        done += count;
      }
      const bad = ids.findIndex((id) => id < 0 || id >= vocabSize);
      if (bad >= 0) {
        throw new DataError(
          `${prefix}.bin: token ${start + bad}: expected an id of the vocabulary, [0, ${vocabSize}), got ${ids[bad]}`,
          { hint: "another tokenizer made the file: make it again with this one" },
        );
      }
      return ids;
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}

function openFile(path: string): number {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw new DataError(`${path}: expected a token file, got ${error instanceof Error ? error.message : "none"}`, {
      cause: error,
      hint: 'make token files with "galen tokenize --output PREFIX"',
    });
  }
  const start = Buffer.alloc(64);
  const pointer = pointerError(path, start.subarray(0, readSync(file, start, 0, start.length, 0)));
  if (pointer === undefined) return file;
  closeSync(file);
  throw pointer;
}
