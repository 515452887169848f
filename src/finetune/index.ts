/** Fine-tuning on tasks, and the answers of tuned models. */
export { type FinetuneConfig, finetuneConfig } from "./config.ts";
export { finetune, type FinetuneEvent, type FinetuneOptions, type FinetuneResult } from "./finetune.ts";
export { answerTexts } from "../soft-prompts/answer.ts";
export { type NamedTask, openTask, readTaskFile } from "../soft-prompts/metadata.ts";
export { openTuned, predict, type Prediction, type PredictOptions, type TunedModel } from "../soft-prompts/predict.ts";
