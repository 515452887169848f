/**
 * Records as Parquet row groups (hyparquet-writer). A column is described once, by its shape;
 * lists use the three-level LIST layout that Arrow, DuckDB and Hugging Face `datasets` read as list and struct.
 * Row groups are encoded apart and put together by `ShardWriter`, whose bytes depend only on their order.
 */
import type { FileHandle } from "node:fs/promises";
import * as zlib from "node:zlib";
import type { ColumnChunk, RowGroup, SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { writeColumn } from "hyparquet-writer/src/column.js";
import { snappyCompress } from "hyparquet-writer/src/snappy.js";
import { DataError } from "../errors.ts";
import { createColumnShredder, type LeafData } from "./parquet-shred.ts";

/** "text" is a string whose values hardly repeat: no dictionary is tried for it. */
type Scalar = "string" | "text" | "integer" | "float" | "boolean";
/** A scalar, a struct `{ field: shape }`, or a list `[shape]`; only scalars may be null. */
export type Shape = Scalar | readonly [Shape] | { readonly [field: string]: Shape };
export type Columns = { readonly [column: string]: Shape };
export type Compression = "zstd" | "snappy";

export interface EncodedGroup {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Parquet's description of the group; its offsets count from the start of `bytes`. */
  readonly group: RowGroup;
}

/** zstd where this Node has it (22.15 and later), else snappy. */
export const defaultCompression: Compression = "zstdCompressSync" in zlib ? "zstd" : "snappy";

const stringElement = { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } } as const;
const scalarElements = {
  string: stringElement,
  text: stringElement,
  integer: { type: "INT32" },
  float: { type: "FLOAT" },
  boolean: { type: "BOOLEAN" },
} as const;

/** A column as Parquet's schema describes it. */
export function schemaElements(name: string, shape: Shape): SchemaElement[] {
  if (typeof shape === "string") return [{ name, repetition_type: "OPTIONAL", ...scalarElements[shape] }];
  if (Array.isArray(shape)) {
    const list = { converted_type: "LIST", logical_type: { type: "LIST" } } as const;
    return [
      { name, repetition_type: "OPTIONAL", num_children: 1, ...list },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...schemaElements("element", (shape as readonly [Shape])[0]),
    ];
  }
  const fields = Object.entries(shape);
  return [
    { name, repetition_type: "OPTIONAL", num_children: fields.length },
    ...fields.flatMap(([field, fieldShape]) => schemaElements(field, fieldShape)),
  ];
}

function parquetSchema(columns: Columns): SchemaElement[] {
  const entries = Object.entries(columns);
  return [
    { name: "schema", num_children: entries.length },
    ...entries.flatMap(([name, shape]) => schemaElements(name, shape)),
  ];
}

function writerOptions(columns: Columns, compression: Compression) {
  const schema = parquetSchema(columns);
  if (compression === "snappy") return { schema, codec: "SNAPPY" as const, compressors: { SNAPPY: snappyCompress } };
  if (!("zstdCompressSync" in zlib)) {
    throw new DataError(`zstd compression expected Node 22.15 or later, got ${process.versions.node}`, {
      hint: 'set compression to "snappy"',
    });
  }
  const ZSTD = (input: Uint8Array): Uint8Array => zlib.zstdCompressSync(input);
  return { schema, codec: "ZSTD" as const, compressors: { ZSTD } };
}

/** Schema elements from the root to a leaf. */
function pathOf(root: SchemaElement, elements: readonly SchemaElement[], path: readonly string[]): SchemaElement[] {
  const found = [root];
  let at = 0;
  for (const [depth, name] of path.entries()) {
    // Siblings before it, with all that is inside them, are passed over.
    while (elements[at]!.name !== name) {
      for (let left = 1; left > 0; at++) left += (elements[at]!.num_children ?? 0) - 1;
    }
    found.push(elements[at]!);
    if (depth < path.length - 1) at += 1;
  }
  return found;
}

type PageData = Parameters<typeof writeColumn>[0]["pageData"];

/** Bytes of values at which a page ends: hyparquet-writer's own default. */
const pageSize = 1 << 20;

/** A row group in the making: of rows that were added only their values are kept. */
export interface GroupBuilder<Row extends object> {
  readonly rows: number;
  add(row: Row): void;
  /** The group; nothing may be added after it. */
  encode(): EncodedGroup;
}

export function createGroupBuilder<Row extends object>(columns: Columns, compression: Compression): GroupBuilder<Row> {
  const entries = Object.entries(columns).map(([name, shape]) => ({
    name,
    shape,
    shredder: createColumnShredder(name, shape),
  }));
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(row) {
      rows += 1;
      for (const { name, shredder } of entries) shredder.add(row[name as keyof Row]);
    },
    encode() {
      const writer = new ByteWriter(1 << 20);
      const options = writerOptions(columns, compression);
      const chunks = entries.flatMap(({ name, shape, shredder }) => {
        const elements = schemaElements(name, shape);
        return shredder.leaves().map((leaf) => writeLeaf(writer, leaf, elements, shape, options));
      });
      const size = chunks.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n);
      const group: RowGroup = {
        columns: chunks,
        total_byte_size: size,
        num_rows: BigInt(rows),
        total_compressed_size: BigInt(writer.offset),
      };
      return { bytes: new Uint8Array(writer.getBytes()), group };
    },
  };
}

function writeLeaf(
  writer: ByteWriter,
  { path, ...pageData }: LeafData,
  elements: readonly SchemaElement[],
  shape: Shape,
  { schema, codec, compressors }: ReturnType<typeof writerOptions>,
): ColumnChunk {
  const schemaPath = pathOf(schema[0]!, elements, path);
  const column = {
    columnName: path.join("."),
    element: schemaPath.at(-1)!,
    schemaPath,
    codec,
    compressors,
    stats: typeof shape === "string",
    pageSize,
    columnIndex: false,
    offsetIndex: false,
    ...(shape === "text" ? { encoding: "PLAIN" as const } : {}),
  };
  // It takes levels of any array type, whatever its own types say.
  return writeColumn({ writer, column, pageData: pageData as unknown as PageData }).chunk;
}

/** Encodes `rows` as one row group. */
export function encodeGroup<Row extends object>(
  rows: readonly Row[],
  columns: Columns,
  compression: Compression,
): EncodedGroup {
  const builder = createGroupBuilder<Row>(columns, compression);
  for (const row of rows) builder.add(row);
  return builder.encode();
}

function moveGroup(group: RowGroup, by: bigint): void {
  const moved = (offset: bigint | undefined): bigint | undefined => (offset === undefined ? undefined : offset + by);
  for (const column of group.columns) {
    const meta = column.meta_data;
    column.file_offset += by;
    if (meta === undefined) continue;
    meta.data_page_offset += by;
    const dictionary = moved(meta.dictionary_page_offset);
    if (dictionary !== undefined) meta.dictionary_page_offset = dictionary;
  }
  const start = moved(group.file_offset);
  if (start !== undefined) group.file_offset = start;
}

/** Puts encoded row groups into one Parquet file, in the order given. */
export interface ShardWriter {
  readonly rows: number;
  readonly bytes: number;
  append(encoded: EncodedGroup): Promise<void>;
  finish(): Promise<void>;
}

/** A writer on an open, empty file; the caller closes the handle. `metadata`: the file's own, by key. */
export async function createShard(
  handle: FileHandle,
  columns: Columns,
  compression: Compression,
  createdBy: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<ShardWriter> {
  const writer = new ByteWriter();
  const kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  const own = kvMetadata.length === 0 ? {} : { kvMetadata };
  const parquet = new ParquetWriter({ writer, ...writerOptions(columns, compression), createdBy, ...own });
  const flush = async (): Promise<void> => {
    await handle.writeFile(writer.getBytes());
    writer.index = 0;
  };
  await flush();
  return {
    get rows() {
      return Number(parquet.num_rows);
    },
    get bytes() {
      return writer.offset;
    },
    async append({ bytes, group }) {
      moveGroup(group, BigInt(writer.offset));
      parquet.row_groups.push(group);
      parquet.num_rows += group.num_rows;
      await handle.writeFile(bytes);
      writer.offset += bytes.length;
    },
    async finish() {
      await parquet.finish();
      await flush();
    },
  };
}
