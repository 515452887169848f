/**
 * Adam and AdamW (Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101) as
 * torch.optim computes them, over flat buffers. The update is an ONNX graph run on cache-sized chunks: the fourteen
 * passes over a chunk stay in the cache, so memory is read and written once.
 */
// N elements of a chunk
import { Graph, type Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { add, div, mul, sqrt, sub, sumAll } from "../graph/ops/index.ts";
import { createSession, type SessionOptions } from "../runtime/session.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

export interface OptimiserConfig {
  /** "adamw" decays weights apart from the gradient (fairseq's "adam" does so too); "adam" adds decay to it. */
  readonly name: "adam" | "adamw";
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of the whole gradient; 0: no clipping. */
  readonly clipNorm: number;
}

export interface OptimiserState {
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Updates done. */
  step: number;
}

export interface Optimiser extends AsyncDisposable {
  readonly state: OptimiserState;
  /**
   * Updates parameters from `gradient / scale`, and gives that gradient's norm before clipping. Where the norm is not
   * finite nothing is updated.
   */
  update(gradient: Float32Array, learningRate: number, scale?: number): Promise<{ gradientNorm: number }>;
  dispose(): Promise<void>;
}

/** Elements: measured best of 2^14 … 2^18 on a processor with 1 MiB of L2 a core. */
const chunkElements = 1 << 18;

/** Views of one chunk of several buffers; made once, so that a step makes no tensors. */
function chunksOf(...buffers: readonly Float32Array[]): Tensor[][] {
  const length = buffers[0]!.length;
  const chunks: Tensor[][] = [];
  for (let start = 0; start < length; start += chunkElements) {
    const end = Math.min(length, start + chunkElements);
    chunks.push(buffers.map((buffer) => tensor("float32", [end - start], buffer.subarray(start, end))));
  }
  return chunks;
}

/** What an update graph is fed besides the four chunks, each a float32 scalar. */
const settings = ["keep1", "new1", "keep2", "new2", "rate", "epsilon", "decay", "clip", "coupled"] as const;
type Settings = Record<(typeof settings)[number], number>;

/** Inputs p, g, m, v [N] and the settings; outputs p', m', v'. */
function updateGraph(coupled: boolean): Graph {
  const g = new Graph();
  const vector = (name: string): Value => g.input(name, "float32", ["N"]);
  const setting = (name: keyof Settings): Value => g.input(name, "float32", []);
  const p_N = vector("p");
  const gradient_N = vector("g");
  // Coupled decay joins the gradient after clipping, so there the clipping cannot hide in new1 and new2.
  const total_N = coupled ? add(mul(gradient_N, setting("clip")), mul(p_N, setting("coupled"))) : gradient_N;
  const m_N = add(mul(vector("m"), setting("keep1")), mul(total_N, setting("new1")));
  const v_N = add(mul(vector("v"), setting("keep2")), mul(mul(total_N, total_N), setting("new2")));
  const change_N = div(mul(m_N, setting("rate")), add(sqrt(v_N), setting("epsilon")));
  g.output("p'", sub(mul(p_N, setting("decay")), change_N));
  g.output("m'", m_N);
  g.output("v'", v_N);
  return g;
}

/** Input g [N]; output its sum of squares. */
function normGraph(): Graph {
  const g = new Graph();
  const gradient_N = g.input("g", "float32", ["N"]);
  g.output("squares", sumAll(mul(gradient_N, gradient_N)));
  return g;
}

/** torch's formula with the bias corrections and the clipping folded into scalars, so that they cost no pass. */
function settingsOf(config: OptimiserConfig, step: number, learningRate: number, clip: number): Settings {
  const [beta1, beta2] = config.betas;
  const correction2 = Math.sqrt(1 - beta2 ** step);
  const decoupled = config.name === "adamw";
  return {
    keep1: beta1,
    new1: (1 - beta1) * (decoupled ? clip : 1),
    keep2: beta2,
    new2: (1 - beta2) * (decoupled ? clip * clip : 1),
    rate: (learningRate * correction2) / (1 - beta1 ** step),
    epsilon: config.epsilon * correction2,
    decay: decoupled ? 1 - learningRate * config.weightDecay : 1,
    clip,
    coupled: config.weightDecay,
  };
}

/** An optimiser over `parameters`, which it updates in place. `state`: what a checkpoint kept, else zeros. */
export async function createOptimiser(
  config: OptimiserConfig,
  parameters: Float32Array,
  options: SessionOptions & { state?: OptimiserState } = {},
): Promise<Optimiser> {
  const zero = (): Float32Array => new Float32Array(parameters.length);
  const state = options.state ?? { firstMoment: zero(), secondMoment: zero(), step: 0 };
  const updates = await createSession(toOnnx(updateGraph(config.name === "adam")), options);
  const norms = await createSession(toOnnx(normGraph()), options);
  const chunks = chunksOf(parameters, state.firstMoment, state.secondMoment);
  const gradientChunks = new WeakMap<Float32Array, Tensor[][]>();

  const dispose = async (): Promise<void> => {
    await updates.dispose();
    await norms.dispose();
  };
  return {
    state,
    async update(gradient: Float32Array, learningRate: number, scale = 1): Promise<{ gradientNorm: number }> {
      let parts = gradientChunks.get(gradient);
      if (parts === undefined) gradientChunks.set(gradient, (parts = chunksOf(gradient)));
      let squares = 0;
      for (const [g] of parts) squares += Number((await norms.run({ g: g! }))["squares"]!.data[0]);
      const gradientNorm = Math.sqrt(squares) / scale;
      if (!Number.isFinite(gradientNorm)) return { gradientNorm };
      // As torch.nn.utils.clip_grad_norm_: never enlarged, 1e-6 against division by zero.
      const clip = (config.clipNorm > 0 ? Math.min(1, config.clipNorm / (gradientNorm + 1e-6)) : 1) / scale;
      state.step += 1;
      const numbers = settingsOf(config, state.step, learningRate, clip);
      const feeds = Object.fromEntries(
        settings.map((name) => [name, tensor("float32", [], Float32Array.of(numbers[name]))]),
      );
      for (let i = 0; i < chunks.length; i++) {
        const [p, m, v] = chunks[i]! as [Tensor, Tensor, Tensor];
        const g = parts[i]![0]!;
        await updates.run({ p, g, m, v, ...feeds }, { "p'": p, "m'": m, "v'": v });
      }
      return { gradientNorm };
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Adds one flat buffer to another in place, chunk by chunk: gradients over micro-batches. */
export async function createAccumulator(
  target: Float32Array,
  source: Float32Array,
  options: SessionOptions = {},
): Promise<AsyncDisposable & { add(): Promise<void> }> {
  const g = new Graph();
  g.output("sum", add(g.input("target", "float32", ["N"]), g.input("source", "float32", ["N"])));
  const session = await createSession(toOnnx(g), options);
  const chunks = chunksOf(target, source);
  return {
    async add(): Promise<void> {
      for (const [to, from] of chunks) await session.run({ target: to!, source: from! }, { sum: to! });
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}
