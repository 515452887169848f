/** Fine-tuning on tasks, and what tuned models are for: answers and scores. */
export { type FinetuneConfig, finetuneConfig } from "./config.ts";
export { evaluateTask, type EvaluateTaskOptions, type TaskEvaluation } from "./evaluate.ts";
export { finetune, type FinetuneEvent, type FinetuneOptions, type FinetuneResult } from "./finetune.ts";
export { answerTexts, exampleOf } from "../soft-prompts/answer.ts";
export { type NamedTask, openTask, readTaskFile } from "../soft-prompts/metadata.ts";
export { openTuned, predict, type Prediction, type PredictOptions, type TunedModel } from "../soft-prompts/predict.ts";
