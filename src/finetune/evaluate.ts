/** Scores of a tuned model on a split: the published figures and the sounder ones, with intervals, and baselines. */
import type { Report } from "../metrics/report.ts";
import { protocolHash, textsHasher } from "../eval/protocol.ts";
import { openWindows, type WindowOptions } from "../eval/windows.ts";
import { DataError } from "../errors.ts";
import { copyChemicalDiseases, copyEntities, copyRelations } from "../tasks/baselines.ts";
import type { Bc5cdrExample } from "../tasks/bc5cdr.ts";
import type { EntityExample } from "../tasks/entities.ts";
import type { Example, Split, Task } from "../tasks/task.ts";
import type { RelationExample } from "../tasks/triples.ts";
import { decodingOf, predict, type Prediction, type PredictOptions, type TunedModel } from "../soft-prompts/predict.ts";

export interface EvaluateTaskOptions extends Omit<PredictOptions, "onProgress">, WindowOptions {
  /** Folder of the task's data. */
  readonly data: string;
  /** Default "test". */
  readonly split?: Split | undefined;
  /** The first n examples only. */
  readonly limit?: number | undefined;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
}

export interface TaskEvaluation {
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly report: Report;
  /** The same figures of copying known names from the text, where the task is of names and has training data. */
  readonly baseline: Report | undefined;
  readonly examples: readonly Example[];
  readonly predictions: readonly Prediction[];
}

/** Answers between two entries of the journal. */
const answersTogether = 32;

/** @throws DataError where the split is missing, ConfigError where decoding options do not fit. */
export async function evaluateTask(tuned: TunedModel, options: EvaluateTaskOptions): Promise<TaskEvaluation> {
  const { data, split = "test", limit, seed = 1 } = options;
  const { task, model } = tuned;
  const examples = (await task.read(data, split)).slice(0, limit);
  if (examples.length === 0) throw new DataError(`${data}: expected examples in split ${split}, got none`);
  const { add, digest } = textsHasher();
  for (const one of examples) add(one.id, task.source(one), task.target(one));
  const protocol = {
    task: task.name,
    version: task.version,
    split,
    examples: examples.length,
    decoding: decodingOf(task, options, model.config.max_position_embeddings),
    maxNewTokens: options.maxNewTokens ?? null,
    seed,
    data: digest(),
  };
  const hash = protocolHash(protocol);
  const { window = answersTogether } = options;
  await using windows = await openWindows({ ...protocol, hash }, ["answers"], { ...options, window });
  const parts = windows.run({
    name: "answers",
    inputs: examples,
    total: examples.length,
    compute: (some, onDone) => predict(tuned, some, { ...options, onProgress: onDone }),
  });
  const predictions: Prediction[] = [];
  for await (const part of parts) predictions.push(...part);
  const score = (answers: readonly unknown[]): Report => task.evaluate(examples, answers, { bootstrap: { seed } });
  const copied = await copyBaseline(task, data, examples);
  return {
    protocol,
    hash,
    report: score(predictions.map(({ answer }) => answer)),
    baseline: copied === undefined ? undefined : score(copied),
    examples,
    predictions,
  };
}

/** Answers of a copying baseline; undefined for tasks of labels, whose report has the majority's, or without data. */
async function copyBaseline(task: Task, folder: string, examples: readonly Example[]): Promise<unknown[] | undefined> {
  if (task.extracts === undefined) return undefined;
  let train: Example[];
  try {
    train = await task.read(folder, "train");
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
  if (task.extracts === "entities") return copyEntities(train as EntityExample[], examples);
  return task.name === "bc5cdr"
    ? copyChemicalDiseases(train as Bc5cdrExample[], examples)
    : copyRelations(train as RelationExample[], examples);
}
