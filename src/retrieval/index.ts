/**
 * Embeddings, cross-encoders, late interaction and BM25: reading, running and writing the directories of the field,
 * ranking documents, mining hard negatives.
 */
export { type Bm25, createBm25 } from "./bm25.ts";
export { type Colbert, type ColbertOptions, type EncodeOptions, loadColbert } from "./colbert.ts";
export { saveColbertFolder } from "./colbert-folder.ts";
export type { ColbertFolder, ColbertSettings } from "./colbert-settings.ts";
export {
  type CrossEncoder,
  loadCrossEncoder,
  type PairScores,
  saveCrossEncoder,
  type ScoreActivation,
} from "./cross-encoder.ts";
export {
  cosines,
  type Cosines,
  type EmbeddedText,
  type Embedder,
  type EmbedOptions,
  embedTexts,
  loadEmbedder,
} from "./embedder.ts";
export { createMaxSim, maxSim, type MaxSimScorer, type TokenVectors } from "./max-sim.ts";
export { mineNegatives, type MiningOptions, type MiningProgress, type RandomNegatives } from "./mine.ts";
export type { Pairs } from "./pair-store.ts";
export { ranked, type RerankedList, type RerankOptions, scoreChange, type ScoreChange, scoreLists } from "./rerank.ts";
export { type Comparer, type Encoder, openScorer, type Scorer, type ScorerOptions } from "./scorers.ts";
export { type SentenceFolder } from "./sentence-modules.ts";
export { type SentenceDescription, saveSentenceFolder } from "./sentence-write.ts";
export type { Cut, OnCut } from "../tokenizers/cut.ts";
export type { PromptOptions, TextRole } from "./text-rows.ts";
export { writeVectors } from "./vector-files.ts";
export { changedSources, type Origin, readOrigin, type Sources } from "../io/origin.ts";
export { type ListRequirements, readLists, type ScoredList, writeLists } from "../tasks/lists.ts";
export { streamPairs, streamRows } from "../tasks/pairs.ts";
