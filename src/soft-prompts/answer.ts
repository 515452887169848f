/** Texts of one's own, answered by a tuned model. */
import { required } from "../schema.ts";
import { locateEntities, type NamedEntity } from "../tasks/index.ts";
import { predict, type Prediction, type PredictOptions, type TunedModel } from "./predict.ts";

/**
 * An answer a text, in their order; entities come with their places in the text (`LocatedEntity`).
 * @throws ConfigError where options contradict one another, DataError where a question has no context.
 */
export async function answerTexts(
  tuned: TunedModel,
  texts: readonly string[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  required("answerTexts: tuned", tuned, "object");
  required("answerTexts: texts", texts, "list of texts");
  const examples = texts.map((text, i) => tuned.task.exampleOf(`${i + 1}`, text));
  const found = await predict(tuned, examples, options);
  if (tuned.task.extracts !== "entities") return found;
  return found.map((one, i) => ({ ...one, answer: locateEntities(texts[i]!, one.answer as readonly NamedEntity[]) }));
}
