/** Curation, indexing and mining planned from rates that were measured on a machine. */
export { type Amount, amountFrom } from "./amount.ts";
export { measureCorpus, type MeasureOptions } from "./measure-corpus.ts";
export { type DocumentJob, measureDocuments } from "./measure-documents.ts";
export { type CorpusPlan, type CorpusPlanOptions, planCorpus, type PlannedStep } from "./plan-corpus.ts";
export { type DocumentPlan, type DocumentPlanOptions, planDocuments } from "./plan-documents.ts";
export { type CorpusRates, type DocumentRates, readCorpusRates, readDocumentRates, writeRates } from "./rates.ts";
export type { Limit } from "./limits.ts";
