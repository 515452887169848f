/**
 * Streaming reader of PubMed XML files, `.xml.gz` and folders of them: records, withdrawals and failures in file order,
 * in flat memory. Nothing is deduplicated here; `importPubMed` keeps the newest version of each record.
 */
import { isUtf8 } from "node:buffer";
import { DataError } from "../../errors.ts";
import { readBytes } from "../../io/bytes.ts";
import { parseRecord, type ParsedRecord } from "./parse.ts";
import type { ReadFailure } from "./record.ts";
import { type RecordNames, splitRecords, type RecordBlock, type SplitterOptions } from "../xml/record-splitter.ts";
import { listSources, type SourceFile } from "../source-files.ts";
import { hasAllowedCharacters } from "../xml/scan.ts";

type PubMedEvent = ParsedRecord & { readonly source: string; readonly offset: number };
export type PubMedReaderEvent = PubMedEvent | { readonly kind: "failure"; readonly failure: ReadFailure };

export interface ReadPubMedOptions extends SplitterOptions {
  readonly signal?: AbortSignal | undefined;
}

export const pubmedNames: RecordNames = {
  format: "PubMed",
  records: ["PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument"],
  sets: ["PubmedArticleSet", "PubmedBookArticleSet"],
};

/** Which names in a folder are PubMed XML; `name` is in lower case. */
export function isPubMedName(name: string): boolean {
  return name.endsWith(".xml") || name.endsWith(".xml.gz");
}

export async function listPubMedSources(inputs: readonly string[]): Promise<SourceFile[]> {
  return await listSources(inputs, isPubMedName, ".xml or .xml.gz files");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}

/** The blocks and failures of one file; a stream that breaks (bad gzip) is a failure, what came before it counts. */
export async function* readBlocks(
  file: SourceFile,
  options: ReadPubMedOptions & { onRaw?: (chunk: Uint8Array) => void } = {},
): AsyncGenerator<RecordBlock | ReadFailure> {
  let read = 0;
  let broken: ReadFailure | undefined;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of readBytes(file.path, options)) {
        read += chunk.length;
        yield chunk;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      broken = { source: file.name, offset: read, line: null, message: `cannot be read on: ${messageOf(error)}` };
    }
  }
  for await (const part of splitRecords(chunks(), pubmedNames, options)) {
    // That there are no records says less than why.
    if (broken !== undefined && read === 0) break;
    yield "ranges" in part ? part : { source: file.name, line: null, ...part };
  }
  if (broken !== undefined) yield broken;
}

/** Parses the records of a block; a record that is not UTF-8 or not well-formed is a failure. */
export function* parseBlock(block: RecordBlock, source: string): Generator<PubMedReaderEvent> {
  const { buffer, ranges } = block;
  const valid = isUtf8(buffer);
  const isChecked = valid && hasAllowedCharacters(buffer);
  for (let index = 0; index < ranges.length; index += 2) {
    const start = ranges[index]!;
    const end = ranges[index + 1]!;
    const offset = block.offset + start;
    try {
      if (!valid && !isUtf8(buffer.subarray(start, end))) throw new DataError("expected UTF-8, got other bytes");
      yield { ...parseRecord(buffer.toString("utf8", start, end), isChecked), source, offset };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      yield { kind: "failure", failure: { source, offset, line: null, message: messageOf(error) } };
    }
  }
}

/**
 * Every record, withdrawal and failure of `inputs`, one at a time.
 * @throws DataError where an input does not exist or a folder holds no XML.
 */
export async function* readPubMed(
  inputs: readonly string[],
  options: ReadPubMedOptions = {},
): AsyncGenerator<PubMedReaderEvent> {
  for (const file of await listPubMedSources(inputs)) {
    for await (const part of readBlocks(file, options)) {
      if ("ranges" in part) yield* parseBlock(part, file.name);
      else yield { kind: "failure", failure: part };
    }
  }
}
