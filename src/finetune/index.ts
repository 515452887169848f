/** Fine-tuning on tasks, and what tuned models are for: answers and scores. */
import { DataError } from "../errors.ts";
import type { Example, Task } from "../tasks/task.ts";

export { type FinetuneConfig, finetuneConfig } from "./config.ts";
export { evaluateTask, type EvaluateTaskOptions, type TaskEvaluation } from "./evaluate.ts";
export { finetune, type FinetuneEvent, type FinetuneOptions, type FinetuneResult } from "./finetune.ts";
export { type NamedTask, openTask, readTaskFile } from "../soft-prompts/metadata.ts";
export { openTuned, predict, type Prediction, type PredictOptions, type TunedModel } from "../soft-prompts/predict.ts";

/**
 * An example from a text alone, to be answered. Question answering takes "question<TAB>context".
 * @throws DataError where a question has no context.
 */
export function exampleOf(task: Pick<Task, "name">, id: string, text: string): Example {
  if (!task.name.startsWith("pubmedqa")) return { id, text: text.trim(), gold: [] };
  const [question, context, ...rest] = text.split("\t");
  if (question === undefined || context === undefined || rest.length > 0) {
    throw new DataError(`text ${id}: expected a question, a tab and its context, got "${text.slice(0, 60)}"`);
  }
  return { id, text: context.trim(), gold: "", question: question.trim() } as Example;
}
