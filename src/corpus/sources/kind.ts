/** What a kind of source is: how it is recognised, and how its documents are read from a stream of bytes. */
import type { CorpusDocument } from "../corpus-document.ts";
import type { ReadFailure } from "../pubmed/record.ts";

/** A file, or a member of an archive, decompressed. */
export interface SourceInput {
  /** As failures name it: "trials.zip/NCT00000102.xml". */
  readonly name: string;
  /** What the identifiers of documents begin with that have none of the world's: no other file of the source has it. */
  readonly scope: string;
  /** Its first bytes (up to 64 KiB) as text, which does not use `bytes` up. */
  readonly head: string;
  /** Its bytes, once. They throw where a file is damaged, when all before the damage has come. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Where it lies, of a file that is neither compressed nor in an archive: for formats that are read by ranges. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type SourceEvent =
  | { readonly kind: "document"; readonly document: CorpusDocument }
  /** A document of this id was withdrawn by its publisher. */
  | { readonly kind: "deletion"; readonly id: string }
  | { readonly kind: "failure"; readonly failure: ReadFailure }
  /** A part of a document that is a text of its own, of this type, and was not asked for. */
  | { readonly kind: "left-out"; readonly type: string };

export interface SourceSettings {
  /** Name of the source, for `CorpusDocument.source`. */
  readonly source: string;
  /** Which columns or fields of rows hold what, where their names do not say so. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
  /** Types of an article's sub-articles that are documents too, or "all"; others are left out. */
  readonly subArticles?: readonly string[] | undefined;
}

export interface SourceKind {
  readonly name: string;
  readonly about: string;
  /** Whether a file's first bytes (64 KiB, as text) and its name look like this kind. */
  recognises(head: string, name: string): boolean;
  /** @throws DataError where the rest of the file cannot be read; what the bytes throw; the signal's reason. */
  read(input: SourceInput, settings: SourceSettings): AsyncIterable<SourceEvent>;
}
