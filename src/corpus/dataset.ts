/**
 * A dataset folder: `manifest.json`, `failures.jsonl` and Parquet shards under `data/`, named so that Hugging Face
 * `load_dataset(folder)` and DuckDB's `read_parquet('folder/data/*.parquet')` find them. This file reads it back.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJson } from "../io/json.ts";
import { refusePointer } from "../io/pointer.ts";
import { fileBuffer, readFooter } from "../io/parquet-file.ts";
import { readGroup } from "./parquet-read.ts";
import { pubmedColumns } from "./pubmed/columns.ts";
import type { PubMedRecord } from "./pubmed/record.ts";

export const datasetFormat = "galen-pubmed";
export const datasetVersion = 1;

export interface DatasetManifest {
  readonly format: typeof datasetFormat;
  readonly schemaVersion: typeof datasetVersion;
  readonly createdBy: string;
  readonly compression: "zstd" | "snappy";
  readonly records: number;
  readonly counts: {
    /** Records read, before filters and deduplication. */
    readonly read: number;
    readonly filtered: number;
    /** Records replaced by another version or a later update. */
    readonly superseded: number;
    /** Records that a DeleteCitation removed. */
    readonly deleted: number;
    readonly failures: number;
  };
  /** Records in the dataset for which a column is neither null nor empty. */
  readonly filled: Readonly<Record<string, number>>;
  readonly filters: Readonly<Record<string, unknown>>;
  readonly sources: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly records: number;
    readonly failures: number;
  }[];
  readonly shards: readonly { readonly name: string; readonly records: number; readonly bytes: number }[];
}

const count = z.number().int().nonnegative();
const manifestSchema: z.ZodType<DatasetManifest> = z.object({
  format: z.literal(datasetFormat),
  schemaVersion: z.literal(datasetVersion),
  createdBy: z.string(),
  compression: z.enum(["zstd", "snappy"]),
  records: count,
  counts: z.object({ read: count, filtered: count, superseded: count, deleted: count, failures: count }),
  filled: z.record(z.string(), count),
  filters: z.record(z.string(), z.unknown()),
  sources: z.array(z.object({ name: z.string(), bytes: count, sha256: z.string(), records: count, failures: count })),
  shards: z.array(
    z.object({ name: z.string().regex(/^data\/train-\d{5,}-of-\d{5,}\.parquet$/), records: count, bytes: count }),
  ),
});

/**
 * The manifest of a dataset folder.
 * @throws DataError where the folder holds none, or one that is not a dataset's of this version.
 */
export async function readManifest(folder: string): Promise<DatasetManifest> {
  const path = join(folder, "manifest.json");
  const manifest = await readJson(path, manifestSchema, 'name a folder that "galen corpus import" made');
  const inShards = manifest.shards.reduce((sum, { records }) => sum + records, 0);
  if (inShards !== manifest.records) {
    throw new DataError(`${path}: records: expected ${inShards}, as the shards have, got ${manifest.records}`);
  }
  return manifest;
}

const listColumns = new Set(
  Object.entries(pubmedColumns).flatMap(([name, shape]) => (Array.isArray(shape) ? [name] : [])),
);

async function* readShard(
  folder: string,
  { name, records, bytes }: DatasetManifest["shards"][number],
  columns: readonly string[],
): AsyncGenerator<Record<string, unknown>> {
  const path = join(folder, name);
  await refusePointer(path);
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw new DataError(`${path}: expected a shard that the manifest names, got no readable file`, { cause });
  });
  try {
    const { size } = await handle.stat();
    if (size !== bytes) throw new DataError(`expected ${bytes} bytes, as the manifest says, got ${size}`);
    const file = fileBuffer(handle, size);
    const footer = await readFooter(file);
    if (footer.rows !== records) {
      throw new DataError(`expected ${records} records, as the manifest says, got ${footer.rows}`);
    }
    for (let group = 0; group < footer.metadata.row_groups.length; group++) {
      for (const row of await readGroup(file, footer, group, pubmedColumns, columns)) {
        for (const column of columns) if (listColumns.has(column)) row[column] ??= [];
        yield row;
      }
    }
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const hint = cause.hint ?? "the dataset was changed or damaged: import it again";
    throw new DataError(`${path}: ${cause.message.split("\nHint: ")[0]}`, { cause, hint });
  } finally {
    await handle.close();
  }
}

/**
 * The records of a dataset folder in order, one row group in memory at a time; `columns` reads only those fields.
 * @throws DataError where the manifest or a shard cannot be read, or a column does not exist.
 */
export async function* readDataset<Field extends keyof PubMedRecord = keyof PubMedRecord>(
  folder: string,
  options: { columns?: readonly Field[] } = {},
): AsyncGenerator<Pick<PubMedRecord, Field>> {
  const known = Object.keys(pubmedColumns);
  const columns: readonly string[] = options.columns ?? known;
  const unknown = columns.find((column) => !known.includes(column));
  if (unknown !== undefined) {
    throw new DataError(`${folder}: expected columns among ${known.join(", ")}, got ${JSON.stringify(unknown)}`);
  }
  const manifest = await readManifest(folder);
  for (const shard of manifest.shards) {
    yield* readShard(folder, shard, columns) as AsyncGenerator<Pick<PubMedRecord, Field>>;
  }
}
