/**
 * Pre-training on token files: graphs, batches and losses. The loop itself is in `loop.ts`. Data order and dropout are
 * functions of (seed, step).
 */
// B rows, T tokens
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { familyOf } from "../models/index.ts";
import { lossGraph, type LossOptions } from "../models/graphs.ts";
import { Owned } from "../runtime/owned.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "../runtime/session.ts";
import { openModelFolder } from "../runtime/folder.ts";
import {
  type Allocate,
  allocateParameters,
  parameterCount,
  type Parameters,
  startParameters,
} from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { createArena } from "./arena.ts";
import { type BlockSampler, createMaskedSampler, createSampler, labelsOfBlock } from "./batches.ts";
import { saveModel, type TrainState } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import type { MaskingVocabulary } from "./masking.ts";
import { accumulate, createOptimiser } from "./optimiser.ts";
import {
  checkOutput,
  type RunEvent,
  type RunOptions,
  type RunResult,
  runUpdates,
  startRun,
  type Training,
} from "./loop.ts";
import { openTokens, type TokenFile } from "../corpus/token-files.ts";

export interface TrainOptions extends RunOptions<TrainEvent> {
  /** Token files (prefixes of .bin and .idx). */
  readonly data: { readonly train: string; readonly valid?: string | undefined };
  /** Directory of the weights to start from, of `config.model`'s shape but for tokens that its vocabulary lacks. */
  readonly model?: string | undefined;
  /** The tokenizer's files, saved with the weights. */
  readonly tokenizerFiles?: ReadonlyMap<string, string>;
  /** What a masked objective masks with. */
  readonly vocabulary?: MaskingVocabulary | undefined;
  /** Called every `sample.every` updates with a way to save the model as it is. */
  readonly onSample?: (step: number, save: (folder: string) => Promise<void>) => Promise<readonly string[]>;
}

export type TrainEvent =
  | { readonly type: "started"; readonly step: number; readonly parameters: number; readonly blocks: number }
  | RunEvent<{ readonly tokensPerSecond: number }, { readonly perplexity: number }>
  | { readonly type: "sampled"; readonly step: number; readonly texts: readonly string[] };

/** `before` and `after` are perplexities. */
export type TrainResult = RunResult;

/**
 * Runs a training to its end, or to where `signal` stops it.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function train(config: TrainConfig, options: TrainOptions): Promise<TrainResult> {
  await checkOutput(options.output, options.resume);
  await using owned = new Owned();
  const { blocks, ...parts } = await prepare(config, options, owned);
  const { state, files } = parts;
  const emit = await startRun(options, state, config);
  await emit({ type: "started", step: state.step, parameters: state.parameters.flat.length, blocks });
  const result = await runUpdates(
    {
      ...parts,
      steps: config.steps,
      schedule: config.schedule,
      keep: config.save.keep,
      describe: (tokensPerSecond: number) => ({ tokensPerSecond }),
      every: { evaluate: config.evaluate.every, save: config.save.every, sample: config.sample.every },
      async sample() {
        if (options.onSample === undefined) return;
        const texts = await options.onSample(state.step, (folder) => saveModel(folder, state.parameters, files));
        await emit({ type: "sampled", step: state.step, texts });
      },
      writeModel: (folder) => saveModel(folder, state.parameters, files),
    },
    options,
    emit,
  );
  const perplexity = (loss: number | undefined): number | undefined =>
    loss === undefined ? undefined : Math.exp(loss);
  return { ...result, before: perplexity(result.before), after: perplexity(result.after) };
}

type Parts = Pick<Training<unknown, { readonly perplexity: number }>, "state" | "files" | "update" | "evaluate">;

/** Builds the graphs, the parameters and the optimiser of a run. `blocks`: of the training data. */
async function prepare(
  config: TrainConfig,
  options: TrainOptions,
  owned: Owned,
): Promise<Parts & { readonly blocks: number }> {
  const session: SessionOptions = { device: config.device, threads: config.threads === 0 ? undefined : config.threads };
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
  // Parameters, gradients, two moments; and a micro-batch's gradients where they are added up.
  const { allocate } = createArena(parameterCount(graph), config.accumulate === 1 ? 4 : 5);
  const parameters = await firstParameters(graph, options.model, config.seed, allocate);
  const gradients = allocateParameters(graph, allocate);
  const scratch = config.accumulate === 1 ? gradients : allocateParameters(graph, allocate);
  const files = new Map(options.tokenizerFiles);
  files.set("config.json", `${JSON.stringify({ architectures: [family.architecture], ...model }, null, 2)}\n`);

  const compiled = owned.use(
    await createSession(toOnnx(graph), { ...session, keepRecomputation: config.checkpointing }),
  );
  const scoringGraph = lossGraph(family, model, {
    tokens: config.tokens,
    ...objective.graph(undefined),
    gradients: false,
  });
  const scoring = owned.use(await createSession(toOnnx(scoringGraph), session));
  const optimiser = createOptimiser(config.optimiser, parameters.flat);
  const trainTokens = owned.use(openTokens(options.data.train));
  const sampler = objective.sampler(trainTokens, config.seed);
  const valid = options.data.valid === undefined ? undefined : owned.use(openTokens(options.data.valid));
  const held = valid === undefined ? undefined : objective.sampler(valid, 0);

  const weights = Object.fromEntries(parameters.tensors);
  const perUpdate = config.batch * config.accumulate;
  const state: TrainState = { step: 0, parameters, optimiser: optimiser.state };
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
    async update(rate) {
      let loss = await microStep(0, gradients);
      for (let index = 1; index < config.accumulate; index++) {
        if (options.signal?.aborted === true) return undefined;
        loss += await microStep(index, scratch);
        accumulate(gradients.flat, scratch.flat);
      }
      const { gradientNorm } = optimiser.update(gradients.flat, rate, lossScale());
      if (state.lossScale !== undefined)
        state.lossScale = nextLossScale(state.lossScale, Number.isFinite(gradientNorm));
      return { loss, gradientNorm, work: perUpdate * config.tokens };
    },
    async evaluate() {
      if (held === undefined) return undefined;
      const loss = await meanLoss(scoring, weights, held, config);
      return { loss, perplexity: Math.exp(loss) };
    },
  };
}

/** Fresh ones, or those of a directory; a head that it lacks is new. */
async function firstParameters(
  graph: Graph,
  folder: string | undefined,
  seed: number,
  allocate: Allocate,
): Promise<Parameters> {
  const start =
    folder === undefined ? { folder: "", entries: new Map() } : await openModelFolder(folder, { as: "language" });
  const isNew = (name: string): boolean => folder === undefined || graph.parameters.get(name)!.head === true;
  return startParameters(graph, start, seed, isNew, allocate);
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
