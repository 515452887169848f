/**
 * Parquet files: footer and row groups, by hyparquet. Nothing is decoded before `parquet-check.ts` has been over it, so
 * that a damaged file is an error that says so, in bounded time and memory.
 */
import type { FileHandle } from "node:fs/promises";
import * as zlib from "node:zlib";
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type RowGroup,
  type SchemaElement,
  snappyUncompress,
} from "hyparquet";
import { DataError } from "../errors.ts";
import { checkChunk, checkThrift, type Inflate, type Leaf, newBudget, spend } from "./parquet-check.ts";

/** A larger footer is none of ours: one of a 256 MB file has less than a megabyte. */
const footerLimit = 64 << 20;

/** A file as hyparquet reads it: by ranges, so that a shard is never whole in memory. */
export function fileBuffer(handle: FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const buffer = new Uint8Array(end - start);
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
        if (bytesRead === 0) throw new DataError(`expected ${byteLength} bytes, got ${start + filled}: file cut short`);
        filled += bytesRead;
      }
      return buffer.buffer;
    },
  };
}

const inflate: Inflate = (codec, input, length) => {
  if (codec === "UNCOMPRESSED") return input;
  if (codec === "SNAPPY") {
    const output = new Uint8Array(length);
    snappyUncompress(input, output);
    return output;
  }
  const limit = { maxOutputLength: Math.max(1, length) };
  // Copies: a value that claims to be longer than the page must not show what else is in memory.
  if (codec === "GZIP") return new Uint8Array(zlib.gunzipSync(input, limit));
  if (codec === "BROTLI") return new Uint8Array(zlib.brotliDecompressSync(input, limit));
  if (codec !== "ZSTD") throw new DataError(`expected compression by zstd, snappy, gzip or brotli, got ${codec}`);
  if (!("zstdDecompressSync" in zlib)) {
    throw new DataError(`Parquet in zstd expected Node 22.15 or later, got ${process.versions.node}`, {
      hint: 'write it in snappy or gzip (an import: with compression "snappy")',
    });
  }
  return new Uint8Array(zlib.zstdDecompressSync(input, limit));
};

/** @throws DataError for whatever `read` throws: bytes that are no Parquet fail anywhere inside the library. */
export async function orDamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`expected a Parquet file, got a damaged one (${(cause as Error).message})`, { cause });
  }
}

export interface Footer {
  readonly rows: number;
  readonly metadata: FileMetaData;
}

/** A file's footer. @throws DataError where it is damaged, or its counts do not agree. */
export async function readFooter(file: AsyncBuffer): Promise<Footer> {
  return orDamaged(async () => {
    const { byteLength } = file;
    if (byteLength < 12) throw new DataError(`expected a Parquet file, got one of ${byteLength} bytes`);
    const tail = new DataView(await file.slice(byteLength - 8));
    const size = tail.getUint32(0, true);
    if (tail.getUint32(4, true) !== 0x31524150) throw new DataError('expected "PAR1" at the end, got other bytes');
    const most = Math.min(footerLimit, byteLength - 12);
    if (size > most) throw new DataError(`expected a footer of at most ${most} bytes, got ${size}`);
    checkThrift(new DataView(await file.slice(byteLength - 8 - size, byteLength - 8)), 0);
    const metadata = await parquetMetadataAsync(file, { geoparquet: false, initialFetchSize: size + 8 });
    const counts = metadata.row_groups.map((group) => Number(group.num_rows));
    const rows = counts.reduce((sum, count) => sum + count, 0);
    if (counts.some((count) => !Number.isSafeInteger(count) || count < 0) || rows !== Number(metadata.num_rows)) {
      throw new DataError(`expected ${metadata.num_rows} rows in the row groups, got ${rows}`);
    }
    return { rows, metadata };
  });
}

/** Places of a schema's own columns, by name. */
export function topLevel(schema: readonly SchemaElement[]): Map<string, number> {
  const places = new Map<string, number>();
  let open = 0;
  for (const [i, { name, num_children: children = 0 }] of schema.entries()) {
    if (i === 0) continue;
    if (open === 0) places.set(name, i);
    else open -= 1;
    open += children;
  }
  return places;
}

/** Reads and checks the column chunks of a group. */
async function checkGroup(
  file: AsyncBuffer,
  { columns: chunks }: RowGroup,
  rows: number,
  leaves: readonly Leaf[],
): Promise<void> {
  const budget = newBudget();
  const byPath = new Map(chunks.map(({ meta_data: meta }) => [meta?.path_in_schema.join("."), meta]));
  for (const leaf of leaves) {
    const name = leaf.path.join(".");
    const meta = byPath.get(name);
    if (meta === undefined) throw new DataError(`column ${name}: expected it in every row group, got none`);
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const size = Number(meta.total_compressed_size);
    if (!(start >= 4 && size >= 0 && start + size <= file.byteLength - 8)) {
      throw new DataError(`column ${name}: expected pages within the file, got ${size} bytes at ${start}`);
    }
    spend(budget, "bytes", size);
    try {
      checkChunk(new Uint8Array(await file.slice(start, start + size)), leaf, meta, { rows, budget, inflate });
    } catch (cause) {
      throw new DataError(`column ${name}: ${(cause as Error).message}`, { cause });
    }
  }
}

/**
 * The rows of one row group as objects with the columns `names`; `leaves`: all scalars in these.
 * @throws DataError where the group is damaged or beyond the limits.
 */
export async function decodeGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  names: readonly string[],
  leaves: readonly Leaf[],
): Promise<Record<string, unknown>[]> {
  const count = Number(group.num_rows);
  if (count === 0) return [];
  await checkGroup(file, group, count, leaves);
  const by = (codec: string) => (input: Uint8Array, length: number) => inflate(codec, input, length);
  const found = await parquetReadObjects({
    file,
    // This group alone: the library goes over all of them at every call.
    metadata: { ...metadata, row_groups: [group], num_rows: group.num_rows },
    columns: [...names],
    rowStart: 0,
    rowEnd: count,
    compressors: { ZSTD: by("ZSTD"), SNAPPY: by("SNAPPY"), GZIP: by("GZIP"), BROTLI: by("BROTLI") },
  });
  const short = names.find((name) => found.some((row) => row[name] === undefined));
  if (found.length !== count || short !== undefined) {
    throw new DataError(`expected ${count} rows with a value of ${short ?? "each column"}, got fewer`);
  }
  return found;
}
