/** Models tuned with soft prompts: their tasks, and their answers. Training them is `train/objectives/soft-prompt.ts`. */
export { answerTexts } from "./answer.ts";
export { type NamedTask, openTask, readTaskFile } from "./metadata.ts";
export { openTuned, predict, type Prediction, type PredictOptions, type TunedModel } from "./predict.ts";
