/** Curation: sources to a corpus that can be defended, by a pipeline of stages. */
export { importDocuments, type ImportDocumentsOptions, type ImportedDocuments } from "./import-documents.ts";
export { runPipeline, type RunPipelineOptions } from "./run.ts";
export { type CorpusPipeline, type PipelineFile, planPipeline, readPipeline } from "./pipeline.ts";
export {
  type AnyStage,
  eachDocument,
  firstStays,
  type KeyedStage,
  type MapStage,
  type OpenKeyedStage,
  type OpenStage,
  type Outcome,
  type StageContext,
} from "./stage.ts";
export { evaluateDeidentification, type EvaluateDeidentificationOptions } from "./deidentify/evaluate.ts";
export { describeScores, writeScores } from "./deidentify/describe.ts";
export type { DeidentificationScore } from "./deidentify/score.ts";
export { type QualityScore, trainQualityFiles } from "./stages/quality-classifier.ts";
export { stages } from "./stages/list.ts";
export { readSummary, type CorpusSummary } from "./summary.ts";
export { percent } from "./report/html.ts";
export { reportPage, writeReport } from "./report/page.ts";
export { describeUnfinished, WaitingForRanks, type WorkProgress } from "./work/work.ts";
