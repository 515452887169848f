/** Model families: networks as functions over a graph, their configurations and named sizes. */
export { type LabelConfig, labelNames, problemOf } from "./classification.ts";
export { bert, bertHash, megatronBert } from "./bert/bert.ts";
export type { BertConfig } from "./bert/config.ts";
export { bioGpt } from "./biogpt/biogpt.ts";
export type { BioGptConfig } from "./biogpt/config.ts";
export { gpt2 } from "./gpt2/gpt2.ts";
export type { Gpt2Config } from "./gpt2/config.ts";
export { llama, mistral, qwen2, qwen3 } from "./llama/llama.ts";
export type { LlamaConfig } from "./llama/config.ts";
export { modernBert } from "./modernbert/modernbert.ts";
export type { ModernBertConfig } from "./modernbert/config.ts";
export {
  architectureOf,
  type AttentionNumbers,
  type CacheShape,
  type Family,
  type ForeignFormat,
  type Head,
  headOf,
  type Labels,
  type ModelConfig,
  type ModelInputs,
  type Role,
} from "./family.ts";
export { configText, families, familyOf, mostTokens } from "./registry.ts";
export { decodingGraph, hiddenGraph, lossGraph, type LossOptions, scoringGraph } from "./graphs.ts";
export { embeddingGraph, type EmbeddingStage } from "./embedding.ts";
