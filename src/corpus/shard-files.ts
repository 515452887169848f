/** The Parquet files of a dataset under construction: row groups in, files of bounded size out, rows taken out later. */
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { RowGroup } from "hyparquet";
import type { ImportPool } from "./pubmed/import-pool.ts";
import { fileBuffer, readFooter } from "../io/parquet-file.ts";
import { createShard, type Columns, type Compression, type EncodedGroup } from "./parquet-codec.ts";

export interface ShardFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface ShardSettings {
  readonly columns: Columns;
  readonly compression: Compression;
  readonly createdBy: string;
}

async function writeShard(
  path: string,
  settings: ShardSettings,
  fill: (append: (encoded: EncodedGroup) => Promise<number>) => Promise<void>,
): Promise<ShardFile> {
  const handle = await open(path, "wx");
  try {
    const shard = await createShard(handle, settings.columns, settings.compression, settings.createdBy);
    await fill(async (encoded) => {
      await shard.append(encoded);
      return shard.bytes;
    });
    await shard.finish();
    await handle.sync();
    return { path, rows: shard.rows, bytes: shard.bytes };
  } finally {
    await handle.close();
  }
}

/** Writes `groups` to `folder` in files of about `shardBytes`; at least one file, even without rows. */
export async function writeShards(
  folder: string,
  groups: AsyncIterator<EncodedGroup>,
  shardBytes: number,
  settings: ShardSettings,
): Promise<ShardFile[]> {
  const files: ShardFile[] = [];
  let next = await groups.next();
  do {
    const path = join(folder, `${files.length}.parquet`);
    files.push(
      await writeShard(path, settings, async (append) => {
        let bytes = 0;
        while (next.done !== true && bytes < shardBytes) {
          bytes = await append(next.value);
          next = await groups.next();
        }
      }),
    );
  } while (next.done !== true);
  return files;
}

async function copyGroup(handle: FileHandle, size: number, group: RowGroup): Promise<EncodedGroup> {
  let start = Infinity;
  let end = 0;
  for (const { meta_data: meta } of group.columns) {
    if (meta === undefined) continue;
    const first = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
    start = Math.min(start, first);
    end = Math.max(end, first + Number(meta.total_compressed_size));
  }
  const bytes = new Uint8Array(await fileBuffer(handle, size).slice(start, end));
  const moved = structuredClone(group);
  for (const column of moved.columns) {
    column.file_offset -= BigInt(start);
    const meta = column.meta_data!;
    meta.data_page_offset -= BigInt(start);
    if (meta.dictionary_page_offset !== undefined) meta.dictionary_page_offset -= BigInt(start);
  }
  return { bytes, group: moved };
}

/**
 * Rewrites a file without `rows` (ordinals inside it, ascending): untouched row groups are copied as they are.
 * `onDropped` gets the filled-field counts of the rows taken out.
 */
export async function dropRows(
  shard: ShardFile,
  rows: readonly number[],
  pool: ImportPool,
  settings: ShardSettings,
  onDropped: (fill: Record<string, number>) => void,
): Promise<ShardFile> {
  const handle = await open(shard.path, "r");
  try {
    const { metadata } = await readFooter(fileBuffer(handle, shard.bytes));
    const temporary = `${shard.path}.next`;
    const written = await writeShard(temporary, settings, async (append) => {
      let first = 0;
      let taken = 0;
      for (const [index, group] of metadata.row_groups.entries()) {
        const next = first + Number(group.num_rows);
        const inside: number[] = [];
        while (taken < rows.length && rows[taken]! < next) inside.push(rows[taken++]! - first);
        first = next;
        if (inside.length === 0) {
          await append(await copyGroup(handle, shard.bytes, group));
          continue;
        }
        const { encoded, fill } = await pool.run({ kind: "drop", path: shard.path, group: index, rows: inside });
        onDropped(fill);
        if (encoded !== undefined) await append(encoded);
      }
    });
    await rm(shard.path);
    await rename(temporary, shard.path);
    return { ...written, path: shard.path };
  } finally {
    await handle.close();
  }
}
