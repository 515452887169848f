/**
 * Prepares a training for an engine on accelerators: what `train` would open and draw is opened and drawn here, and
 * written as the files that job.json names. Weights are written one at a time, so that a model may be larger than memory.
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../checkpoints/safetensors.ts";
import { ConfigError } from "../errors.ts";
import { Graph } from "../graph/graph.ts";
import { writeFileAtomically, writing } from "../io/files.ts";
import { openOutput } from "../io/outputs.ts";
import { ownVersion } from "../io/version.ts";
import { parameterCount, startParameters } from "../runtime/parameters.ts";
import type { Config } from "../train/config.ts";
import { resolvedInputs } from "../train/inputs.ts";
import { labelLoss } from "../models/graphs.ts";
import type { Objective } from "../train/objectives/objective.ts";
import { heldOutBatches, planOf } from "../train/plan.ts";
import { baseOf, recordOf, writeRecord } from "../train/record.ts";
import { isNew } from "../train/trainable.ts";
import { everyOf, openRunObjective, scheduleOf, type TrainOptions } from "../train/train.ts";
import { continuations } from "./continuations.ts";
import { writeSplit } from "./examples.ts";
import { type Job, jobSchema, jobVersion } from "./job.ts";

/** What a job's folder holds. */
export const jobNames = [
  "job.json",
  "launch.json",
  "run.json",
  "start",
  "data",
  "tokens",
  "replay",
  "worker",
  "submit",
  "submitted.jsonl",
  "metrics.jsonl",
  "checkpoints",
  "reference.pt",
  "ranks",
  "logs",
  "stop",
  "model",
  "done.json",
];

export interface PrepareOptions extends Omit<TrainOptions, "resume" | "change" | "peers"> {
  /** What a person should know: what is new, cut, or could not be read. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** The worker's own files, of the package or of the repository. */
const workerFolder = fileURLToPath(new URL("../../distributed/", import.meta.url));
const workerFiles = [
  "worker.py",
  "examples.py",
  "families.py",
  "losses.py",
  "network.py",
  "ranks.py",
  "weights.py",
  "requirements.txt",
];

/**
 * Writes the folder of a job, job.json last.
 * @throws ConfigError for a training that the worker does not do; DataError and CheckpointError as `train`.
 */
export async function prepareJob(config: Config, given: PrepareOptions): Promise<Job> {
  checkDoable(config);
  const options = await resolvedInputs(given, given.signal);
  const { output, model, tokenizer, valid, data, replay = [] } = options;
  const named = [model, tokenizer, valid, ...[data, replay].flat(2)].filter((path) => typeof path === "string");
  await using _ = await openOutput(output, { kind: "a job", names: jobNames, inputs: named, overwrite: true });
  const record = await recordOf(config, options);
  const notes: string[] = [];
  await using objective = await openRunObjective(config, options, baseOf(options, record), notes, true);
  for (const note of notes) given.onNote?.(note);
  const plan = planOf(config, objective);
  await writing(output, () => mkdir(join(output, "data"), { recursive: true }));
  const parameters = await writeStart(join(output, "start"), config, objective);
  const { accumulate, precision, checkpointing, optimiser, seed, save } = config;
  const { start } = objective;
  const updates = function* (): Iterable<readonly number[]> {
    for (let done = 0; done < plan.steps; done++) {
      const batches = plan.update(done);
      // The last update of an epoch may have fewer.
      for (let i = 0; i < accumulate; i++) yield batches[i] ?? [];
    }
  };
  const known = config.batch === null ? undefined : { width: config.batch, count: plan.steps * accumulate };
  const train = await writeSplit(output, "train", objective.train, updates, known);
  const held = objective.valid === undefined ? [] : heldOutBatches(config, objective.valid);
  const every = everyOf(config, plan.perEpoch);
  const job: Job = jobSchema.parse({
    version: jobVersion,
    galen: await ownVersion(),
    recipe: config.recipe,
    objective: await objectiveOf(config, objective, output),
    model: {
      start: "start",
      family: start.family.modelType,
      config: JSON.parse(JSON.stringify(start.config)) as object,
      parameters,
      ...start.family.attentionNumbers?.(start.config, longestOf(config.objective)),
    },
    train,
    ...(objective.valid === undefined || held.length === 0
      ? {}
      : { valid: await writeSplit(output, "valid", objective.valid, () => held) }),
    seed,
    steps: plan.steps,
    perEpoch: plan.perEpoch,
    accumulate,
    optimiser,
    schedule: scheduleOf(config, plan.steps),
    precision,
    checkpointing,
    every: { evaluate: every.evaluate, save: every.save },
    keep: save.keep,
  });
  await writeWorker(output);
  await writeRecord(output, record);
  await writeFileAtomically(join(output, "job.json"), `${JSON.stringify(job, null, 2)}\n`);
  return job;
}

const kinds = ["causal", "masked", "instructions", "preference"];

/** @throws ConfigError that names the setting. */
function checkDoable({ objective, trainable, average }: Config): void {
  const refuse = (setting: string, expected: string, got: string, hint: string): never => {
    throw new ConfigError(`${setting}: expected ${expected} of a training that is launched, got ${got}`, { hint });
  };
  if (!kinds.includes(objective.kind)) {
    refuse("objective", `one of ${kinds.join(", ")}`, objective.kind, "galen train does it on this machine");
  }
  if (trainable !== "all") refuse("trainable", "all", trainable, "galen train adapts models on this machine");
  if (average !== 1) refuse("average", "1", String(average), "set average=1");
}

/** The model's folder, whole; returns how many numbers it has. */
async function writeStart(folder: string, { seed }: Config, { start, save }: Objective): Promise<number> {
  const g = new Graph();
  labelLoss(g, start.family, start.config, { gathered: true });
  await save(folder, new Map()); // config.json and the tokenizer
  const sources = [...g.parameters].map(([name, parameter]) => {
    const declared = { parameters: new Map([[name, parameter]]) };
    const fresh = (): boolean => isNew(name, parameter, start);
    return {
      name,
      dtype: "float32" as const,
      dims: parameter.value.shape as number[],
      data: async () => (await startParameters(declared, start, seed, fresh)).flat,
    };
  });
  await writeSafetensors(join(folder, "model.safetensors"), sources);
  return parameterCount(g);
}

/** Most tokens of a row. */
function longestOf(objective: Config["objective"]): number {
  if ("tokens" in objective) return objective.tokens;
  return "maxTokens" in objective ? objective.maxTokens : 1;
}

/** What the loss is, as job.json has it. */
async function objectiveOf({ objective }: Config, { masking }: Objective, output: string): Promise<Job["objective"]> {
  switch (objective.kind) {
    case "causal":
      return { kind: "causal", tokens: objective.tokens };
    case "instructions":
      return { kind: "instructions", packing: objective.packing };
    case "preference": {
      const { kind, loss, beta, labelSmoothing } = objective;
      return { kind, loss, beta, labelSmoothing };
    }
    case "masked": {
      const { kind, tokens, rate, wholeWords, acrossDocuments } = objective;
      const { size, maskId: mask, startId: start = null, special } = masking!;
      const continues = wholeWords ? "data/continues.bin" : null;
      if (continues !== null) await writeFileAtomically(join(output, continues), continuations(masking!));
      const vocabulary = { size, mask, start, special: [...special].sort((a, b) => a - b), continues };
      return { kind, tokens, rate, wholeWords, acrossDocuments, vocabulary };
    }
    default:
      throw new ConfigError(`objective: expected one of ${kinds.join(", ")}, got ${objective.kind}`);
  }
}

async function writeWorker(output: string): Promise<void> {
  const folder = join(output, "worker");
  await rm(folder, { recursive: true, force: true });
  await writing(folder, () => mkdir(folder, { recursive: true }));
  for (const name of workerFiles) await writing(folder, () => copyFile(join(workerFolder, name), join(folder, name)));
}
