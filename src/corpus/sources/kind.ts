/** What a kind of source is: how it is recognised, and how its documents are read from a stream of bytes. */
import type { CorpusDocument } from "../corpus-document.ts";
import type { ReadFailure } from "../pubmed/record.ts";

/** A file, or a member of an archive, decompressed. */
export interface SourceInput {
  /** As failures name it: "trials.zip/NCT00000102.xml". */
  readonly name: string;
  /** Its bytes, once. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

export type SourceEvent =
  | { readonly kind: "document"; readonly document: CorpusDocument }
  /** A document of this id was withdrawn by its publisher. */
  | { readonly kind: "deletion"; readonly id: string }
  | { readonly kind: "failure"; readonly failure: ReadFailure };

export interface SourceSettings {
  /** Name of the source, for `CorpusDocument.source`. */
  readonly source: string;
  /** Which columns or fields of rows hold what, where their names do not say so. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
}

export interface SourceKind {
  readonly name: string;
  readonly about: string;
  /** Whether a file's first bytes (64 KiB, as text) and its name look like this kind. */
  recognises(head: string, name: string): boolean;
  read(input: SourceInput, settings: SourceSettings): AsyncIterable<SourceEvent>;
}
