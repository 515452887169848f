/**
 * The training loop: evaluate, sample, save, step, log. All that the next step depends on is in one `TrainState`;
 * data order and dropout are functions of (seed, step), so a resumed run equals an uninterrupted one bit for bit.
 */
// B rows, T tokens
import { join } from "node:path";
import { writeFileAtomically } from "../checkpoints/files.ts";
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { type Family, familyOf } from "../models/index.ts";
import { lossGraph, type LossOptions } from "../models/programs.ts";
import { Owned } from "../runtime/owned.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "../runtime/ort.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { allocateParameters, type Parameters, startParameters } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { type BlockSampler, createMaskedSampler, createSampler, labelsOfBlock } from "./batches.ts";
import {
  listCheckpoints,
  type ModelFiles,
  restoreCheckpoint,
  saveCheckpoint,
  saveModel,
  type TrainState,
} from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import type { MaskingVocabulary } from "./masking.ts";
import { openMetricsLog } from "./metrics-log.ts";
import { createAccumulator, createOptimiser } from "./optimiser.ts";
import { learningRate } from "./schedule.ts";
import { openTokens, type TokenFile } from "./token-files.ts";

export interface TrainOptions {
  /** Token files (prefixes of .bin and .idx). */
  readonly data: { readonly train: string; readonly valid?: string | undefined };
  /** Folder of the run: metrics.jsonl, run.json, checkpoints/, model/. */
  readonly output: string;
  /** Directory of the weights to start from, of `config.model`'s shape but for tokens that its vocabulary lacks. */
  readonly model?: string | undefined;
  /** The tokenizer's files, saved with the weights. */
  readonly tokenizerFiles?: ReadonlyMap<string, string>;
  /** What a masked objective masks with. */
  readonly vocabulary?: MaskingVocabulary | undefined;
  /** Continue from the last checkpoint in `output`. */
  readonly resume?: boolean;
  /** Aborted: the run saves and stops after the step under way. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void | Promise<void>;
  /** Called every `sample.every` updates with a way to save the model as it is. */
  readonly onSample?: (step: number, save: (folder: string) => Promise<void>) => Promise<readonly string[]>;
}

export type TrainEvent =
  | { readonly type: "started"; readonly step: number; readonly parameters: number; readonly blocks: number }
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly tokensPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly type: "evaluated"; readonly step: number; readonly loss: number; readonly perplexity: number }
  | { readonly type: "sampled"; readonly step: number; readonly texts: readonly string[] }
  | { readonly type: "saved"; readonly step: number; readonly folder: string };

export interface TrainResult {
  /** Updates done; fewer than asked where the run was stopped. */
  readonly step: number;
  readonly stopped: boolean;
  /** Perplexity on the held-out tokens before the first update of this call, and after the last. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** Mean loss of the last update. */
  readonly loss: number;
  /** Hugging Face directory. */
  readonly model: string;
}

/**
 * Runs a training to its end, or to where `signal` stops it.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function train(config: TrainConfig, options: TrainOptions): Promise<TrainResult> {
  const { output, signal } = options;
  const session: SessionOptions = { device: config.device, threads: config.threads === 0 ? undefined : config.threads };
  await using run = await prepare(config, options, session);
  const { state, files } = run;
  if (options.resume === true) await restoreCheckpoint(output, state);
  else if ((await listCheckpoints(output)).length > 0) {
    throw new ConfigError(`${output}: expected a folder without checkpoints, got those of another run`, {
      hint: "resume that run (--resume), or name another folder",
    });
  }
  run.optimiser.state.step = state.step;
  await writeFileAtomically(join(output, "run.json"), `${JSON.stringify(config, null, 2)}\n`);
  const log = await openMetricsLog(join(output, "metrics.jsonl"), state.step);
  const emit = async (event: TrainEvent): Promise<void> => {
    if (event.type !== "started" && event.type !== "saved") log.write(event);
    await options.onEvent?.(event);
  };
  const evaluate = async (): Promise<number | undefined> => {
    const loss = await run.evaluate();
    if (loss === undefined) return undefined;
    await emit({ type: "evaluated", step: state.step, loss, perplexity: Math.exp(loss) });
    return Math.exp(loss);
  };
  const save = async (): Promise<void> => {
    const folder = await saveCheckpoint(output, state, files, config.save);
    await emit({ type: "saved", step: state.step, folder });
  };
  const due = (every: number): boolean => every > 0 && state.step % every === 0;

  await emit({ type: "started", step: state.step, parameters: state.parameters.flat.length, blocks: run.blocks });
  const before = await evaluate();
  const clock = stopwatch(config, state.step);
  let loss = NaN;
  let stopped = false;
  while (state.step < config.steps) {
    const rate = learningRate(config.schedule, state.step + 1, config.steps);
    const result = await run.step(rate);
    stopped = signal?.aborted === true;
    if (result === undefined) break;
    state.step += 1;
    loss = result.loss;
    const { gradientNorm } = result;
    await emit({
      type: "step",
      step: state.step,
      steps: config.steps,
      loss,
      learningRate: rate,
      gradientNorm,
      ...clock(state.step),
    });
    if (stopped || state.step === config.steps) break;
    if (due(config.evaluate.every)) await evaluate();
    if (due(config.save.every)) await save();
    if (due(config.sample.every) && options.onSample !== undefined) {
      const texts = await options.onSample(state.step, (folder) => saveModel(folder, state.parameters, files));
      await emit({ type: "sampled", step: state.step, texts });
    }
  }
  await save();
  const after = stopped ? undefined : await evaluate();
  const model = join(output, "model");
  if (!stopped) await saveModel(model, state.parameters, files);
  return { step: state.step, stopped, before, after, loss, model };
}

/** Tokens a second over the last steps, and the time left at that rate. */
function stopwatch(
  config: TrainConfig,
  first: number,
): (step: number) => { tokensPerSecond: number; secondsLeft: number } {
  const window: { step: number; time: number }[] = [{ step: first, time: performance.now() }];
  return (step) => {
    window.push({ step, time: performance.now() });
    if (window.length > 20) window.shift();
    const oldest = window[0]!;
    const seconds = (performance.now() - oldest.time) / 1000 / (step - oldest.step);
    const tokens = config.tokens * config.batch * config.accumulate;
    return { tokensPerSecond: tokens / seconds, secondsLeft: (config.steps - step) * seconds };
  };
}

interface Run extends AsyncDisposable {
  readonly state: TrainState;
  readonly files: ModelFiles;
  readonly blocks: number;
  readonly optimiser: { readonly state: { step: number } };
  /** One update; undefined when it was abandoned for a signal. */
  step(rate: number): Promise<{ loss: number; gradientNorm: number } | undefined>;
  /** Mean loss over held-out blocks; undefined without any. */
  evaluate(): Promise<number | undefined>;
}

/** Builds the graphs, the parameters and the optimiser of a run. */
async function prepare(config: TrainConfig, options: TrainOptions, sessionOptions: SessionOptions): Promise<Run> {
  const owned = new Owned();
  try {
    return await assemble(config, options, sessionOptions, owned);
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function assemble(
  config: TrainConfig,
  options: TrainOptions,
  sessionOptions: SessionOptions,
  owned: Owned,
): Promise<Run> {
  const family = familyOf(config.model, "model");
  const model = family.parseConfig(config.model, "model");
  const shape = { batch: config.batch, tokens: config.tokens };
  const { checkpointing, precision } = config;
  const objective = objectiveOf(config, family.causal, options.vocabulary);
  const graph = lossGraph(family, model, {
    ...shape,
    ...objective.graph(config.batch),
    training: true,
    checkpointing,
    precision,
  });
  const parameters = await firstParameters(graph, options.model, family, config.seed);
  const gradients = allocateParameters(graph);
  const scratch = config.accumulate === 1 ? gradients : allocateParameters(graph);
  const files = new Map(options.tokenizerFiles);
  files.set("config.json", `${JSON.stringify({ architectures: [family.architecture], ...model }, null, 2)}\n`);

  const compiled = owned.use(
    await createSession(toOnnx(graph), { ...sessionOptions, keepRecomputation: config.checkpointing }),
  );
  const scoringGraph = lossGraph(family, model, {
    tokens: config.tokens,
    ...objective.graph(undefined),
    gradients: false,
  });
  const scoring = owned.use(await createSession(toOnnx(scoringGraph), sessionOptions));
  const optimiser = owned.use(await createOptimiser(config.optimiser, parameters.flat, sessionOptions));
  const accumulator = owned.use(await createAccumulator(gradients.flat, scratch.flat, sessionOptions));
  const trainTokens = owned.use(openTokens(options.data.train));
  const sampler = objective.sampler(trainTokens, config.seed);
  const valid = options.data.valid === undefined ? undefined : owned.use(openTokens(options.data.valid));
  const held = valid === undefined ? undefined : objective.sampler(valid, 0);

  const weights = Object.fromEntries(parameters.tensors);
  const perUpdate = config.batch * config.accumulate;
  const { firstMoment, secondMoment } = optimiser.state;
  const state: TrainState = { step: 0, parameters, firstMoment, secondMoment };
  if (precision === "float16") state.lossScale = firstLossScale;

  const lossScale = (): number => state.lossScale?.value ?? 1;
  const microStep = async (index: number, into: Parameters): Promise<number> => {
    const first = state.step * perUpdate + index * config.batch;
    const seed = random(config.seed, state.step, index).integer(2147483647);
    const batch = sampler.batch(first, config.batch);
    const inputs: Tensors = {
      ...weights,
      ...batch.inputs,
      scale: tensor("float32", [], Float32Array.of(lossScale() / (batch.counted * config.accumulate))),
      seed: tensor("int64", [], BigInt64Array.of(BigInt(seed))),
    };
    return (await runLoss(compiled, inputs, into)) / lossScale();
  };
  return {
    state,
    files,
    blocks: sampler.blocks,
    optimiser,
    async step(rate: number): Promise<{ loss: number; gradientNorm: number } | undefined> {
      let loss = await microStep(0, gradients);
      for (let index = 1; index < config.accumulate; index++) {
        if (options.signal?.aborted === true) return undefined;
        loss += await microStep(index, scratch);
        await accumulator.add();
      }
      const { gradientNorm } = await optimiser.update(gradients.flat, rate, lossScale());
      if (state.lossScale !== undefined)
        state.lossScale = nextLossScale(state.lossScale, Number.isFinite(gradientNorm));
      return { loss, gradientNorm };
    },
    async evaluate(): Promise<number | undefined> {
      return held === undefined ? undefined : meanLoss(scoring, weights, held, config);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** Fresh ones, or those of a directory; a head that it lacks is new. */
async function firstParameters(
  graph: Graph,
  folder: string | undefined,
  family: Family,
  seed: number,
): Promise<Parameters> {
  const suffix = family.causal ? "ForCausalLM" : "ForMaskedLM";
  const start = folder === undefined ? { folder: "", entries: new Map() } : await openModelFolder(folder, { suffix });
  return startParameters(graph, start, seed, (name) => folder === undefined || name.startsWith("cls."));
}

/** Dynamic loss scaling (Micikevicius et al. 2018, arXiv:1710.03740): halved on overflow, doubled after 2,000 good updates. */
const firstLossScale = { value: 65536, updates: 0 };

function nextLossScale(
  { value, updates }: { value: number; updates: number },
  finite: boolean,
): { value: number; updates: number } {
  if (!finite) return { value: Math.max(1, value / 2), updates: 0 };
  return updates + 1 === 2000 ? { value: value * 2, updates: 0 } : { value, updates: updates + 1 };
}

async function runLoss(session: Session, inputs: Tensors, gradients: Parameters): Promise<number> {
  const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));
  return Number((await session.run(inputs, into))["loss"]!.data[0]);
}

/** Mean loss of a label over the first `evaluate.blocks` held-out blocks. */
async function meanLoss(session: Session, weights: Tensors, held: BlockSampler, config: TrainConfig): Promise<number> {
  const blocks = Math.min(held.blocks, config.evaluate.blocks);
  const scale = tensor("float32", [], Float32Array.of(1));
  let sum = 0;
  let labels = 0;
  for (let first = 0; first < blocks; first += config.batch) {
    const { inputs, counted } = held.inOrder(first, Math.min(config.batch, blocks - first));
    sum += Number((await session.run({ ...weights, ...inputs, scale }))["loss"]!.data[0]);
    labels += counted;
  }
  return sum / labels;
}

/** What is predicted: how the loss graph takes its labels, and where these come from. */
interface Objective {
  /** Without `batch` for any number of rows. */
  graph(batch: number | undefined): Pick<LossOptions, "gathered" | "packed">;
  sampler(file: TokenFile, seed: number): BlockSampler;
}

/** @throws ConfigError when the model is not of the kind that the objective is for. */
function objectiveOf(
  { objective, tokens, model }: TrainConfig,
  causal: boolean,
  vocabulary: MaskingVocabulary | undefined,
): Objective {
  if (causal !== (objective.kind === "causal")) {
    const expected = causal ? "causal" : "masked";
    throw new ConfigError(`objective: expected ${expected} for ${model.model_type}, got ${objective.kind}`);
  }
  if (objective.kind === "causal") {
    return { graph: () => ({}), sampler: (file, seed) => createSampler(file, { tokens, seed }) };
  }
  if (vocabulary === undefined) throw new ConfigError("vocabulary: expected one for a masked objective, got none");
  const { rate, wholeWords, acrossDocuments } = objective;
  return {
    graph: (batch) => ({
      gathered: batch === undefined ? true : batch * labelsOfBlock(tokens, rate),
      packed: !acrossDocuments,
    }),
    sampler: (file, seed) => createMaskedSampler(file, { tokens, seed, rate, wholeWords }, vocabulary),
  };
}

export type { TrainConfig } from "./config.ts";
