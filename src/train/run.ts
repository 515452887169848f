/** A run's parts, put together: the compiled loss, memory, optimiser, and what an update and an evaluation are. */
import { Owned } from "../runtime/owned.ts";
import { type Parameters, startParameters } from "../runtime/parameters.ts";
import type { Tensors } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { createArena } from "./arena.ts";
import type { TrainState } from "./checkpoint.ts";
import { lossProgram } from "./compiler.ts";
import type { Config } from "./config.ts";
import { type Frozen, frozenOf, frozenWeights, readFrozen } from "./frozen.ts";
import type { Evaluation, Update } from "./loop.ts";
import type { LossProgram, Objective, Start } from "./objectives/objective.ts";
import { createOptimiser } from "./optimiser.ts";
import { heldOutBatches, type Plan, planOf } from "./plan.ts";
import {
  allocateGradients,
  checkTrainable,
  type Gradients,
  isNew,
  type Learned,
  learnedCount,
  learnedOf,
  mergedTensors,
} from "./trainable.ts";
import { alone, createUpdater, firstLossScale, meanOutcome, type Peers } from "./updater.ts";

export interface Run extends AsyncDisposable {
  readonly plan: Plan;
  readonly state: TrainState;
  /** Weights as the graph reads them, without those `inBits`; what learns is changed in place. */
  readonly parameters: Parameters;
  /** Weights that stay in few bits in memory. */
  readonly inBits: Frozen;
  readonly learned: Learned;
  /** Names of weights that the start lacks. */
  readonly fresh: readonly string[];
  /** The update after `state.step`; undefined where it was abandoned for a signal. */
  update(rate: number): Promise<Update | undefined>;
  /** Of the held-out labels or examples; undefined without any, or for a signal. */
  evaluate(): Promise<Evaluation | undefined>;
  /** Whether a weight is [inputs, outputs]. */
  transposed(name: string): boolean;
  /** Weights of the model as it is, adapters merged. */
  merged(): Map<string, Tensor<"float32">>;
}

export interface RunParts {
  readonly peers?: Peers | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: as configured. */
  readonly plan?: Plan | undefined;
}

/** @throws ConfigError or CheckpointError where configuration, objective and weights do not fit. */
export async function createRun(
  config: Config,
  objective: Objective,
  { peers = alone, signal, plan = planOf(config, objective) }: RunParts = {},
): Promise<Run> {
  const owned = new Owned();
  const program = owned.use(lossProgram(config, objective));
  try {
    const { graph } = program;
    const { start, valid } = objective;
    checkTrainable(graph, config, start);
    const memory = await allocate(config, program, start);
    const { parameters, frozen, learned } = memory;
    const optimiser = createOptimiser(config.optimiser, learned.flat);
    const state: TrainState = { step: 0, learned: learned.tensors, optimiser: optimiser.state };
    if (config.precision === "float16") state.lossScale = firstLossScale;
    const weights = { ...Object.fromEntries(parameters.tensors), ...frozen.tensors };
    const all = new Map([...parameters.tensors, ...frozenWeights(frozen.shapes, frozen.tensors)]);
    const fixed = { config, objective, program, plan, weights, peers, signal };
    return {
      plan,
      state,
      parameters,
      learned,
      fresh: [...graph.parameters].flatMap(([name, { head }]) => (head && !start.entries.has(name) ? [name] : [])),
      update: createUpdater({ ...fixed, ...memory, state, optimiser }),
      async evaluate() {
        if (valid === undefined || config.evaluate.examples === 0) return undefined;
        const batches = heldOutBatches(config, valid).map((numbers) => () => valid.batch(numbers));
        return meanOutcome(program, weights, batches, { ...objective, step: state.step }, signal);
      },
      transposed: (name) => graph.parameters.get(name)?.transposed === true,
      inBits: frozen.shapes,
      merged: () => mergedTensors(graph, all, config.lora),
      [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
    };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

interface Memory {
  readonly parameters: Parameters;
  readonly frozen: { readonly shapes: Frozen; readonly tensors: Tensors };
  readonly learned: Learned;
  readonly gradients: Gradients;
  readonly scratch: Gradients;
}

async function allocate(config: Config, { graph }: LossProgram, start: Start): Promise<Memory> {
  const { trainable, accumulate, seed } = config;
  // What learns, its gradients, two moments; and a micro-batch's gradients where they are added up.
  const { allocate: take } = createArena(learnedCount(graph, trainable, start), accumulate === 1 ? 4 : 5);
  const isFresh = (name: string): boolean => isNew(name, graph.parameters.get(name)!, start);
  const shapes = frozenOf(graph, config, start);
  const whole = { parameters: new Map([...graph.parameters].filter(([name]) => !shapes.has(name))) };
  const parameters = await startParameters(whole, start, seed, isFresh, trainable === "all" ? take : undefined);
  const learned = learnedOf(graph, parameters, trainable, start, take);
  const gradients = allocateGradients(graph, trainable, start, take);
  const scratch = accumulate === 1 ? gradients : allocateGradients(graph, trainable, start, take);
  const frozen = { shapes, tensors: await readFrozen(shapes, start) };
  return { parameters, frozen, learned, gradients, scratch };
}
