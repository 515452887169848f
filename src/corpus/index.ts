/** Reading literature: PubMed XML, datasets in Parquet, JSONL and text. */
export { datasetFormat, type DatasetManifest, readDataset, readManifest } from "./dataset.ts";
export { type Document, readDocuments, type ReadDocumentsOptions } from "./documents.ts";
export { importPubMed, type ImportProgress, type ImportPubMedOptions } from "./pubmed/import.ts";
export { type PubMedFilters, readFilterFolder, readFilterList } from "./pubmed/filter.ts";
export { readPubMed, type ReadPubMedOptions } from "./pubmed/reader.ts";
export type { PubMedRecord, ReadFailure } from "./pubmed/record.ts";
