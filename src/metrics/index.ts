/** Metrics as they are published, and the sounder figures beside them. */
export * from "./auc.ts";
export * from "./bc5cdr.ts";
export * from "./bootstrap.ts";
export * from "./calibration.ts";
export * from "./classification.ts";
export * from "./correlation.ts";
export * from "./counts.ts";
export * from "./entities.ts";
export * from "./hard-match.ts";
export * from "./krippendorff.ts";
export * from "./labels.ts";
export * from "./paired.ts";
export * from "./parts.ts";
export * from "./proportion.ts";
export * from "./ranking.ts";
export * from "./report.ts";
export * from "./rouge.ts";
