/** Measuring models: benchmarks asked of any model, labelled files, pairs, rankings and texts, with one report of all. */
export { type Abilities, type AbilityOptions, askTuned } from "./abilities.ts";
export { type ClassificationOptions, evaluateClassification } from "./classification.ts";
export {
  type Cell,
  type ComparedBenchmark,
  type CompareOptions,
  compareResults,
  type Comparison,
  type Difference,
  type ProtocolDifference,
} from "./compare.ts";
export { comparisonPage } from "./comparison-page.ts";
export { comparisonMarkdown, comparisonText } from "./comparison-text.ts";
export {
  contaminationFigures,
  findOverlaps,
  type Overlap,
  overlapOf,
  type OverlapOptions,
  type OverlapSet,
  type Seen,
} from "./contamination.ts";
export { askDecoder, type AskingOptions } from "./decoders.ts";
export { evaluate, type BenchmarkOptions, type Evaluation } from "./evaluate.ts";
export { evaluateNer } from "./ner.ts";
export { evaluatePerplexity, type PerplexityOptions } from "./perplexity.ts";
export { openForBenchmarks, type OpenedModel, type OpenModelOptions } from "./open.ts";
export { isServer } from "./openai-server.ts";
export { openPerplexityText, type PerplexityText, type PerplexityTextOptions } from "./perplexity-text.ts";
export { describeReport } from "./print.ts";
export { modelFingerprint } from "../io/fingerprint.ts";
export { type QuantizationLoss, quantizationLoss, type QuantizationOptions } from "./quantization.ts";
export { type ExampleRecord, readRecords, recordsOf, writeRecords } from "./records.ts";
export { type BenchmarkResult, readResults, type Results, scoredIn } from "./results.ts";
export { evaluateRetrieval, type RetrievalOptions } from "./retrieval.ts";
export { evaluateSimilarity, type Negatives, type SimilarityOptions } from "./similarity.ts";
export { askRemote } from "./remote.ts";
export { type Preceded, type ShotOptions, withShots } from "./shots.ts";
export { seenIn, type SeenTexts, writeSeen } from "./seen.ts";
export type { ScorerSet, ScorerSetOptions } from "./scorer-sets.ts";
export {
  benchmarksOf,
  claimSuite,
  evaluateSuite,
  instructed,
  type SuiteEntry,
  type SuiteOptions,
  type SuiteResult,
} from "./suite.ts";
export { type SuiteLine, suiteLine } from "./suite-line.ts";
export { suites } from "./suites.ts";
export type { WayName } from "./ways.ts";
export type { WindowOptions, WindowProgress } from "./windows.ts";
