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
}

export interface OpenStage {
  /** One outcome a document, in order. */
  run(documents: readonly CorpusDocument[]): readonly Outcome[] | Promise<readonly Outcome[]>;
  close?(): Promise<void>;
}

interface Common<Settings> {
  readonly name: string;
  readonly about: string;
  /** Increased when the same settings give another result, so that finished work is done again. */
  readonly version: number;
  readonly settings: z.ZodType<Settings>;
  /** Paths that settings name, relative to the pipeline's folder: when these files change, work is done again. */
  files?(settings: Settings): readonly string[];
  /** Kinds of documents that it is for, where the pipeline does not say; absent: all. */
  readonly kinds?: readonly string[];
}

/** A stage that looks at documents one by one. */
export interface MapStage<Settings> extends Common<Settings> {
  /** Whether it may change documents; one that only drops some writes none. */
  readonly rewrites: boolean;
  open(settings: Settings, context: StageContext): Promise<OpenStage> | OpenStage;
}

/** A document, or a part of it, among those with the same key. */
export interface Member {
  /** Which shard, and which document of it: the corpus's order. */
  readonly shard: number;
  readonly row: number;
  /** As `keys` gave it. */
  readonly part: number;
}

/** Who loses among members with the same key, and against whom; both are places in the group. */
export type Losses = Iterable<readonly [loser: number, winner: number | undefined]>;

export interface OpenKeyedStage {
  /** Calls `emit` with 128 bits for each thing that must not be the same elsewhere, and a number below 2^32 for it. */
  keys(document: CorpusDocument, emit: (key: ArrayLike<number>, part: number) => void): void;
  /** As `keys`, for the identifier of a document that its publisher withdrew. */
  withdrawn?(id: string, emit: (key: ArrayLike<number>, part: number) => void): void;
  /** What becomes of a document whose `parts` lost, against another or not; by default it is dropped. */
  apply?(document: CorpusDocument, parts: readonly number[], beaten: boolean): Outcome;
}

/**
 * A stage that finds what stands in several documents: by keys of 128 bits, sorted on disk, so that no machine's memory is the
 * limit. `join`: "linked" makes one cluster of all documents that share any key, one through another, of which the first stays;
 * otherwise members of each key are judged by themselves.
 */
export interface KeyedStage<Settings> extends Common<Settings> {
  readonly rewrites: boolean;
  readonly join: "linked" | ((group: readonly Member[]) => Losses);
  /** The rule by which losers are dropped. */
  readonly rule: string;
  /** Fields that `keys` looks at; absent: all. */
  readonly reads?: readonly (keyof CorpusDocument)[];
  open(settings: Settings, context: StageContext): Promise<OpenKeyedStage> | OpenKeyedStage;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a list of stages holds settings of every kind
export type AnyStage = MapStage<any> | KeyedStage<any>;

export function isKeyed(stage: AnyStage): stage is Extract<AnyStage, { join: unknown }> {
  return "join" in stage;
}

/** One outcome a document, of a function that looks at one. */
export function eachDocument(judge: (document: CorpusDocument) => Outcome): OpenStage {
  return { run: (documents) => documents.map(judge) };
}

/** All but the first lose against it. */
export function firstStays(group: readonly Member[]): Losses {
  return group.slice(1).map((_, i) => [i + 1, 0] as const);
}
