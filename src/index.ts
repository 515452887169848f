/** Galen's front door: everything that most programs need. The rest has subpaths of its own (see package.json). */
export { type DType, tensor, type Tensor } from "./tensor/tensor.ts";
export * from "./errors.ts";
export type { Generated, GenerateOptions, Piece } from "./generate/index.ts";
export {
  type HiddenStates,
  type LabelledRows,
  loadModel,
  type LoadOptions,
  type Logits,
  type LossAndGradients,
  Model,
} from "./model.ts";
export type { TokenRows } from "./runtime/batch.ts";
export { quickstart, type QuickstartEvent, type QuickstartOptions, type QuickstartResult } from "./quickstart.ts";
export { checkNewFile, checkSeparate } from "./io/outputs.ts";
export {
  hubSourceOf,
  type HubProgress,
  pullModel,
  type Pulled,
  type PullOptions,
  resolveModel,
  type ResolveOptions,
} from "./hub/index.ts";
export { loadTokenizer, saveTokenizer } from "./tokenizers/files.ts";
export type { DecodeOptions, Encoding, Tokenizer } from "./tokenizers/tokenizer.ts";
export { type Document, readDocuments } from "./corpus/documents.ts";
export { readTexts } from "./corpus/texts.ts";
export { type Config, type RunResult, train, type TrainEvent, type TrainOptions } from "./train/index.ts";
export { configure, type ConfigureOptions, type Recipe, recipeOf, recipes } from "./recipes/index.ts";
export { askTuned, describeReport, evaluate } from "./eval/index.ts";
export type { Report } from "./metrics/index.ts";
export {
  answerTexts,
  openTuned,
  predict,
  type Prediction,
  type PredictOptions,
  type TunedModel,
} from "./soft-prompts/index.ts";
export {
  type CountedRelation,
  extract,
  extractDocuments,
  type ExtractOptions,
  type ExtractProgress,
  type ExtractResult,
  type ExtractRunOptions,
  type ExtractSummary,
  type Mention,
  type Triple,
  writeRelations,
  writeReview,
} from "./extract/index.ts";
export {
  type Classified,
  type ClassifiedText,
  type Classifier,
  classifyTexts,
  loadClassifier,
  loadTagger,
  type TaggedText,
  type Tagger,
  tagTexts,
} from "./labellers.ts";
export { type LikelihoodOptions, type Likelihoods, loadLikelihoods } from "./likelihoods.ts";
export { loadRewardModel, type RewardModel, type RewardModelOptions } from "./rewards.ts";
export { convertModel, type ConvertOptions, type Converted } from "./convert.ts";
export { quantizeModel, type Quantized, type QuantizeOptions } from "./quantize.ts";
export { type Exported, exportOnnx, type ExportOptions } from "./export.ts";
export {
  type FeatureExtractor,
  type FeatureOptions,
  type FeaturePooling,
  type FeaturesOfText,
  featuresOfTexts,
  openFeatures,
  type TextFeatures,
} from "./features.ts";
