/** Mining a literature for relations: triples with their places, counts over documents, and a page to review them. */
export {
  type Counts,
  extractDocuments,
  extractTriples,
  type ExtractOptions,
  type ExtractProgress,
  type ExtractResult,
  type Mention,
  type Triple,
} from "./extract.ts";
export { writeReview } from "./review.ts";
export { extract, type ExtractRunOptions, type ExtractSummary } from "./run.ts";
export { type CountedRelation, countRelations, toCsv, toTsv, writeRelations } from "./summary.ts";
