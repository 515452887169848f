/**
 * What a stage of curation is. A stage sees documents, a part of a shard at a time, and says of each whether it is kept, by which
 * rule it is dropped, and what was changed in it. It holds nothing from one call to the next, so that shards can be done anywhere
 * and in any order; what needs all documents (duplicates) is a `KeyedStage`.
 */
import type * as z from "zod";
import type { CorpusDocument } from "../corpus/corpus-document.ts";

/** What became of a document. */
export type Outcome =
  | {
      readonly keep: true;
      /** The document as it is now; absent where nothing changed. */
      readonly document?: CorpusDocument;
      /** How often each rule changed something: { "hyphenation": 3 }. */
      readonly changes?: Readonly<Record<string, number>>;
    }
  | {
      readonly keep: false;
      /** "gopher-few-words". */
      readonly rule: string;
      /** What was measured, and the limit: "37 words, at least 50". */
      readonly detail?: string;
    };

export interface StageContext {
  /** Folder that paths of the settings are relative to. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenStage {
  /** One outcome a document, in order. */
  run(documents: readonly CorpusDocument[]): readonly Outcome[] | Promise<readonly Outcome[]>;
  close?(): Promise<void>;
}

export interface MapStage<Settings> {
  readonly name: string;
  readonly about: string;
  /** Increased when the same settings give another result, so that finished work is done again. */
  readonly version: number;
  readonly settings: z.ZodType<Settings>;
  open(settings: Settings, context: StageContext): Promise<OpenStage> | OpenStage;
}
