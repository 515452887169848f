/**
 * The loop of a run: evaluate, update, save, sample, stop on a signal. All that the next update depends on is in one
 * `TrainState`, and batches and dropout are functions of (seed, step), so a run that is killed and resumed equals an
 * uninterrupted one bit for bit.
 */
import { join } from "node:path";
import { ConfigError, RuntimeError } from "../errors.ts";
import { listCheckpoints, restoreCheckpoint, saveCheckpoint, type TrainState } from "./checkpoint.ts";
import type { Means } from "./figures.ts";
import { openMetricsLog } from "./metrics-log.ts";
import { type RunRecord, writeRecord } from "./record.ts";
import { learningRate, type ScheduleConfig } from "./schedule.ts";

export interface RunOptions<Event = TrainEvent> {
  /** Folder of the run: run.json, metrics.jsonl, checkpoints/ and, at the end, model/. */
  readonly output: string;
  /** Continue from the last checkpoint in `output`. */
  readonly resume?: boolean | undefined;
  /** Aborted: the run saves and stops after the update under way. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: Event) => void | Promise<void>) | undefined;
}

/** What happens in the loop; metrics.jsonl keeps those with figures. */
export type RunEvent =
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly learningRate: number;
      /** Before clipping. */
      readonly gradientNorm: number;
      /** Tokens or examples a second: the started run's `unit`. */
      readonly speed: number;
      readonly secondsLeft: number;
      /** Means over the update of what its objective measures beside the loss. */
      readonly figures?: Means;
    }
  | {
      readonly type: "evaluated";
      readonly step: number;
      /** Epochs done. */
      readonly epoch: number;
      readonly loss: number;
      readonly perplexity?: number;
      readonly figures?: Means;
    }
  | { readonly type: "sampled"; readonly step: number; readonly texts: readonly string[] }
  | { readonly type: "saved"; readonly step: number; readonly folder: string };

export type TrainEvent =
  | { readonly type: "reading"; readonly documents: number; readonly tokens: number }
  | {
      readonly type: "started";
      readonly step: number;
      readonly steps: number;
      readonly epochs: number;
      /** Numbers that learn. */
      readonly parameters: number;
      readonly examples: number;
      readonly heldOut: number;
      readonly unit: "tokens" | "examples";
      /** What a person should know: what is new, cut, or could not be read. */
      readonly notes: readonly string[];
    }
  | RunEvent;

export interface RunResult {
  /** Updates done; fewer than asked where the run was stopped. */
  readonly step: number;
  readonly stopped: boolean;
  /** Of the last update; undefined where there was none to do. */
  readonly loss: number | undefined;
  /** Held-out loss before the first update of this call and after the last, where there are held-out data. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** Hugging Face directory; written when the run is not stopped. */
  readonly model: string;
}

/** Means over labels or examples. */
export interface Evaluation {
  readonly loss: number;
  readonly figures?: Means;
}

export interface Update extends Evaluation {
  readonly gradientNorm: number;
  /** Its tokens or examples, for the speed. */
  readonly work: number;
}

/** What a run brings. */
export interface Training {
  readonly state: TrainState;
  /** Updates in all, and of an epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  readonly schedule: ScheduleConfig;
  /** Updates between; 0: none on the way (n % 0 is NaN). Evaluated is at the start and the end too, saved at the end. */
  readonly every: { readonly evaluate: number; readonly save: number; readonly sample: number };
  /** Checkpoints that are kept. */
  readonly keep: number;
  /** One update; undefined when it was abandoned for a signal. */
  update(rate: number): Promise<Update | undefined>;
  /** Of held-out data; undefined without any. */
  evaluate(): Promise<Evaluation | undefined>;
  /** exp(loss) means something. */
  readonly perplexity: boolean;
  /** See `Objective`. */
  readonly surrogate?: boolean | undefined;
  /** Texts from the weights as they are. */
  sample(): Promise<readonly string[]>;
  /** After the last update of an epoch, counted from 1. */
  endEpoch?(epoch: number): Promise<void>;
  /** Writes the model as it is, and as the run's result. */
  save(folder: string): Promise<void>;
  writeModel(folder: string): Promise<void>;
  /** What learned, as an adapter on the start, where it can be one. */
  writeAdapter?(folder: string): Promise<void>;
  /** False: another rank writes. */
  readonly writes: boolean;
}

/** @throws ConfigError where `output` has checkpoints that the run does not continue. */
export async function checkOutput(output: string, resume: boolean | undefined): Promise<void> {
  if (resume === true || (await listCheckpoints(output)).length === 0) return;
  throw new ConfigError(`${output}: expected a folder without a run, got one with checkpoints`, {
    hint: "go on with --resume, or choose another --output",
  });
}

/**
 * Fills `state` where the run is resumed, writes run.json, and gives what takes the run's events: those with figures go
 * to metrics.jsonl, all to `onEvent`.
 */
export async function startRun(
  { output, resume, onEvent }: RunOptions,
  state: TrainState,
  { record, writes }: { readonly record: RunRecord; readonly writes: boolean },
): Promise<(event: TrainEvent) => Promise<void>> {
  if (resume === true) await restoreCheckpoint(output, state);
  if (!writes) return async (event) => onEvent?.(event);
  await writeRecord(output, record);
  const log = await openMetricsLog(join(output, "metrics.jsonl"), state.step);
  return async (event) => {
    if (event.type === "step" || event.type === "evaluated" || event.type === "sampled") await log(event);
    await onEvent?.(event);
  };
}

/** Trains to the last update, or to where `signal` stops it; what was saved before stays when it throws. */
export async function runUpdates(
  training: Training,
  { output, signal }: Pick<RunOptions, "output" | "signal">,
  emit: (event: RunEvent) => Promise<void>,
): Promise<RunResult> {
  const { state, steps, perEpoch, every, writes } = training;
  const evaluate = async (): Promise<number | undefined> => {
    const found = await training.evaluate();
    if (found === undefined) return undefined;
    const { loss } = found;
    const epoch = state.step === steps ? Math.ceil(steps / perEpoch) : Math.floor(state.step / perEpoch);
    const more = training.perplexity ? { perplexity: Math.exp(loss) } : {};
    await emit({ type: "evaluated", step: state.step, epoch, ...more, ...found });
    return loss;
  };
  const save = async (): Promise<void> => {
    if (!writes) return;
    const folder = await saveCheckpoint(output, state, training.save, training);
    await emit({ type: "saved", step: state.step, folder });
  };
  const aborted = (): boolean => signal?.aborted === true;
  const before = await evaluate();
  const first = state.step;
  const clock = stopwatch();
  const divergence = divergenceOf(training);
  let loss: number | undefined;
  while (state.step < steps && !aborted()) {
    const rate = learningRate(training.schedule, state.step + 1, steps);
    const done = await training.update(rate);
    if (done === undefined) break;
    if (divergence(done)) throw await diverged(output, state.step + 1, done);
    state.step += 1;
    loss = done.loss;
    const { step } = state;
    const epoch = Math.ceil(step / perEpoch);
    // A last epoch may be cut short.
    if (writes && (step % perEpoch === 0 || step === steps)) await training.endEpoch?.(epoch);
    const { gradientNorm, work, figures } = done;
    await emit({
      type: "step",
      step,
      steps,
      epoch,
      loss,
      learningRate: rate,
      gradientNorm,
      ...clock(work, steps - step),
      ...(figures === undefined ? {} : { figures }),
    });
    if (step === steps || aborted()) break;
    if (step % every.evaluate === 0) await evaluate();
    if (step % every.save === 0) await save();
    if (step % every.sample === 0) await emit({ type: "sampled", step, texts: await training.sample() });
  }
  await save();
  const model = join(output, "model");
  const stopped = state.step < steps;
  if (stopped) return { step: state.step, stopped, loss, before, after: undefined, model };
  const after = state.step === first ? before : await evaluate();
  if (writes) {
    await training.writeModel(model);
    await training.writeAdapter?.(join(output, "adapter"));
  }
  return { step: state.step, stopped, loss, before, after, model };
}

/** A loss this many times the largest of a call's first ten updates has left for good. */
const explosion = 100;

/** Whether an update shows that the run has diverged. In half precision the loss scale has its say first. */
function divergenceOf({ state, surrogate }: Pick<Training, "state" | "surrogate">): (update: Update) => boolean {
  let [seen, largest] = [0, 0];
  return ({ loss, gradientNorm }) => {
    if ((state.lossScale?.value ?? 1) > 1) return false;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return true;
    if (surrogate === true) return false;
    if (seen++ < 10) largest = Math.max(largest, Math.abs(loss));
    return Math.abs(loss) > explosion * largest;
  };
}

async function diverged(output: string, step: number, { loss, gradientNorm }: Update): Promise<RuntimeError> {
  const last = (await listCheckpoints(output)).at(-1);
  const good =
    last === undefined ? "there is no checkpoint before it" : `the last checkpoint before it is of update ${last}`;
  const found = `loss ${loss}, gradient norm ${gradientNorm}`;
  return new RuntimeError(`${output}: update ${step}: expected a loss that falls, got ${found}: ${good}`, {
    hint: "the run has diverged: lower schedule.peak, lengthen schedule.warmup, or clip (optimiser.clipNorm=1)",
  });
}

/** Work a second over the last updates, and the time left at that pace. */
function stopwatch(): (work: number, left: number) => { speed: number; secondsLeft: number } {
  const window = [{ time: performance.now(), work: 0 }];
  return (work, left) => {
    window.push({ time: performance.now(), work });
    if (window.length > 20) window.shift();
    const seconds = (window.at(-1)!.time - window[0]!.time) / 1000;
    const done = window.slice(1).reduce((sum, one) => sum + one.work, 0);
    return { speed: done / seconds, secondsLeft: (left * seconds) / (window.length - 1) };
  };
}
