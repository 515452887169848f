/**
 * Any corpus as a stream of documents for training and extraction: PubMed XML, dataset folders, JSONL, tables (.csv, .tsv,
 * .parquet; those in folders must be named) and plain text. A PubMed record's text is its abstract; a JSONL line's or a row's is
 * `text`, else `abstract`; a .txt file is one document.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { DataError } from "../errors.ts";
import { required } from "../schema.ts";
import { stdin } from "../io/bytes.ts";
import { columnHint, type ColumnNames, isTable } from "../io/csv.ts";
import { nameOf } from "../io/lines.ts";
import { take } from "../io/streams.ts";
import { readDataset } from "./dataset.ts";
import { describeFailure, nothingRead } from "./failures.ts";
import { readObjects } from "./jsonl.ts";
import { isPubMedName, parseBlock, readBlocks } from "./pubmed/reader.ts";
import type { ReadFailure } from "./pubmed/record.ts";
import { listSources, type SourceFile } from "./source-files.ts";
import { fieldsOf, lengthProblem, textLimit } from "./text.ts";

export interface Document {
  /** PMID, the line's `id`, or file name and line. */
  readonly id: string;
  readonly title: string;
  readonly text: string;
  /** Name of the file or dataset it comes from. */
  readonly source: string;
}

export interface ReadDocumentsOptions {
  /** The first so many documents only. */
  readonly limit?: number | undefined;
  /** Gets what could not be read; without it the first failure is thrown. */
  readonly onFailure?: ((failure: ReadFailure) => void) | undefined;
  /** Under which names a table (.csv, .tsv) has the fields. */
  readonly columns?: ColumnNames | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Reading = Pick<ReadDocumentsOptions, "columns" | "signal">;

type DocumentEvent = { readonly document: Document } | { readonly failure: ReadFailure };

const jsonName = /\.(jsonl|ndjson)(\.gz|\.zst)?$/;

function isDocumentName(name: string): boolean {
  return isPubMedName(name) || jsonName.test(name) || name.endsWith(".txt");
}

async function* pubmedDocuments(file: SourceFile, signal?: AbortSignal): AsyncGenerator<DocumentEvent> {
  for await (const part of readBlocks(file, { signal })) {
    if (!("ranges" in part)) {
      yield { failure: part };
      continue;
    }
    for (const event of parseBlock(part, file.name)) {
      if (event.kind === "failure") yield event;
      else if (event.kind === "record") {
        const { pmid, title, abstract } = event.record;
        const tooLong = lengthProblem("abstract", abstract.length) ?? lengthProblem("title", title.length);
        if (tooLong === undefined) {
          yield { document: { id: String(pmid), title, text: abstract, source: file.name } };
        } else yield { failure: { source: file.name, offset: event.offset, line: null, message: tooLong } };
      }
    }
  }
}

async function* jsonDocuments(file: SourceFile, reading: Reading): AsyncGenerator<DocumentEvent> {
  for await (const event of readObjects(file, reading)) {
    if (event.kind === "failure") {
      yield event;
      continue;
    }
    const { line, value } = event;
    const fields = fieldsOf(value);
    if (typeof fields === "string") {
      const message = isTable(file.path) ? `${fields}: ${columnHint(value)}` : fields;
      yield { failure: { source: file.name, offset: null, line, message } };
    } else {
      const { id = `${file.name}:${line}`, title, text } = fields;
      yield { document: { id, title, text, source: file.name } };
    }
  }
}

async function* textDocument(file: SourceFile): AsyncGenerator<DocumentEvent> {
  const failure = { source: file.name, offset: null, line: null };
  // A character takes a byte or more, and three at most.
  let message = file.bytes > 3 * textLimit ? lengthProblem("text", Math.ceil(file.bytes / 3)) : undefined;
  const bytes = message === undefined ? await readFile(file.path) : Buffer.alloc(0);
  if (!isUtf8(bytes)) message = "expected UTF-8, got other bytes";
  const text = message === undefined ? bytes.toString("utf8").replace(/^\uFEFF/, "") : "";
  message ??= lengthProblem("text", text.length);
  if (message === undefined) yield { document: { id: file.name, title: "", text, source: file.name } };
  else yield { failure: { ...failure, message } };
}

async function* datasetDocuments(folder: string): AsyncGenerator<DocumentEvent> {
  for await (const { pmid, title, abstract } of readDataset(folder, { columns: ["pmid", "title", "abstract"] })) {
    yield { document: { id: String(pmid), title, text: abstract, source: basename(folder) } };
  }
}

function fileDocuments(file: SourceFile, reading: Reading): AsyncGenerator<DocumentEvent> {
  const name = file.path.toLowerCase();
  if (jsonName.test(name) || isTable(name)) return jsonDocuments(file, reading);
  if (name.endsWith(".txt")) return textDocument(file);
  if (isPubMedName(name)) return pubmedDocuments(file, reading.signal);
  throw new DataError(
    `${file.path}: expected .xml, .jsonl, .csv, .tsv (each with .gz or without), .parquet or .txt, got another name`,
  );
}

async function* inputEvents(input: string, reading: Reading): AsyncGenerator<DocumentEvent> {
  if (input === stdin) {
    yield* jsonDocuments({ path: stdin, name: nameOf(stdin), bytes: 0 }, reading);
    return;
  }
  const isFolder = (await stat(input).catch(() => undefined))?.isDirectory() === true;
  if (isFolder && existsSync(join(input, "manifest.json"))) {
    yield* datasetDocuments(input);
    return;
  }
  for (const file of await listSources([input], isDocumentName, ".xml, .jsonl or .txt files")) {
    reading.signal?.throwIfAborted();
    yield* fileDocuments(file, reading);
  }
}

/**
 * The documents of files, folders and dataset folders, in the order given; "-" is JSON lines on stdin.
 * @throws DataError for an input that does not exist, where there is no document at all, and for the first failure where
 * there is no `onFailure`.
 */
export async function* readDocuments(
  paths: readonly string[],
  { limit = Infinity, ...options }: ReadDocumentsOptions = {},
): AsyncGenerator<Document> {
  required("readDocuments: paths", paths, "list of texts");
  yield* take(documentsOf(paths, options), limit);
}

async function* documentsOf(
  paths: readonly string[],
  { onFailure, ...reading }: ReadDocumentsOptions,
): AsyncGenerator<Document> {
  let count = 0;
  let first: ReadFailure | undefined;
  for (const path of paths) {
    for await (const event of inputEvents(path, reading)) {
      if ("document" in event) {
        count += 1;
        yield event.document;
        continue;
      }
      if (onFailure === undefined) throw new DataError(describeFailure(event.failure));
      first ??= event.failure;
      onFailure(event.failure);
    }
  }
  if (count === 0) throw nothingRead(paths, "documents", first);
}

export { describeFailure } from "./failures.ts";
