/** Texts of one's own, answered by a tuned model. */
import { DataError } from "../errors.ts";
import { locateEntities, type NamedEntity } from "../tasks/index.ts";
import type { Example, Task } from "../tasks/task.ts";
import { predict, type Prediction, type PredictOptions, type TunedModel } from "./predict.ts";

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

/**
 * An answer a text, in their order; entities come with their places in the text (`LocatedEntity`).
 * @throws ConfigError where options contradict one another, DataError where a question has no context.
 */
export async function answerTexts(
  tuned: TunedModel,
  texts: readonly string[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  const examples = texts.map((text, i) => exampleOf(tuned.task, `${i + 1}`, text));
  const found = await predict(tuned, examples, options);
  if (tuned.task.extracts !== "entities") return found;
  return found.map((one, i) => ({ ...one, answer: locateEntities(texts[i]!, one.answer as readonly NamedEntity[]) }));
}
