/** Literature on disk: indexed, searched, cited. */
export {
  indexDocuments,
  type IndexDocumentsOptions,
  type IndexProgress,
  type IndexSummary,
} from "./index-documents.ts";
export type { StoreKind } from "./open.ts";
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
