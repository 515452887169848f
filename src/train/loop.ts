/**
 * The loop of every training (pre-training, encoders, fine-tuning): evaluate, update, save, tell, stop on a signal. A
 * training brings its graphs, batches and losses. All that the next update depends on is in one `TrainState`, and batches
 * and dropout are functions of (seed, step), so a run that is killed and resumed equals an uninterrupted one bit for bit.
 */
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { ConfigError } from "../errors.ts";
import { listCheckpoints, type ModelFiles, restoreCheckpoint, saveCheckpoint, type TrainState } from "./checkpoint.ts";
import { openMetricsLog } from "./metrics-log.ts";
import { learningRate, type ScheduleConfig } from "./schedule.ts";

export interface RunOptions<Event> {
  /** Folder of the run: run.json, metrics.jsonl, checkpoints/ and, at the end, model/. */
  readonly output: string;
  /** Continue from the last checkpoint in `output`. */
  readonly resume?: boolean | undefined;
  /** Aborted: the run saves and stops after the update under way. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: Event) => void | Promise<void>) | undefined;
}

/** What every training tells; `Step` and `Evaluated` are fields of its own. */
export type RunEvent<Step, Evaluated = unknown> =
  | (Step & {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly secondsLeft: number;
    })
  | (Evaluated & { readonly type: "evaluated"; readonly step: number; readonly loss: number })
  | { readonly type: "saved"; readonly step: number; readonly folder: string };

export interface RunResult {
  /** Updates done; fewer than asked where the run was stopped. */
  readonly step: number;
  readonly stopped: boolean;
  /** Of the last update. */
  readonly loss: number;
  /** Held-out loss before the first update of this call and after the last, where there are held-out data. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** Hugging Face directory; written when the run is not stopped. */
  readonly model: string;
}

export interface Update {
  readonly loss: number;
  readonly gradientNorm: number;
  /** Its tokens or examples, for the speed. */
  readonly work: number;
}

/** What a training brings; `Step` and `Evaluated` are fields of its own in those events. */
export interface Training<Step, Evaluated> {
  readonly state: TrainState;
  /** Updates in all. */
  readonly steps: number;
  readonly schedule: ScheduleConfig;
  /** Checkpoints that are kept, and their files beside the weights. */
  readonly keep: number;
  readonly files: ModelFiles;
  /** One update; undefined when it was abandoned for a signal. */
  update(rate: number): Promise<Update | undefined>;
  /** Fields of the event after an update, with the work a second. */
  describe(speed: number): Step;
  /** Of held-out data; undefined without any. */
  evaluate(): Promise<(Evaluated & { readonly loss: number }) | undefined>;
  /** Updates between; 0: none on the way (n % 0 is NaN). Evaluated is at the start and the end too, saved at the end. */
  readonly every: { readonly evaluate: number; readonly save: number; readonly sample: number };
  sample?(): Promise<void>;
  writeModel(folder: string): Promise<void>;
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
export async function startRun<Event extends { readonly type: string; readonly step: number }>(
  { output, resume, onEvent }: RunOptions<Event>,
  state: TrainState,
  settings: object,
): Promise<(event: Event) => Promise<void>> {
  if (resume === true) await restoreCheckpoint(output, state);
  await writeFileAtomically(join(output, "run.json"), `${JSON.stringify(settings, null, 2)}\n`);
  const log = await openMetricsLog(join(output, "metrics.jsonl"), state.step);
  return async (event) => {
    if (event.type !== "started" && event.type !== "saved") log(event);
    await onEvent?.(event);
  };
}

/** Trains to the last update, or to where `signal` stops it; what was saved before stays when it throws. */
export async function runUpdates<Step, Evaluated>(
  training: Training<Step, Evaluated>,
  { output, signal }: Pick<RunOptions<never>, "output" | "signal">,
  emit: (event: NoInfer<RunEvent<Step, Evaluated>>) => Promise<void>,
): Promise<RunResult> {
  const { state, steps, every } = training;
  const evaluate = async (): Promise<number | undefined> => {
    const found = await training.evaluate();
    if (found !== undefined) await emit({ type: "evaluated", step: state.step, ...found });
    return found?.loss;
  };
  const save = async (): Promise<void> => {
    const folder = await saveCheckpoint(output, state, training.files, training);
    await emit({ type: "saved", step: state.step, folder });
  };
  const aborted = (): boolean => signal?.aborted === true;
  const before = await evaluate();
  const first = state.step;
  const clock = stopwatch();
  let loss = NaN;
  while (state.step < steps && !aborted()) {
    const rate = learningRate(training.schedule, state.step + 1, steps);
    const done = await training.update(rate);
    if (done === undefined) break;
    state.step += 1;
    loss = done.loss;
    const { step } = state;
    const { speed, secondsLeft } = clock(done.work, steps - step);
    const figures = { loss, learningRate: rate, gradientNorm: done.gradientNorm };
    await emit({ type: "step", step, steps, ...figures, ...training.describe(speed), secondsLeft });
    if (step === steps || aborted()) break;
    if (step % every.evaluate === 0) await evaluate();
    if (step % every.save === 0) await save();
    if (step % every.sample === 0) await training.sample?.();
  }
  await save();
  const model = join(output, "model");
  const stopped = state.step < steps;
  if (stopped) return { step: state.step, stopped, loss, before, after: undefined, model };
  const after = state.step === first ? before : await evaluate();
  await training.writeModel(model);
  return { step: state.step, stopped, loss, before, after, model };
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
