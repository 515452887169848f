/**
 * What keeps an index's documents, words and vectors. Two keep this promise: LanceDB on disk (`lance.ts`) and an exact one
 * in TypeScript (`exact.ts`), for small sets, browsers and tests. Search knows neither by name.
 */
import type { Filters, IndexedDocument } from "./types.ts";

/** A part of a document that is found by itself: its words and its vector. */
export interface Passage {
  readonly start: number;
  readonly end: number;
  /** Of unit length; absent where the index has no model. */
  readonly vector?: Float32Array | undefined;
}

export interface StoredDocument {
  readonly document: IndexedDocument;
  readonly passages: readonly Passage[];
}

/** Whose words are looked at: all of the text, the title, or what is not the title. */
export type WordField = "text" | "title" | "abstract";
/** Whose values are compared, without case. "author" also by its beginning: "smith" and "smith j" are "Smith JA". */
export type ValueField = "id" | "type" | "journal" | "mesh" | "keyword" | "language" | "author" | "doi" | "source";

/** What a document meets or does not; what a query comes to once it is understood. */
export type Condition =
  | { readonly kind: "everything" }
  /** These words beside one another in this order, as the index cuts texts into words; the last may be a beginning. */
  | { readonly kind: "words"; readonly field: WordField; readonly words: readonly string[]; readonly prefix: boolean }
  | { readonly kind: "value"; readonly field: ValueField; readonly value: string; readonly prefix: boolean }
  /** Publication dates, partial ISO, both inclusive: "2019" takes in all of 2019. */
  | { readonly kind: "dates"; readonly first: string | null; readonly last: string | null }
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

export interface Wanted {
  readonly condition: Condition;
  readonly filters?: Filters | undefined;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** A document that was found; best first, ties by ascending id. */
export interface Found {
  readonly id: string;
  readonly score: number;
  /** The passage that it was found by; absent: whichever has most of the words, which takes its text to say. */
  readonly passage?: Pick<Passage, "start" | "end"> | undefined;
}

/** Reading: each call sees what is committed when it begins. */
export interface Store extends AsyncDisposable {
  count(): Promise<number>;
  /** Documents that meet a condition, by BM25 of these words among them (k1 and b as Lucene's, words stemmed or not alike in both stores). */
  byWords(words: readonly string[], wanted: Wanted): Promise<Found[]>;
  /** Documents that meet a condition, by the cosine of their passages with a vector. */
  byVector(vector: Float32Array, wanted: Wanted): Promise<Found[]>;
  /** How many documents meet a condition, and the ids of the first `limit`, newest first. */
  matching(wanted: Wanted): Promise<{ readonly total: number; readonly ids: readonly string[] }>;
  /** @param vectors false: those of passages may be left out, which is faster. */
  get(ids: readonly string[], vectors?: boolean): Promise<(StoredDocument | undefined)[]>;
  /** In no promised order. */
  all(signal?: AbortSignal): AsyncGenerator<StoredDocument>;
}

/** One writer at a time; every call is whole or not at all once the process is killed. */
export interface StoreWriter extends Store {
  /** Adds documents; those that are there under their id are replaced. */
  put(documents: readonly StoredDocument[]): Promise<void>;
  /** @returns how many there were. */
  delete(ids: readonly string[]): Promise<number>;
  /**
   * After the last change: builds what makes searches fast, and gives room back; nothing where all is in order. Until then a
   * store may not find a new document by words that no other has.
   */
  optimise(onProgress?: (text: string) => void): Promise<void>;
}
