/**
 * What an index of literature holds and gives, whatever keeps it. Every offset, of passages, highlights and citations
 * alike, counts UTF-16 units of a document's `text`, so that a quotation is `text.slice(start, end)` everywhere.
 */

/** Title, section of an abstract, or paragraph of a full text: a range of `text`. */
export interface Section {
  /** "TITLE", the section's own label ("METHODS"), or null. */
  readonly label: string | null;
  readonly start: number;
  readonly end: number;
}

/** A document as it lies in an index. */
export interface IndexedDocument {
  /** PMID, or the document's own identifier. */
  readonly id: string;
  readonly title: string;
  /** Title and sections, a blank line between each. */
  readonly text: string;
  /** In order, without overlap; the first is the title where there is one. */
  readonly sections: readonly Section[];
  /** Partial ISO: "2015", "2015-03", "2015-03-07". */
  readonly date: string | null;
  readonly year: number | null;
  /** Publication types: "Randomized Controlled Trial". */
  readonly types: readonly string[];
  readonly journal: string | null;
  /** ISO abbreviation of the journal, as citations have it. */
  readonly journalAbbreviation: string | null;
  readonly volume: string | null;
  readonly issue: string | null;
  readonly pages: string | null;
  /** "Last F", as PubMed lists them. */
  readonly authors: readonly string[];
  /** Names of descriptors, without qualifiers. */
  readonly mesh: readonly string[];
  readonly keywords: readonly string[];
  /** As the record has it: "eng". */
  readonly language: string | null;
  readonly doi: string | null;
  readonly pmcid: string | null;
  /** A retraction notice names it, or its own type is "Retracted Publication". */
  readonly retracted: boolean;
  /** Name of the file or dataset that it came from. */
  readonly source: string;
  /** Other fields of a JSON line or row: strings, numbers, booleans. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** What a search goes by: words (BM25), vectors, or both, fused by reciprocal rank. */
export type SearchMode = "text" | "dense" | "hybrid";

/** All must hold; of several values in a list, one. Names compare without case. */
export interface Filters {
  /** First and last year, either open. */
  readonly years?: readonly [first: number | null, last: number | null] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly journals?: readonly string[] | undefined;
  readonly mesh?: readonly string[] | undefined;
  readonly languages?: readonly string[] | undefined;
  readonly sources?: readonly string[] | undefined;
  /** false: without retracted documents; true: these alone. Default: both, marked. */
  readonly retracted?: boolean | undefined;
  /** Of `fields`. */
  readonly fields?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export interface SearchOptions {
  /** Default: hybrid where the index has vectors, else text. */
  readonly mode?: SearchMode | undefined;
  /** Default 10. */
  readonly limit?: number | undefined;
  /** Hits to pass over. Default 0. */
  readonly offset?: number | undefined;
  readonly filters?: Filters | undefined;
  /** Orders the first hits again by the reranker that the index was opened with. Default: where there is one. */
  readonly rerank?: boolean | undefined;
  /** Counts values among the documents that match (of the first 1,000). Default false. */
  readonly facets?: boolean | undefined;
  /** Counts what matches, which takes longer the more there is. Default true. */
  readonly total?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A document that was found, at its best passage. */
export interface Hit {
  readonly id: string;
  /** Higher is better; comparable within one search alone. */
  readonly score: number;
  readonly title: string;
  /** The best passage, `text.slice(start, end)` of the document. */
  readonly passage: string;
  readonly start: number;
  readonly end: number;
  /** Ranges of the document within the title and the passage where words of the query stand. */
  readonly highlights: readonly (readonly [start: number, end: number])[];
  readonly year: number | null;
  readonly journal: string | null;
  readonly types: readonly string[];
  readonly authors: readonly string[];
  readonly retracted: boolean;
  /** Places from 1 in each list that it was fused from, and the reranker's score. */
  readonly ranks: {
    readonly text?: number | undefined;
    readonly dense?: number | undefined;
    readonly rerank?: number | undefined;
  };
}

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

/** Most frequent first; years in order. */
export interface Facets {
  readonly years: readonly FacetValue[];
  readonly types: readonly FacetValue[];
  readonly journals: readonly FacetValue[];
  readonly mesh: readonly FacetValue[];
  readonly languages: readonly FacetValue[];
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** Documents that match the words and filters; null where they were not asked for, or the search is dense: everything matches somewhat. */
  readonly total: number | null;
  readonly mode: SearchMode;
  /** The query as it was understood, spelled out. */
  readonly understood: string;
  /** What the user should know: a part that was not understood, no vectors, retracted documents among the hits. */
  readonly notes: readonly string[];
  readonly facets?: Facets | undefined;
}

/** An index that is open for reading; documents that others add are seen from the next call on. */
export interface SearchIndex extends AsyncDisposable {
  readonly folder: string;
  /** Documents now. */
  count(): Promise<number>;
  /** Whether passages have vectors, so that dense and hybrid searches can be made. */
  readonly dense: boolean;
  /** @throws UsageError for a query that is wrong, such as a parenthesis that is not closed: with its place. */
  search(query: string, options?: SearchOptions): Promise<SearchResult>;
  /** Documents like one of the index, itself left out. @throws DataError where there is none with this id. */
  similar(id: string, options?: SearchOptions): Promise<SearchResult>;
  /** In the order of `ids`; undefined where there is none. */
  documents(ids: readonly string[]): Promise<(IndexedDocument | undefined)[]>;
  /** Every document, in no promised order. */
  all(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<IndexedDocument>;
  /**
   * Vectors of texts by the index's own model, normalised.
   * @throws ConfigError where the index has none.
   */
  embed(role: "query" | "document", texts: readonly string[]): Promise<Float32Array[]>;
  /** Scores of pairs by the reranker that the index was opened with; undefined without one. */
  readonly rerank: ((query: string, texts: readonly string[]) => Promise<Float64Array>) | undefined;
}
