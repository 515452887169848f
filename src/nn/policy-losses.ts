/**
 * Losses of policies that are trained on their own samples, as TRL 1.16's GRPOTrainer and RLOOTrainer compute them, over
 * values of a graph. Left out: TRL's other losses (BNPO, CISPO, SAPO, …), two-sided clipping, an entropy bonus.
 */
// N tokens, B samples
import type { Value } from "../graph/graph.ts";
import { exp, less, mul, neg, shift, sub, where } from "../graph/ops/index.ts";

/**
 * PPO's clipped objective with its sign turned (Schulman et al. 2017, arXiv:1707.06347, equation 7), for each element:
 * −min(r A, clip(r, 1 − ε, 1 + ε) A) with r = e^`logRatio`, the policy's probability over that of when it was sampled.
 */
export function clippedLoss(logRatio: Value, advantage: Value, epsilon: number): Value {
  const { graph, dtype } = logRatio;
  const [low, high] = [graph.scalar(1 - epsilon, dtype), graph.scalar(1 + epsilon, dtype)];
  const ratio = exp(logRatio);
  const clipped = where(less(ratio, low), low, where(less(high, ratio), high, ratio));
  const [free, held] = [mul(ratio, advantage), mul(clipped, advantage)];
  return neg(where(less(free, held), free, held));
}

/**
 * An estimate of the divergence KL(policy ‖ reference) from a policy's own samples that is never negative (Schulman 2020,
 * "Approximating KL Divergence", k3): e^(ρ − π) − (ρ − π) − 1 with the log-probabilities π and ρ of each token.
 */
export function divergenceEstimate(policy_N: Value, reference_N: Value): Value {
  const apart_N = sub(reference_N, policy_N);
  return shift(sub(exp(apart_N), apart_N), -1);
}
