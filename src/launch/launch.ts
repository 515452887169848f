/**
 * A training or an array from what was asked for to a launcher. A training whose inputs are the results of jobs that are not
 * done yet cannot be prepared: launch.json keeps what was asked for, and its script prepares it when its turn comes.
 */
import { resolve, join } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { openOutput } from "../io/outputs.ts";
import { ownVersion } from "../io/version.ts";
import { configure, isRecipe, recipeOf } from "../recipes/index.ts";
import { withSettings } from "../train/config.ts";
import type { Inputs } from "../train/objectives/objective.ts";
import { type ArrayPlan, tasksOf, writeArray } from "./array.ts";
import { readDone } from "../io/job-files.ts";
import { kindOf } from "./folder.ts";
import type { Job } from "./job.ts";
import { jobNames, prepareJob, type PrepareOptions } from "./prepare.ts";
import { checkPython, pythonFor } from "./python.ts";
import { submitJob, type Submission, type SubmitOptions } from "./submissions.ts";

const path = z.string();
const asked = z.strictObject({
  version: z.literal(1),
  /** Where relative paths are of. */
  directory: path,
  recipe: z.string(),
  scale: z.enum(["full", "debug"]),
  settings: z.array(z.string()),
  inputs: z.strictObject({
    data: z.union([path, z.array(path)]),
    valid: path.optional(),
    replay: z.union([path, z.array(path)]).optional(),
    tokenizer: path.optional(),
    model: path.optional(),
    limit: z.int().positive().optional(),
    columns: z.record(z.string(), z.string()).optional(),
  }),
});

/** What a training is asked to be; paths as text, so that it can be kept. */
export interface TrainingRequest {
  readonly recipe: string;
  readonly scale?: "full" | "debug" | undefined;
  readonly settings?: readonly string[] | undefined;
  readonly inputs: Inputs;
  readonly output: string;
}

export interface LaunchOptions extends SubmitOptions, Pick<PrepareOptions, "signal" | "onNote" | "onEvent"> {}

/**
 * Prepares a training and hands it to a launcher.
 * @throws ConfigError, DataError or RuntimeError; the folder may have been prepared then, and "galen jobs resume" hands it in.
 */
export async function launchTraining(request: TrainingRequest, options: LaunchOptions): Promise<Submission> {
  const { recipe, scale = "full", settings = [], inputs, output } = request;
  refuseJob(output);
  if (options.on === "local" && options.dryRun !== true) await checkPython(pythonFor(options.python));
  if (await hasToWait(options.after)) {
    await askLater(request);
  } else {
    const config = await configure(recipe, { inputs, scale, settings });
    const { signal, onNote, onEvent } = options;
    await prepareJob(config, { ...inputs, output, signal, onNote, onEvent });
  }
  return submitJob(output, options);
}

/** @throws ConfigError where a folder is a job's already. */
function refuseJob(output: string): void {
  if (kindOf(output) === undefined) return;
  throw new ConfigError(`${output}: expected a folder without a job, got one with one`, {
    hint: `galen jobs resume ${output} hands it in again; name another --output`,
  });
}

async function hasToWait(after: readonly string[] = []): Promise<boolean> {
  for (const one of after) if ((await readDone(one))?.stopped !== false) return true;
  return false;
}

/** What can be checked without inputs is. @throws ConfigError. */
async function askLater({ recipe, scale = "full", settings = [], inputs, output }: TrainingRequest): Promise<void> {
  if (!isRecipe(recipe)) recipeOf(recipe);
  withSettings(recipeOf(recipe)({ scale }), settings);
  const given = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
  const kept = asked.safeParse({ version: 1, directory: process.cwd(), recipe, scale, settings, inputs: given });
  if (!kept.success) {
    throw new ConfigError("--after: expected inputs that are paths, of a training that is prepared later, got others");
  }
  await using _ = await openOutput(output, { kind: "a job", names: jobNames, overwrite: true });
  await writeFileAtomically(join(output, "launch.json"), `${JSON.stringify(kept.data, null, 2)}\n`);
}

/**
 * Writes job.json of a training that waited for its inputs, where it runs.
 * @throws as `prepareJob`.
 */
export async function prepareLater(
  folder: string,
  options: Pick<PrepareOptions, "signal" | "onNote" | "onEvent"> = {},
): Promise<Job> {
  const output = resolve(folder);
  const hint = 'name the folder of a training that "galen launch --after" made';
  const { directory, recipe, scale, settings, inputs } = await readJson(join(output, "launch.json"), asked, hint);
  process.chdir(directory);
  const config = await configure(recipe, { inputs, scale, settings });
  return prepareJob(config, { ...inputs, output, ...options });
}

/** What the folder of an array holds. */
const arrayNames = ["array.json", "tasks", "parts", "submit", "submitted.jsonl", "logs", "stop", "done.json"];

/**
 * Works the tasks of an array out and hands them to a launcher.
 * @throws ConfigError or RuntimeError.
 */
export async function launchArray(
  plan: ArrayPlan & { readonly output: string },
  options: SubmitOptions,
): Promise<Submission> {
  const { output } = plan;
  refuseJob(output);
  const tasks = tasksOf(plan);
  {
    await using _ = await openOutput(output, { kind: "an array", names: arrayNames, overwrite: true });
    await writeArray(output, { galen: await ownVersion(), directory: process.cwd(), tasks });
  }
  return submitJob(output, options);
}
