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
import { type CorpusDocument, wholeText } from "./corpus-document.ts";
import { readDataset } from "./dataset.ts";
import { isDocumentDataset, readDocumentDataset, readDocumentsManifest } from "./document-dataset.ts";
import { describeFailure, nothingRead } from "./failures.ts";
import { readObjects } from "./jsonl.ts";
import { isPubMedName, parseBlock, readBlocks } from "./pubmed/reader.ts";
import type { Deletion, PubMedRecord, ReadFailure } from "./pubmed/record.ts";
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

/** What is made of each thing that an input holds; text says what is wrong with it. */
export interface Forms<T> {
  /** Fields of a record that are needed. */
  readonly fields: readonly (keyof PubMedRecord)[];
  record(record: PubMedRecord, source: string): T | string;
  /** A record that NLM withdrew; without it they are passed over. */
  deletion?(deletion: Deletion, source: string): T;
  /** A JSON line, or a row of a table. */
  object(value: Readonly<Record<string, unknown>>, source: string, line: number): T | string;
  /** A file of plain text. */
  text(text: string, source: string): T;
}

type Read<T> = { readonly value: T } | { readonly failure: ReadFailure };

const jsonName = /\.(jsonl|ndjson)(\.gz|\.zst)?$/;

function isDocumentName(name: string): boolean {
  return isPubMedName(name) || jsonName.test(name) || name.endsWith(".txt");
}

async function* readPubMedFile<T>(file: SourceFile, forms: Forms<T>, signal?: AbortSignal): AsyncGenerator<Read<T>> {
  for await (const part of readBlocks(file, { signal })) {
    if (!("ranges" in part)) {
      yield { failure: part };
      continue;
    }
    for (const event of parseBlock(part, file.name)) {
      if (event.kind === "failure") yield event;
      else if (event.kind === "deletions") {
        if (forms.deletion === undefined) continue;
        for (const deletion of event.deletions) yield { value: forms.deletion(deletion, file.name) };
      } else {
        const value = forms.record(event.record, file.name);
        if (typeof value !== "string") yield { value };
        else yield { failure: { source: file.name, offset: event.offset, line: null, message: value } };
      }
    }
  }
}

async function* readObjectFile<T>(file: SourceFile, forms: Forms<T>, reading: Reading): AsyncGenerator<Read<T>> {
  for await (const event of readObjects(file, reading)) {
    if (event.kind === "failure") {
      yield event;
      continue;
    }
    const value = forms.object(event.value, file.name, event.line);
    if (typeof value !== "string") yield { value };
    else {
      const message = isTable(file.path) ? `${value}: ${columnHint(event.value)}` : value;
      yield { failure: { source: file.name, offset: null, line: event.line, message } };
    }
  }
}

async function* readTextFile<T>(file: SourceFile, forms: Forms<T>): AsyncGenerator<Read<T>> {
  const failure = { source: file.name, offset: null, line: null };
  // A character takes a byte or more, and three at most.
  let message = file.bytes > 3 * textLimit ? lengthProblem("text", Math.ceil(file.bytes / 3)) : undefined;
  const bytes = message === undefined ? await readFile(file.path) : Buffer.alloc(0);
  if (!isUtf8(bytes)) message = "expected UTF-8, got other bytes";
  const text = message === undefined ? bytes.toString("utf8").replace(/^\uFEFF/, "") : "";
  message ??= lengthProblem("text", text.length);
  if (message === undefined) yield { value: forms.text(text, file.name) };
  else yield { failure: { ...failure, message } };
}

/** A corpus document's fields under the names that JSON lines have. */
function asObject(document: CorpusDocument): Record<string, unknown> {
  const { id, sections: _, metadata, ...fields } = document;
  // PubMed's records have bare numbers everywhere else.
  return { ...metadata, ...fields, id: id.replace(/^pmid:/, ""), text: wholeText({ ...document, title: "" }) };
}

async function* readDatasetFolder<T>(folder: string, forms: Forms<T>): AsyncGenerator<Read<T>> {
  const source = basename(folder);
  if (await isDocumentDataset(folder)) {
    let line = 0;
    for await (const document of readDocumentDataset(folder)) {
      const value = forms.object(asObject(document), source, ++line);
      if (typeof value !== "string") yield { value };
      else yield { failure: { source, offset: null, line: null, message: `${document.id}: ${value}` } };
    }
    return;
  }
  for await (const record of readDataset(folder, { columns: forms.fields })) {
    const value = forms.record(record as PubMedRecord, source);
    if (typeof value !== "string") yield { value };
    else yield { failure: { source, offset: null, line: null, message: `${record.pmid}: ${value}` } };
  }
}

function readFileOf<T>(file: SourceFile, forms: Forms<T>, reading: Reading): AsyncGenerator<Read<T>> {
  const name = file.path.toLowerCase();
  if (jsonName.test(name) || isTable(name)) return readObjectFile(file, forms, reading);
  if (name.endsWith(".txt")) return readTextFile(file, forms);
  if (isPubMedName(name)) return readPubMedFile(file, forms, reading.signal);
  throw new DataError(
    `${file.path}: expected .xml, .jsonl, .csv, .tsv (each with .gz or without), .parquet or .txt, got another name`,
  );
}

async function* readInput<T>(input: string, forms: Forms<T>, reading: Reading): AsyncGenerator<Read<T>> {
  if (input === stdin) {
    yield* readObjectFile({ path: stdin, name: nameOf(stdin), bytes: 0 }, forms, reading);
    return;
  }
  const isFolder = (await stat(input).catch(() => undefined))?.isDirectory() === true;
  if (isFolder && existsSync(join(input, "manifest.json"))) {
    yield* readDatasetFolder(input, forms);
    return;
  }
  for (const file of await listSources([input], isDocumentName, ".xml, .jsonl or .txt files")) {
    reading.signal?.throwIfAborted();
    yield* readFileOf(file, forms, reading);
  }
}

/**
 * Whatever inputs hold, made into one form, in the order given.
 * @throws DataError as `readDocuments`.
 */
export async function* readInputs<T>(
  paths: readonly string[],
  forms: Forms<T>,
  { onFailure, ...reading }: Omit<ReadDocumentsOptions, "limit"> = {},
): AsyncGenerator<T> {
  let count = 0;
  let first: ReadFailure | undefined;
  for (const path of paths) {
    for await (const event of readInput(path, forms, reading)) {
      if ("value" in event) {
        count += 1;
        yield event.value;
        continue;
      }
      if (onFailure === undefined) throw new DataError(describeFailure(event.failure));
      first ??= event.failure;
      onFailure(event.failure);
    }
  }
  if (count === 0) throw nothingRead(paths, "documents", first);
}

const documentForms: Forms<Document> = {
  fields: ["pmid", "title", "abstract"],
  record({ pmid, title, abstract }, source) {
    const tooLong = lengthProblem("abstract", abstract.length) ?? lengthProblem("title", title.length);
    return tooLong ?? { id: String(pmid), title, text: abstract, source };
  },
  object(value, source, line) {
    const fields = fieldsOf(value);
    if (typeof fields === "string") return fields;
    const { id = `${source}:${line}`, title, text } = fields;
    return { id, title, text, source };
  },
  text: (text, source) => ({ id: source, title: "", text, source }),
};

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
  yield* take(readInputs(paths, documentForms, options), limit);
}

/**
 * Clinical notes that nobody has de-identified are not for training: models repeat what they have read.
 * @throws DataError for a dataset folder that holds some.
 */
export async function refuseBareNotes(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (path === stdin || !existsSync(join(path, "manifest.json")) || !(await isDocumentDataset(path))) continue;
    const { notes, deidentified } = await readDocumentsManifest(path);
    if (notes <= deidentified) continue;
    throw new DataError(
      `${path}: expected clinical notes to be de-identified, got ${notes - deidentified} that are not`,
      {
        hint: 'make the dataset by a pipeline with the stage "deidentify": galen corpus run corpus.yaml --output DIR',
      },
    );
  }
}

export { describeFailure } from "./failures.ts";
