/** Literature on disk: indexed, searched, cited. */
export { toBibtex, toRis } from "./citations.ts";
export { formatted, type FormatOptions, type SearchFormat } from "./formats.ts";
export { type ParsedQuery, parseQuery, type QueryOptions } from "./query.ts";
export { languageCodes } from "./query-fields.ts";
export { type IndexOptions, openIndex } from "./search.ts";
export { spell } from "./spell.ts";
export {
  indexDocuments,
  type IndexDocumentsOptions,
  type IndexProgress,
  type IndexSummary,
} from "./index-documents.ts";
export type { StoreKind } from "./manifest.ts";
export type {
  Facets,
  FacetValue,
  Filters,
  Hit,
  IndexedDocument,
  SearchIndex,
  SearchMode,
  SearchOptions,
  SearchResult,
  Section,
} from "./types.ts";
export type { Condition, Found, Passage, Store, StoredDocument, StoreWriter } from "./store.ts";
export { writeHits } from "./write-hits.ts";
