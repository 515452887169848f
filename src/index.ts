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
export { quickstart, type QuickstartOptions, type QuickstartResult } from "./quickstart.ts";
export { loadTokenizer, saveTokenizer } from "./tokenizers/files.ts";
export type { DecodeOptions, Encoding, Tokenizer } from "./tokenizers/tokenizer.ts";
export { type Document, readDocuments } from "./corpus/documents.ts";
export { train, type TrainConfig, type TrainEvent, type TrainOptions, type TrainResult } from "./train/pretrain.ts";
export { recipes } from "./recipes/index.ts";
export { askTuned, describeReport, evaluate, type Report } from "./eval/index.ts";
export {
  finetune,
  type FinetuneEvent,
  type FinetuneOptions,
  type FinetuneResult,
  openTuned,
  predict,
  type Prediction,
  type TunedModel,
} from "./finetune/index.ts";
export {
  extract,
  type ExtractOptions,
  type ExtractResult,
  type Triple,
  writeRelations,
  writeReview,
} from "./extract/index.ts";
export { type Classified, type Classifier, loadClassifier, loadTagger, type Tagger } from "./labellers.ts";
export { type Likelihoods, loadLikelihoods } from "./likelihoods.ts";
export { convertModel, type ConvertOptions, type Converted } from "./convert.ts";
export { openFeatures, type FeatureOptions, type TextFeatures } from "./features.ts";
