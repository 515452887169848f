/**
 * Fine-tuning a BioGPT on a task: task × model × data → a Hugging Face directory with task.json. Resumable: batches and
 * dropout are functions of (seed, epoch or update), so a resumed run equals an uninterrupted one. OUTPUT/checkpoints
 * holds the state of the last save, OUTPUT/epochs what learned after each of the last epochs, OUTPUT/model the result.
 */
import { DataError } from "../errors.ts";
import { openModelFolder } from "../runtime/folder.ts";
import type { Benchmark, Example, Split } from "../tasks/benchmark.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { saveModel, type TrainState } from "../train/checkpoint.ts";
import {
  checkOutput,
  type RunEvent,
  type RunOptions,
  type RunResult,
  runUpdates,
  startRun,
  type Training,
} from "../train/loop.ts";
import { planEpoch, planInOrder, updatesPerEpoch } from "./batches.ts";
import { type FinetuneConfig, finetuneConfig } from "./config.ts";
import { averagedModel, keepEpoch } from "./epochs.ts";
import { createLayout, type LaidOut, layoutExample } from "../soft-prompts/layout.ts";
import { type NamedTask, openTask, taskFileName, taskFileOf } from "../soft-prompts/metadata.ts";
import { growVocabulary } from "../soft-prompts/prompt-rows.ts";
import { createRun, type Run } from "./run.ts";

export interface FinetuneOptions extends RunOptions<FinetuneEvent> {
  /** A published task's name, the path of a JSON file, or what `openTask` gave. */
  readonly task: string | NamedTask;
  /** Model directory to start from. */
  readonly model: string;
  /** Folder of the task's data. */
  readonly data: string;
  /** `path=value`, of `FinetuneConfig`. */
  readonly settings?: readonly string[];
  /** Train on the first n examples only. */
  readonly limit?: number | undefined;
}

export type FinetuneEvent =
  | {
      readonly type: "started";
      readonly step: number;
      readonly steps: number;
      readonly epochs: number;
      readonly parameters: number;
      readonly examples: number;
      /** Examples whose source or target was cut to the model's length. */
      readonly cut: number;
      readonly validation: number | string;
    }
  | RunEvent<StepFields, EvaluatedFields>;

type EvaluatedFields = { readonly epoch: number };
type StepFields = EvaluatedFields & { readonly tokensPerSecond: number };

/** The losses are means of a token's; the model has task.json. */
export interface FinetuneResult extends RunResult {
  readonly config: FinetuneConfig;
}

/**
 * Tunes a model to the end of its settings, or to where `signal` stops it.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { output, signal } = options;
  await checkOutput(output, options.resume);
  const named = typeof options.task === "string" ? await openTask(options.task) : options.task;
  const { task } = named;
  const folder = await openModelFolder(options.model, { as: "language" });
  const config = finetuneConfig(named, folder.config, options.settings);
  const grown = growVocabulary(await loadTokenizer(options.model), folder.config.vocab_size, config.promptLength);
  const layout = createLayout(task, grown.tokenizer, { ...grown, truncation: config.truncation });
  const lay = (examples: readonly Example[]): LaidOut[] =>
    examples.map((one) => layoutExample(layout, task.source(one), task.target(one)));
  const train = lay((await task.read(options.data, "train")).slice(0, options.limit));
  if (train.length === 0) throw new DataError(`${options.data}: expected training examples, got none`);
  const valid = config.validate.every === 0 ? "not asked for" : await readIfThere(task, options.data, "valid", lay);

  await using run = await createRun(folder, config, { ...grown, signal });
  const plan = planOf(config, train);
  const { flat, tensors } = run.trainable;
  const state: TrainState = { step: 0, parameters: { flat, tensors }, optimiser: run.optimiser.state };
  const emit = await startRun(options, state, { ...config, model: options.model });
  run.trainable.scatter();
  await emit({
    type: "started",
    step: state.step,
    steps: plan.steps,
    epochs: plan.epochs,
    parameters: flat.length,
    examples: train.length,
    cut: train.filter(({ cutSource, cutTarget }) => cutSource || cutTarget).length,
    validation: typeof valid === "string" ? valid : valid.length,
  });

  const files = new Map(grown.tokenizer.files());
  const architectures = [folder.family.architecture];
  files.set("config.json", `${JSON.stringify({ architectures, ...run.model }, null, 2)}\n`);
  const training = { seed: config.seed, mode: config.mode, updates: plan.steps, average: config.average };
  const { promptIds } = grown;
  files.set(taskFileName, taskFileOf(named, { promptIds: [...promptIds], truncation: config.truncation }, training));
  const held = typeof valid === "string" ? [] : valid;
  const result = await runUpdates(trainingOf(run, config, { output, state, files, train, held, plan }), options, emit);
  return { ...result, config };
}

interface Plan {
  readonly steps: number;
  readonly epochs: number;
  /** Updates. */
  readonly perEpoch: number;
  /** The examples of the update after `done`. */
  batches(done: number): readonly number[][];
}

function planOf(config: FinetuneConfig, train: readonly LaidOut[]): Plan {
  const sizes = train.map(({ size }) => size);
  const settings = { tokens: config.tokensPerBatch, accumulate: config.accumulate, seed: config.seed };
  const perEpoch = updatesPerEpoch(sizes, settings);
  const steps = config.updates ?? config.epochs! * perEpoch;
  let epoch = -1;
  let updates: ReturnType<typeof planEpoch> = [];
  return {
    steps,
    perEpoch,
    epochs: Math.ceil(steps / perEpoch),
    batches(done) {
      const wanted = Math.floor(done / perEpoch);
      if (wanted !== epoch) updates = planEpoch(sizes, (epoch = wanted), settings);
      return updates[done % perEpoch] as number[][];
    },
  };
}

/** The laid-out examples of a split, or why there is none: some benchmarks have no validation split. */
async function readIfThere(
  task: Benchmark,
  folder: string,
  split: Split,
  lay: (examples: readonly Example[]) => LaidOut[],
): Promise<LaidOut[] | string> {
  try {
    return lay(await task.read(folder, split));
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

interface Parts extends Pick<Training<unknown, unknown>, "state" | "files"> {
  readonly output: string;
  readonly train: readonly LaidOut[];
  readonly held: readonly LaidOut[];
  readonly plan: Plan;
}

/** What the loop runs. An epoch ends with its weights kept, a checkpoint and, where asked, the validation loss. */
function trainingOf(run: Run, config: FinetuneConfig, parts: Parts): Training<StepFields, EvaluatedFields> {
  const { output, state, files, train, held, plan } = parts;
  const heldSizes = held.map(({ size }) => size);
  const heldBatches = planInOrder(heldSizes, config.tokensPerBatch).map((batch) => batch.map((i) => held[i]!.ids));
  const { steps, perEpoch } = plan;
  /** An epoch is over: a last one may be cut short. */
  const ends = (step: number): boolean => step % perEpoch === 0 || step === steps;
  const epochOf = (step: number): number => Math.ceil(step / perEpoch);
  return {
    state,
    steps,
    schedule: config.schedule,
    keep: 1,
    files,
    async update(rate) {
      const batches = plan.batches(state.step).map((batch) => batch.map((i) => train[i]!.ids));
      const done = await run.update(batches, rate);
      const step = state.step + 1;
      if (done !== undefined && ends(step)) {
        await keepEpoch(output, epochOf(step), run.trainable.tensors, config.average);
      }
      return done;
    },
    describe: (tokensPerSecond) => ({ epoch: epochOf(state.step), tokensPerSecond }),
    async evaluate() {
      const loss = heldBatches.length === 0 ? NaN : await run.loss(heldBatches);
      return Number.isNaN(loss) ? undefined : { epoch: epochOf(state.step) - (ends(state.step) ? 0 : 1), loss };
    },
    every: { evaluate: config.validate.every * perEpoch, save: config.save.every || perEpoch, sample: 0 },
    async writeModel(folder) {
      const tensors = await averagedModel(run, config, output, plan.epochs);
      await saveModel(folder, { flat: state.parameters.flat, tensors }, files);
    },
  };
}
