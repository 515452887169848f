import * as fc from "fast-check";
import { readdirSync } from "node:fs";
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { type Columns, encodeGroup, schemaElements } from "./parquet-codec.ts";
import { pubmedColumns } from "./pubmed/columns.ts";
import { readPubMed } from "./pubmed/reader.ts";

/** The group as hyparquet-writer makes it of whole columns, without the mark that files begin with. */
function byLibrary(
  rows: readonly Record<string, unknown>[],
  columns: Columns,
): { bytes: Uint8Array; columns: unknown } {
  const entries = Object.entries(columns);
  const schema: SchemaElement[] = [
    { name: "schema", num_children: entries.length },
    ...entries.flatMap(([name, shape]) => schemaElements(name, shape)),
  ];
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema, codec: "SNAPPY" });
  const columnData = entries.map(([name, shape]) => ({
    name,
    data: rows.map((row) => row[name]),
    offsetIndex: false,
    statistics: typeof shape === "string",
    ...(shape === "text" ? { encoding: "PLAIN" as const } : {}),
  }));
  parquet.write({ columnData, rowGroupSize: rows.length });
  const [group] = parquet.row_groups;
  return {
    bytes: new Uint8Array(writer.getBytes().subarray(4)),
    columns: group!.columns.map(({ file_offset, meta_data }) => ({
      at: file_offset - 4n,
      size: meta_data!.total_uncompressed_size,
      path: meta_data!.path_in_schema,
      statistics: meta_data!.statistics,
      levels: meta_data!.num_values,
      encodings: meta_data!.encodings,
    })),
  };
}

function expectSame(rows: readonly Record<string, unknown>[], columns: Columns): void {
  const theirs = byLibrary(rows, columns);
  const { bytes, group } = encodeGroup(rows, columns, "snappy");
  expect(Buffer.from(bytes).equals(theirs.bytes)).toBe(true);
  expect(
    group.columns.map(({ file_offset, meta_data }) => ({
      at: file_offset,
      size: meta_data!.total_uncompressed_size,
      path: meta_data!.path_in_schema,
      statistics: meta_data!.statistics,
      levels: meta_data!.num_values,
      encodings: meta_data!.encodings,
    })),
  ).toEqual(theirs.columns);
  expect(group.num_rows).toBe(BigInt(rows.length));
  expect(Number(group.total_compressed_size)).toBe(bytes.length);
}

const columns: Columns = {
  text: "text",
  name: "string",
  count: "integer",
  share: "float",
  isGood: "boolean",
  tags: ["string"],
  nested: [["integer"]],
  author: { last: "string", marks: ["float"] },
  list: [{ name: "string", major: "boolean", parts: [{ id: "integer", words: ["string"] }] }],
};
const text = fc.option(fc.oneof(fc.string(), fc.constantFrom("a", "b", "é")), { nil: null });
const integer = fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { nil: null });
const listOf = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 4 });
const row = fc.record({
  text,
  name: text,
  count: integer,
  share: fc.option(fc.double({ noNaN: true }), { nil: null }),
  isGood: fc.option(fc.boolean(), { nil: null }),
  tags: listOf(text),
  nested: listOf(listOf(integer)),
  author: fc.record({ last: text, marks: listOf(fc.float({ noNaN: true })) }),
  list: listOf(
    fc.record({
      name: text,
      major: fc.boolean(),
      parts: listOf(fc.record({ id: integer, words: listOf(text) })),
    }),
  ),
});

describe("encodeGroup", () => {
  test("writes the bytes that hyparquet-writer writes of whole columns", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => expectSame(rows, columns)),
      { numRuns: 300, seed: 3 },
    );
  });

  test("of lists that are absent too", () => {
    expectSame(
      [{ tags: null, nested: [[1], [], [2, 3]], list: undefined }, { tags: [] }, { tags: ["a", null] }],
      columns,
    );
  });

  test.runIf(hasShared("data/pubmed-xml"))("and of real records", async () => {
    const records: Record<string, unknown>[] = [];
    const paths = readdirSync(shared("data/pubmed-xml")).map((name) => shared(`data/pubmed-xml/${name}`));
    for await (const event of readPubMed(paths)) if (event.kind === "record") records.push({ ...event.record });
    expect(records).toHaveLength(314);
    expectSame(records, pubmedColumns);
  });
});
