/**
 * The one training: an objective's weights, batches and loss; what learns; updates with accumulation, mixed precision and
 * clipping; held-out loss, samples and checkpoints on the way. A run is a pure function of its configuration and inputs.
 */
import { rm } from "node:fs/promises";
import { writeAdapter } from "../checkpoints/peft.ts";
import { required } from "../schema.ts";
import { generate, openGenerator } from "../generate/index.ts";
import { openOutput, type Output } from "../io/outputs.ts";
import { Owned } from "../runtime/owned.ts";
import { adapterOf, adapterRefusal } from "./adapter.ts";
import { fewBitsNotes } from "./frozen.ts";
import { averageEpochs, keepEpoch } from "./average.ts";
import { sweepCheckpoints } from "./checkpoint.ts";
import { placed, sessionOptions } from "./compiler.ts";
import { checkedConfig, type Config } from "./config.ts";
import { resolvedInputs } from "./inputs.ts";
import { checkOutput, type RunOptions, type RunResult, runUpdates, startRun, type Training } from "./loop.ts";
import { writeModelCard } from "./model-card.ts";
import { openObjective } from "./objectives/index.ts";
import type { Inputs, Objective } from "./objectives/objective.ts";
import { rolloutsFolder } from "./objectives/rollouts.ts";
import { type Base, baseOf, checkRecord, recordOf } from "./record.ts";
import { createRun, type Run } from "./run.ts";
import { alone, type Peers } from "./updater.ts";

/** What a run's folder holds. */
const runNames = [
  "run.json",
  "metrics.jsonl",
  "checkpoints",
  "model",
  "adapter",
  "tokens",
  "replay",
  "epochs",
  "reference.json",
  rolloutsFolder,
];

export interface TrainOptions extends Inputs, RunOptions {
  /** New weights in the shape of `model`'s: a fresh start, for comparison. */
  readonly untrained?: boolean | undefined;
  /** Settings and fingerprints in which a resumed run is meant to differ from what it was, by name. */
  readonly change?: readonly string[] | undefined;
  /** Where several processes train together: this one's place, and how numbers are summed over all. */
  readonly peers?: Peers | undefined;
}

/**
 * Runs a training to its end, or to where `signal` stops it.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function train(config: Config, given: TrainOptions): Promise<RunResult> {
  required("train: options", given, "object");
  required("train: output", given.output, "text");
  const options = await resolvedInputs(given, given.signal);
  const { output, resume, signal, peers = alone, change = [] } = options;
  checkedConfig(config);
  await using owned = new Owned();
  const writes = peers.rank === 0;
  if (writes) {
    owned.use(await claim(options));
    await sweepCheckpoints(output);
    await checkOutput(output, resume);
  }
  const record = await recordOf(config, options);
  if (resume === true) await checkRecord(output, record, change);
  const notes: string[] = [];
  const objective = owned.use(await openRunObjective(config, options, baseOf(options, record), notes));
  const fewBits = [...objective.start.entries.values()].some(({ grouped }) => grouped !== undefined);
  const run = owned.use(await createRun(fewBits ? await placed(config) : config, objective, { peers, signal }));
  const { state, plan, learned, fresh } = run;
  if (objective.start.folder !== undefined && fresh.length > 0) notes.push(`new weights: ${fresh.join(", ")}`);
  notes.push(...fewBitsNotes(objective.start.entries, run.inBits));
  const isLora = config.trainable === "lora";
  const refusal = isLora ? adapterRefusal(config, options, objective, run) : undefined;
  if (refusal !== undefined) notes.push(`no adapter is written beside the model: ${refusal}`);
  const emit = await startRun(options, state, { record, writes });
  learned.scatter();
  await emit({
    type: "started",
    step: state.step,
    steps: plan.steps,
    epochs: Math.ceil(plan.steps / plan.perEpoch),
    parameters: learned.flat.length,
    examples: objective.train.count,
    heldOut: objective.valid?.count ?? 0,
    unit: objective.unit,
    notes,
  });
  // Ranks stop together: by what they agreed on, not by what this process heard.
  const agreed = peers.size === 1 ? undefined : new AbortController();
  const result = await runUpdates(
    {
      ...outcomeOf(config, objective, run, output),
      async writeAdapter(folder) {
        // One of an earlier run does not belong to this model.
        await rm(folder, { recursive: true, force: true });
        if (isLora && refusal === undefined) await writeAdapter(folder, adapterOf(config, options, objective, run));
      },
      ...plan,
      state,
      schedule: scheduleOf(config, plan.steps),
      every: everyOf(config, plan.perEpoch),
      keep: config.save.keep,
      perplexity: objective.perplexity === true,
      surrogate: objective.surrogate,
      writes,
      evaluate: run.evaluate,
      async update(rate) {
        const done = await run.update(rate);
        if (done === undefined) agreed?.abort();
        return done;
      },
    },
    { output, signal: agreed?.signal ?? signal },
    emit,
  );
  if (writes && !result.stopped) {
    const facts = {
      config,
      inputs: options,
      output,
      result,
      objective,
      learned: learned.flat.length,
      inBits: run.inBits.size,
    };
    await writeModelCard({ ...facts, base: baseOf(options, record) });
  }
  return result;
}

/** The run's folder. One without checkpoints, which are looked for next, has nothing to lose. */
function claim({
  output,
  resume,
  model,
  tokenizer,
  teacher,
  reward,
  data,
  valid,
  replay = [],
}: TrainOptions): Promise<Output> {
  const named = [model, tokenizer, teacher, reward, valid, ...[data, replay].flat(2)];
  const inputs = named.filter((path) => typeof path === "string");
  return openOutput(output, { kind: "a run", names: runNames, inputs, resume, overwrite: true });
}

/** The objective of a run, its data read; `outside`: for another engine. */
export async function openRunObjective(
  config: Config,
  options: TrainOptions,
  base: Base | undefined,
  notes: string[],
  outside = false,
): Promise<Objective> {
  const { recipe, seed, trainable, steps, epochs, average } = config;
  const { signal, onEvent, output, resume = false } = options;
  const objective = await openObjective(config.objective, options, {
    output,
    resume,
    model: config.model,
    seed,
    device: config.device,
    outside,
    signal,
    provenance: { recipe, seed, trainable, steps, epochs, average, base },
    note: (text) => notes.push(text),
    reading: (done) => void onEvent?.({ type: "reading", ...done }),
  });
  if (options.untrained !== true) return objective;
  return { ...objective, start: { ...objective.start, folder: undefined, entries: new Map() } };
}

/** With its warm-up in updates. */
export function scheduleOf({ schedule }: Config, steps: number): Training["schedule"] {
  const { warmup } = schedule;
  return { ...schedule, warmup: warmup < 1 ? Math.round(warmup * steps) : warmup };
}

/** Updates between. */
export function everyOf({ evaluate, save, sample }: Config, perEpoch: number): Training["every"] {
  const updates = ({ every }: { every: number | "epoch" }): number => (every === "epoch" ? perEpoch : every);
  return { evaluate: updates(evaluate), save: updates(save), sample: updates(sample) };
}

/** What becomes of the weights. */
function outcomeOf(
  config: Config,
  { start, sampling, save }: Objective,
  { plan, learned, merged }: Run,
  output: string,
): Pick<Training, "sample" | "endEpoch" | "save" | "writeModel"> {
  const { average, sample, seed } = config;
  const last = Math.ceil(plan.steps / plan.perEpoch);
  const count = Math.min(average, last);
  return {
    save: (folder) => save(folder, merged()),
    async writeModel(folder) {
      await save(folder, count > 1 ? await averageEpochs(output, { last, count }, learned, merged) : merged());
    },
    async endEpoch(epoch) {
      if (average > 1) await keepEpoch(output, epoch, learned.tensors, average);
    },
    async sample() {
      if (sampling === undefined || !start.family.causal) return [];
      const ids = sampling.prompts?.(sample.prompts);
      const prompts = ids === undefined ? sample.prompts : undefined;
      if ((ids ?? sample.prompts).length === 0) return [];
      await using generator = await openGenerator({
        ...start,
        tokenizer: sampling.tokenizer,
        weights: Object.fromEntries(merged()),
        session: sessionOptions(config),
      });
      const maxNewTokens = Math.min(sample.maxNewTokens, sampling.tokens);
      const options = { ids, prompts, maxNewTokens, eosTokenId: sampling.ends, doSample: true, topP: 0.9, seed };
      return (await generate(generator, options)).texts;
    },
  };
}
