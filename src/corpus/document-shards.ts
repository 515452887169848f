/**
 * Corpus documents as Parquet: one column a field, sections as a list of structures, `metadata` as JSON. Python's `datasets`,
 * DuckDB and pandas read the files as they stand; this file writes them and reads them back, a row group at a time.
 */
import { type FileHandle, open } from "node:fs/promises";
import { DataError } from "../errors.ts";
import { fileBuffer, readFooter } from "../io/parquet-file.ts";
import type { CorpusDocument, CorpusSection } from "./corpus-document.ts";
import { type Compression, createShard, defaultCompression, encodeGroup, type Shape } from "./parquet-codec.ts";
import { readGroup } from "./parquet-read.ts";

export const documentColumns: { readonly [Field in keyof CorpusDocument]: Shape } = {
  id: "string",
  source: "string",
  kind: "string",
  title: "text",
  sections: [{ title: "string", kind: "string", text: "text" }],
  date: "string",
  language: "string",
  licence: "string",
  metadata: "text",
};

/** Characters in a row group: what is in memory at a time, a few times over. */
export const groupCharacters: number = 8 << 20;

/** Characters of all that a document says. */
export function charactersOf({ title, sections }: Pick<CorpusDocument, "title" | "sections">): number {
  let sum = title.length;
  for (const section of sections) sum += section.title.length + section.text.length;
  return sum;
}

export interface DocumentWriter {
  readonly documents: number;
  readonly bytes: number;
  add(documents: readonly CorpusDocument[]): Promise<void>;
  finish(): Promise<void>;
}

/** Writes documents to an open, empty file, which the caller closes; the bytes depend on the documents alone. */
export async function writeDocuments(
  handle: FileHandle,
  createdBy: string,
  compression: Compression = defaultCompression,
): Promise<DocumentWriter> {
  const shard = await createShard(handle, documentColumns, compression, createdBy);
  let waiting: CorpusDocument[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const rows = waiting.map((document) => ({ ...document, metadata: JSON.stringify(document.metadata) }));
    await shard.append(encodeGroup(rows, documentColumns, compression));
    [waiting, characters] = [[], 0];
  };
  return {
    get documents() {
      return shard.rows + waiting.length;
    },
    get bytes() {
      return shard.bytes;
    },
    async add(documents) {
      for (const document of documents) {
        waiting.push(document);
        characters += charactersOf(document);
        if (characters >= groupCharacters) await flush();
      }
    },
    async finish() {
      await flush();
      await shard.finish();
    },
  };
}

const fields = Object.keys(documentColumns) as (keyof CorpusDocument)[];

/**
 * The documents of a file, a row group at a time; with `only`, those fields, and the others are empty.
 * @throws DataError where the file is damaged or has other columns.
 */
export async function* readDocumentGroups(
  path: string,
  only: readonly (keyof CorpusDocument)[] = fields,
): AsyncGenerator<CorpusDocument[]> {
  const handle = await open(path, "r").catch((cause: Error) => {
    throw new DataError(`${path}: expected a file of documents, got ${cause.message}`, { cause });
  });
  try {
    const file = fileBuffer(handle, (await handle.stat()).size);
    const footer = await readFooter(file);
    for (let group = 0; group < footer.metadata.row_groups.length; group++) {
      yield (await readGroup(file, footer, group, documentColumns, only)).map(documentOf);
    }
  } catch (cause) {
    if (!(cause instanceof DataError) || cause.message.startsWith(path)) throw cause;
    throw new DataError(`${path}: ${cause.message.split("\nHint: ")[0]}`, { cause, hint: cause.hint });
  } finally {
    await handle.close();
  }
}

const noFields = { id: "", source: "", kind: "", title: "", date: null, language: null, licence: null } as const;

function documentOf(row: Record<string, unknown>): CorpusDocument {
  const { metadata = "{}" } = row;
  let fields: CorpusDocument["metadata"];
  try {
    fields = JSON.parse(metadata as string) as CorpusDocument["metadata"];
  } catch (cause) {
    throw new DataError(`expected JSON in the column metadata, got ${String(metadata).slice(0, 40)}`, { cause });
  }
  return {
    ...noFields,
    ...(row as unknown as CorpusDocument),
    sections: (row["sections"] ?? []) as CorpusSection[],
    metadata: fields,
  };
}
