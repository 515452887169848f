/**
 * Fine-tuning a BioGPT on a task: task × model × data → a Hugging Face directory with task.json. Resumable: batches and
 * dropout are functions of (seed, epoch or update), so a resumed run equals an uninterrupted one. OUTPUT/checkpoints
 * holds the state of the last save, OUTPUT/epochs what learned after each of the last epochs, OUTPUT/model the result.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../checkpoints/files.ts";
import { DataError } from "../errors.ts";
import { openModelFolder } from "../runtime/folder.ts";
import type { Example, Split, Task } from "../tasks/task.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { restoreCheckpoint, saveCheckpoint, saveModel, type TrainState } from "../train/checkpoint.ts";
import { openMetricsLog } from "../train/metrics-log.ts";
import { learningRate } from "../train/schedule.ts";
import { planEpoch, planInOrder, updatesPerEpoch } from "./batches.ts";
import { type FinetuneConfig, finetuneConfig } from "./config.ts";
import { averagedModel, keepEpoch } from "./epochs.ts";
import { createLayout, type LaidOut, layoutExample } from "./layout.ts";
import { type NamedTask, openTask, taskFileName, taskFileOf } from "./metadata.ts";
import { growVocabulary } from "./prompt-rows.ts";
import { createRun, type Run } from "./run.ts";

export interface FinetuneOptions {
  /** A published task's name, the path of a JSON file, or what `openTask` gave. */
  readonly task: string | NamedTask;
  /** Model directory to start from. */
  readonly model: string;
  /** Folder of the task's data. */
  readonly data: string;
  readonly output: string;
  /** `path=value`, of `FinetuneConfig`. */
  readonly settings?: readonly string[];
  readonly resume?: boolean;
  /** Train on the first n examples only. */
  readonly limit?: number | undefined;
  /** Aborted: the run saves and stops after the update under way. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: FinetuneEvent) => void | Promise<void>) | undefined;
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
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly tokensPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly type: "evaluated"; readonly step: number; readonly epoch: number; readonly loss: number }
  | { readonly type: "saved"; readonly step: number; readonly folder: string };

export interface FinetuneResult {
  readonly step: number;
  readonly stopped: boolean;
  readonly loss: number;
  /** Mean loss of a validation token before the first update of this call and after the last, where there is a split. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** Hugging Face directory with task.json; written when the run is not stopped. */
  readonly model: string;
  readonly config: FinetuneConfig;
}

/**
 * Tunes a model to the end of its settings, or to where `signal` stops it.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { output, signal } = options;
  const named = typeof options.task === "string" ? await openTask(options.task) : options.task;
  const { task } = named;
  const folder = await openModelFolder(options.model, { suffix: "ForCausalLM" });
  const config = finetuneConfig(task, folder.config, options.settings);
  const grown = growVocabulary(await loadTokenizer(options.model), folder.config.vocab_size, config.promptLength);
  const layout = createLayout(task, grown.tokenizer, { ...grown, truncation: config.truncation });
  const lay = (examples: readonly Example[]): LaidOut[] =>
    examples.map((one) => layoutExample(layout, task.source(one), task.target(one)));
  const train = lay((await task.read(options.data, "train")).slice(0, options.limit));
  if (train.length === 0) throw new DataError(`${options.data}: expected training examples, got none`);
  const valid = config.validate.every === 0 ? "not asked for" : await readIfThere(task, options.data, "valid", lay);

  await using run = await createRun(folder, config, { ...grown, signal });
  const plan = planOf(config, train);
  const state: TrainState = {
    step: 0,
    parameters: { flat: run.trainable.flat, tensors: run.trainable.tensors },
    firstMoment: run.optimiser.state.firstMoment,
    secondMoment: run.optimiser.state.secondMoment,
  };
  if (options.resume === true) await restoreCheckpoint(output, state);
  else for (const name of ["checkpoints", "epochs"]) await rm(join(output, name), { recursive: true, force: true });
  run.trainable.scatter();
  run.optimiser.state.step = state.step;
  await writeFileAtomically(
    join(output, "run.json"),
    `${JSON.stringify({ ...config, model: options.model }, null, 2)}\n`,
  );

  const files = new Map(grown.tokenizer.files());
  const architectures = [folder.family.architecture];
  files.set("config.json", `${JSON.stringify({ architectures, ...run.model }, null, 2)}\n`);
  const training = { seed: config.seed, mode: config.mode, updates: plan.steps, average: config.average };
  const { promptIds } = grown;
  files.set(taskFileName, taskFileOf(named, { promptIds: [...promptIds], truncation: config.truncation }, training));

  const loop = await runLoop(run, config, { options, state, files, train, valid, plan });
  const model = join(output, "model");
  if (!loop.stopped) {
    const tensors = await averagedModel(run, config, output, plan.epochOf(plan.steps - 1));
    await saveModel(model, { flat: state.parameters.flat, tensors }, files);
  }
  return { ...loop, model, config };
}

interface Plan {
  readonly steps: number;
  readonly epochs: number;
  epochOf(step: number): number;
  /** True for the last update of an epoch. */
  ends(step: number): boolean;
  batches(step: number): readonly number[][];
}

function planOf(config: FinetuneConfig, train: readonly LaidOut[]): Plan {
  const sizes = train.map(({ size }) => size);
  const settings = { tokens: config.tokensPerBatch, accumulate: config.accumulate, seed: config.seed };
  const perEpoch = updatesPerEpoch(sizes, settings);
  const steps = config.updates ?? config.epochs! * perEpoch;
  const epochOf = (step: number): number => Math.floor(step / perEpoch);
  let epoch = -1;
  let updates: ReturnType<typeof planEpoch> = [];
  return {
    steps,
    epochs: Math.ceil(steps / perEpoch),
    epochOf,
    ends: (step) => (step + 1) % perEpoch === 0 || step + 1 === steps,
    batches(step) {
      if (epochOf(step) !== epoch) updates = planEpoch(sizes, (epoch = epochOf(step)), settings);
      return updates[step % perEpoch] as number[][];
    },
  };
}

/** The laid-out examples of a split, or why there is none: some benchmarks have no validation split. */
async function readIfThere(
  task: Task,
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

interface LoopContext {
  readonly options: FinetuneOptions;
  readonly state: TrainState;
  readonly files: ReadonlyMap<string, string>;
  readonly train: readonly LaidOut[];
  readonly valid: readonly LaidOut[] | string;
  readonly plan: Plan;
}

type LoopResult = Pick<FinetuneResult, "step" | "stopped" | "loss" | "before" | "after">;

async function runLoop(run: Run, config: FinetuneConfig, context: LoopContext): Promise<LoopResult> {
  const { options, state, files, train, valid, plan } = context;
  const { output, signal } = options;
  const log = await openMetricsLog(join(output, "metrics.jsonl"), state.step);
  const emit = async (event: FinetuneEvent): Promise<void> => {
    if (event.type === "step" || event.type === "evaluated") log.write(event);
    await options.onEvent?.(event);
  };
  const held = typeof valid === "string" ? [] : valid;
  const heldBatches = planInOrder(
    held.map(({ size }) => size),
    config.tokensPerBatch,
  ).map((batch) => batch.map((i) => held[i]!.ids));
  const evaluate = async (epoch: number): Promise<number | undefined> => {
    if (heldBatches.length === 0) return undefined;
    const loss = await run.loss(heldBatches);
    if (Number.isNaN(loss)) return undefined;
    await emit({ type: "evaluated", step: state.step, epoch, loss });
    return loss;
  };
  const save = async (): Promise<void> => {
    const folder = await saveCheckpoint(output, state, files, { keep: 1 });
    await emit({ type: "saved", step: state.step, folder });
  };
  await emit({
    type: "started",
    step: state.step,
    steps: plan.steps,
    epochs: plan.epochs,
    parameters: state.parameters.flat.length,
    examples: train.length,
    cut: train.filter(({ cutSource, cutTarget }) => cutSource || cutTarget).length,
    validation: typeof valid === "string" ? valid : valid.length,
  });
  const before = await evaluate(plan.epochOf(state.step));
  let after = before;
  let loss = NaN;
  const rate = stopwatch();
  while (state.step < plan.steps) {
    if (signal?.aborted === true) break;
    const step = state.step;
    const batches = plan.batches(step).map((batch) => batch.map((i) => train[i]!.ids));
    const lr = learningRate(config.schedule, step + 1, plan.steps);
    const result = await run.update(batches, lr);
    if (result === undefined) break;
    state.step += 1;
    loss = result.loss;
    const { gradientNorm } = result;
    const epoch = plan.epochOf(step) + 1;
    const speed = rate(result.tokens, plan.steps - state.step);
    await emit({
      type: "step",
      step: state.step,
      steps: plan.steps,
      epoch,
      loss,
      learningRate: lr,
      gradientNorm,
      ...speed,
    });
    if (plan.ends(step)) {
      await keepEpoch(output, epoch, run.trainable.tensors, config.average);
      const last = state.step === plan.steps;
      if (last || (config.validate.every > 0 && epoch % config.validate.every === 0)) after = await evaluate(epoch);
      await save();
    } else if (config.save.every > 0 && state.step % config.save.every === 0) await save();
  }
  const stopped = state.step < plan.steps;
  if (stopped) await save();
  return { step: state.step, stopped, loss, before, after: stopped ? undefined : after };
}

/** Labels a second over the last updates, and the time left at that pace. */
function stopwatch(): (tokens: number, left: number) => { tokensPerSecond: number; secondsLeft: number } {
  const window = [{ time: performance.now(), tokens: 0 }];
  return (tokens, left) => {
    window.push({ time: performance.now(), tokens });
    if (window.length > 20) window.shift();
    const seconds = (window.at(-1)!.time - window[0]!.time) / 1000;
    const done = window.slice(1).reduce((sum, one) => sum + one.tokens, 0);
    return { tokensPerSecond: done / seconds, secondsLeft: (left * seconds) / (window.length - 1) };
  };
}
