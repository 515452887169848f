/**
 * The table of a LanceDB store: its rows, its columns, and which indexes it wants. A row is a passage; a document's first row
 * has its words, cut as everywhere (words.ts), and the document itself.
 */
import type { Connection, Index as IndexType, Table } from "@lancedb/lancedb";
import { storedFields, valuesOf, wordFields } from "./conditions.ts";
import { border, labelOf } from "./lance-sql.ts";
import type { Passage, StoredDocument } from "./store.ts";

export type Lance = typeof import("@lancedb/lancedb");

export const tableName = "passages";
/** Passages from which on vectors get an index; below, all are looked at, in memory. */
export const approximateFrom = 50_000;
/** So many times as many rows as the indexes have may be outside of them before they are made to have them. */
const outside = 3;

export interface Row {
  readonly id: string;
  readonly place: number;
  readonly start: number;
  readonly end: number;
  readonly vector: readonly number[] | null;
  readonly date: string | null;
  readonly labels: readonly string[];
  readonly title: string | null;
  readonly words: string | null;
  /** Of the document, all in all. */
  readonly passages: number;
  readonly data: string | null;
}

/** A document's rows. */
export function rowsOf({ document, passages }: StoredDocument): Row[] {
  const labels = storedFields.flatMap((field) => valuesOf(document, field).map((value) => labelOf(field, value)));
  const { title, rest } = wordFields(document);
  const all: readonly Passage[] = passages.length > 0 ? passages : [{ start: 0, end: 0 }];
  return all.map(({ start, end, vector }, place) => ({
    id: document.id,
    place,
    start,
    end,
    vector: vector === undefined ? null : Array.from(vector),
    date: document.date,
    labels,
    title: place === 0 ? title.join(" ") : null,
    words: place === 0 ? [...title, border, ...rest].join(" ") : null,
    passages: passages.length,
    data: place === 0 ? JSON.stringify(document) : null,
  }));
}

/** An empty table with indexes of words, which take what is added. */
export async function createTable(lance: Lance, db: Connection, width: number): Promise<Table> {
  const { Field, FixedSizeList, Float32, Int32, List, Schema, Utf8 } = await import("apache-arrow");
  const text = (name: string, nullable: boolean): InstanceType<typeof Field> => new Field(name, new Utf8(), nullable);
  const number = (name: string): InstanceType<typeof Field> => new Field(name, new Int32(), false);
  const schema = new Schema([
    text("id", false),
    number("place"),
    number("start"),
    number("end"),
    // A table without vectors has the column too, so that there is one schema.
    new Field("vector", new FixedSizeList(Math.max(1, width), new Field("item", new Float32(), true)), true),
    text("date", true),
    new Field("labels", new List(new Field("item", new Utf8(), true)), false),
    text("title", true),
    text("words", true),
    number("passages"),
    text("data", true),
  ]);
  const table = await db.createEmptyTable(tableName, schema);
  // Words are cut and stemmed already.
  const asTheyStand = {
    withPosition: true,
    baseTokenizer: "whitespace",
    maxTokenLength: 256,
    lowercase: false,
    stem: false,
    removeStopWords: false,
    asciiFolding: false,
  } as const;
  for (const column of ["title", "words"]) await table.createIndex(column, { config: lance.Index.fts(asTheyStand) });
  return table;
}

/** Whether most rows are in no index yet: a table that is being made is not looked through for every document that comes. */
export async function isMostlyOutside(table: Table): Promise<boolean> {
  const words = (await table.listIndices()).find(({ columns }) => columns.includes("words"));
  return (words?.numUnindexedRows ?? 0) > outside * (words?.numIndexedRows ?? 0);
}

/**
 * Indexes to be made: those that are missing, and one of vectors whose partitions were laid for less than half of them;
 * undefined where every row is in every index.
 */
export async function staleIndexes(table: Table, width: number): Promise<readonly Wish[] | undefined> {
  const indexes = await table.listIndices();
  const columns = new Set(
    indexes
      .filter(({ columns, numIndexedRows = 0, numUnindexedRows = 0 }) => {
        return !columns.includes("vector") || numUnindexedRows < numIndexedRows;
      })
      .flatMap((one) => one.columns),
  );
  const stale = (await wishes(table, width)).filter(([column]) => !columns.has(column));
  return stale.length === 0 && indexes.every(({ numUnindexedRows = 0 }) => numUnindexedRows === 0) ? undefined : stale;
}

type Wish = readonly [column: string, config: (Index: typeof IndexType) => IndexType];

/** What makes searches fast. */
async function wishes(table: Table, width: number): Promise<Wish[]> {
  const many = width > 0 && (await table.countRows("passages > 0")) >= approximateFrom;
  return [
    ["id", (Index) => Index.btree()],
    ["place", (Index) => Index.bitmap()],
    ["date", (Index) => Index.btree()],
    ["labels", (Index) => Index.labelList()],
    ...(many ? [["vector", (Index) => Index.ivfRq({ distanceType: "cosine" })] satisfies Wish] : []),
  ];
}
