/** Reading literature and texts, from PubMed XML, datasets in Parquet, JSON lines and plain text, and what is made of them. */
export {
  type Judged,
  type Placed,
  type Preference,
  type Prompt,
  readExchanges,
  readJudged,
  readPreferences,
  readPrompts,
} from "./conversations.ts";
export { datasetFormat, type DatasetManifest, readDataset, readManifest } from "./dataset.ts";
export { describeFailure, type Document, readDocuments, type ReadDocumentsOptions } from "./documents.ts";
export { indexNgrams, leastWords, type NgramIndex, type SharedRun } from "./ngram-index.ts";
export { type CorpusDocument, type CorpusSection, type SectionKind, wholeText } from "./corpus-document.ts";
export { type DocumentsManifest, readDocumentDataset, readDocumentsManifest } from "./document-dataset.ts";
export { readSources, type ReadSourcesOptions } from "./sources/open.ts";
export type { SourceEvent } from "./sources/kind.ts";
export { isAllPubMed } from "./sources/recognise.ts";
export type { Compression } from "./parquet-codec.ts";
export { type PubMedFilters, readFilterFolder, readFilterList } from "./pubmed/filter.ts";
export { importPubMed, type ImportProgress, type ImportPubMedOptions } from "./pubmed/import.ts";
export { type PubMedReaderEvent, readPubMed, type ReadPubMedOptions } from "./pubmed/reader.ts";
export type { Deletion, PubMedRecord, ReadFailure } from "./pubmed/record.ts";
export { type TextRow, titleAndText } from "./text.ts";
export { readTexts, type ReadTextsOptions } from "./texts.ts";
export {
  type ExtendedFromDocuments,
  extendFromDocuments,
  type ExtendFromDocumentsOptions,
} from "./extend-tokenizer.ts";
export type { Change, ExtensionReport, TextFigures } from "./extension-report.ts";
export { learnTokenizer, type LearnTokenizerOptions } from "./learn-tokenizer.ts";
export { openTokens, type TokenFile, writeTokens } from "./token-files.ts";
export {
  buildTokenFiles,
  tokenizeDocuments,
  type TokenizedDocuments,
  type TokenManifest,
  type TokenizeOptions,
  type TokenizeProgress,
} from "./tokenize.ts";
export { writeJsonLines } from "../io/json.ts";
export { inWindows, type Items, keepFirst, mapWindows, reopened, type StreamOptions, take } from "../io/streams.ts";
