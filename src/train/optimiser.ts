/**
 * Adam and AdamW (Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101) as torch.optim
 * computes them, over flat buffers, in one pass of WebAssembly. Buffers of one arena are updated where they lie; any
 * others will do, more slowly. The order of every sum is fixed: the same inputs give the same bits.
 */
import { type AdamFactors, allocateBeside, walk } from "./arena.ts";

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

export interface Optimiser {
  readonly state: OptimiserState;
  /**
   * Updates parameters from `gradient / scale`, and gives that gradient's norm before clipping. Where the norm is not
   * finite nothing is updated.
   */
  update(gradient: Float32Array, learningRate: number, scale?: number): { gradientNorm: number };
}

/** An optimiser over `parameters`, which it updates in place. `state`: what a checkpoint kept, else zeros. */
export function createOptimiser(
  config: OptimiserConfig,
  parameters: Float32Array,
  options: { readonly state?: OptimiserState } = {},
): Optimiser {
  const state = options.state ?? {
    firstMoment: allocateBeside(parameters),
    secondMoment: allocateBeside(parameters),
    step: 0,
  };
  return {
    state,
    update(gradient, learningRate, scale = 1) {
      const gradientNorm = Math.sqrt(squaresOf(gradient)) / scale;
      if (!Number.isFinite(gradientNorm)) return { gradientNorm };
      // As torch.nn.utils.clip_grad_norm_: never enlarged, 1e-6 against division by zero.
      const clip = config.clipNorm > 0 ? Math.min(1, config.clipNorm / (gradientNorm + 1e-6)) : 1;
      const step = state.step + 1;
      const factors = factorsOf(config, step, learningRate, clip / scale);
      walk([parameters, state.firstMoment, state.secondMoment, gradient], 3, (kernels, [p, m, v, g], length) =>
        kernels.adam(p!, m!, v!, g!, length, ...factors),
      );
      state.step = step;
      return { gradientNorm };
    },
  };
}

/** torch's formula with the bias corrections folded into factors of the whole step. `scale` multiplies the gradient. */
function factorsOf(config: OptimiserConfig, step: number, learningRate: number, scale: number): AdamFactors {
  const [beta1, beta2] = config.betas;
  const correction2 = Math.sqrt(1 - beta2 ** step);
  const rate = (learningRate * correction2) / (1 - beta1 ** step);
  const [coupled, decay] =
    config.name === "adam" ? [config.weightDecay, 1] : [0, 1 - learningRate * config.weightDecay];
  return [scale, coupled, beta1, 1 - beta1, beta2, 1 - beta2, rate, config.epsilon * correction2, decay];
}

/** Summed in float64, yet infinite where float32 overflows: the second moment would, and never forget it. */
function squaresOf(gradient: Float32Array): number {
  let sum = 0;
  walk([gradient], 0, (kernels, [g], length) => (sum += kernels.squares(g!, length)));
  return Math.fround(sum);
}

/** Adds one flat buffer to another in place: gradients over micro-batches. */
export function accumulate(target: Float32Array, source: Float32Array): void {
  walk([target, source], 1, (kernels, [to, from], length) => kernels.add(to!, from!, length));
}
