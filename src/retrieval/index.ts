/** Embeddings, cross-encoders and late interaction: reading, running and writing the directories of the field. */
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
export { type Embedder, type EmbedOptions, loadEmbedder } from "./embedder.ts";
export { createMaxSim, maxSim, type MaxSimScorer, type TokenVectors } from "./max-sim.ts";
export { type SentenceFolder } from "./sentence-folder.ts";
export { type SentenceDescription, saveSentenceFolder } from "./sentence-write.ts";
