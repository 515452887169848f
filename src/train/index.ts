/** Training: token files, the loop, optimisers, schedules, and settings. */
export { createMaskedSampler, createSampler, labelsOfBlock, type LabelledBatch } from "./batches.ts";
export { listCheckpoints } from "./checkpoint.ts";
export { applySettings, type TrainConfig } from "./config.ts";
export { train, type TrainEvent, type TrainOptions, type TrainResult } from "./pretrain.ts";
export { type Arena, createArena } from "./arena.ts";
export { accumulate, createOptimiser, type Optimiser, type OptimiserConfig, type OptimiserState } from "./optimiser.ts";
export { learningRate, type ScheduleConfig } from "./schedule.ts";
export { openTokens, type TokenFile, writeTokens } from "../corpus/token-files.ts";
export { buildTokenFiles, type TokenManifest } from "../corpus/tokenize.ts";
export { type Masked, maskingVocabulary, type MaskingOptions, type MaskingVocabulary, maskRow } from "./masking.ts";
export { checkOutput } from "./loop.ts";
