/** Training: one program, its objectives, settings, schedules and optimisers. */
export * from "../nn/losses.ts";
export { type Arena, createArena } from "./arena.ts";
export { growModel, type GrowOptions } from "./grow.ts";
export { type RowStart, rowStarts } from "./objectives/new-rows.ts";
export { listCheckpoints } from "./checkpoint.ts";
export { type Config, type Setting, settingsOf, withSettings } from "./config.ts";
export { checkOutput, type RunResult, type TrainEvent } from "./loop.ts";
export { type ObjectiveSettings, openObjective } from "./objectives/index.ts";
export { causalBatch } from "./objectives/causal.ts";
export { labelsOfBlock, maskedBatch } from "./objectives/masked.ts";
export {
  type Masked,
  maskingVocabulary,
  type MaskingOptions,
  type MaskingVocabulary,
  maskRow,
} from "./objectives/masking.ts";
export { followMetrics, type MetricPoint, type Metrics, type MetricsPart, readMetrics } from "./metrics-log.ts";
export type { Batch, Inputs, Objective } from "./objectives/objective.ts";
export type { SampledAnswer } from "./objectives/reward-rules.ts";
export type { RewardFunction } from "./objectives/rewards.ts";
export { accumulate, createOptimiser, type Optimiser, type OptimiserConfig, type OptimiserState } from "./optimiser.ts";
export { learningRate, type ScheduleConfig } from "./schedule.ts";
export { train, type TrainOptions } from "./train.ts";
export type { Peers } from "./updater.ts";
