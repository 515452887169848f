/**
 * Losses of preferences, as TRL 1.16 computes them, over values of a graph: of rewards (Bradley–Terry), of pairs of
 * completions (DPO and its relatives) and of completions that were judged alone (KTO). Each gives a vector, an example a
 * number; the mean of these is the loss. Left out: TRL's other kinds of pairs, and divergences other than reverse KL.
 */
// B pairs or completions
import type { Value } from "../graph/graph.ts";
import { add, binaryCrossEntropy, div, mul, neg, scale, shift, sigmoid, sub } from "../graph/ops/index.ts";

/** −log σ(x). */
function negativeLogSigmoid(x: Value): Value {
  return binaryCrossEntropy(x, x.graph.scalar(1, x.dtype));
}

export interface RewardOptions {
  /** By how much the better reward should at least be the larger one, [B]; 0 where nothing is known of that. */
  readonly margins_B: Value;
  /** What (r⁺ + r⁻)² is added times, so that rewards stay around 0 (Eisenstein et al. 2023, arXiv:2312.09244). */
  readonly centring: number;
}

/** Bradley and Terry 1952: −log σ(r⁺ − r⁻ − margin). */
export function rewardLoss(better_B: Value, worse_B: Value, { margins_B, centring }: RewardOptions): Value {
  const loss_B = negativeLogSigmoid(sub(sub(better_B, worse_B), margins_B));
  if (centring === 0) return loss_B;
  const sum_B = add(better_B, worse_B);
  return add(loss_B, scale(mul(sum_B, sum_B), centring));
}

/**
 * What may be done with Δ, the chosen completion's log-ratio less the rejected one's:
 * - "sigmoid": −log σ(βΔ), DPO (Rafailov et al. 2023, arXiv:2305.18290); with smoothing ε the labels are taken to be wrong
 *   in a share ε of pairs, −(1 − ε) log σ(βΔ) − ε log σ(−βΔ) (Mitchell 2023, "cDPO");
 * - "robust": the same made unbiased, −((1 − ε) log σ(βΔ) − ε log σ(−βΔ)) / (1 − 2ε) (Chowdhury et al. 2024,
 *   arXiv:2403.00409);
 * - "ipo": (Δ − 1 / 2β)² of log-ratios a token (Azar et al. 2023, arXiv:2310.12036);
 * - "sigmoid_norm": −log σ(βΔ) of log-ratios a token, as SimPO divides by lengths (Meng et al. 2024, arXiv:2405.14734).
 */
export const preferenceKinds = ["sigmoid", "robust", "ipo", "sigmoid_norm"] as const;
export type PreferenceKind = (typeof preferenceKinds)[number];

/** Of each completion of a pair, [B]: log π − log π_ref, summed over its tokens, and how many these are. */
export interface CompletionRatios {
  readonly ratios_B: Value;
  readonly lengths_B: Value;
}

export interface PreferenceOptions {
  readonly kind: PreferenceKind;
  /** How far the model may go from the reference: the less, the further. */
  readonly beta: number;
  /** ε of "sigmoid" and "robust", below 0.5. */
  readonly smoothing: number;
}

export function preferenceLoss(
  chosen: CompletionRatios,
  rejected: CompletionRatios,
  { kind, beta, smoothing }: PreferenceOptions,
): Value {
  const byTokens = kind === "ipo" || kind === "sigmoid_norm";
  const of = ({ ratios_B, lengths_B }: CompletionRatios): Value => (byTokens ? div(ratios_B, lengths_B) : ratios_B);
  const apart_B = sub(of(chosen), of(rejected));
  if (kind === "ipo") {
    const miss_B = shift(apart_B, -1 / (2 * beta));
    return mul(miss_B, miss_B);
  }
  const scaled_B = scale(apart_B, beta);
  if (smoothing === 0 || kind === "sigmoid_norm") return negativeLogSigmoid(scaled_B);
  const right_B = scale(negativeLogSigmoid(scaled_B), 1 - smoothing);
  const wrong_B = scale(negativeLogSigmoid(neg(scaled_B)), smoothing);
  return kind === "sigmoid" ? add(right_B, wrong_B) : scale(sub(right_B, wrong_B), 1 / (1 - 2 * smoothing));
}

export interface JudgedOptions {
  /** log π − log π_ref of each completion, [B]. */
  readonly ratios_B: Value;
  /** An estimate of KL(π ‖ π_ref), a scalar that is not differentiated. */
  readonly divergence: Value;
  /** 1 for a desirable completion, −1 for another, [B]. */
  readonly signs_B: Value;
  /** What each one's loss is times, [B]. */
  readonly weights_B: Value;
  readonly beta: number;
}

/** KTO (Ethayarajh et al. 2024, arXiv:2402.01306, equation 7): w (1 − σ(β(r − KL))), or w (1 − σ(β(KL − r))). */
export function judgedLoss({ ratios_B, divergence, signs_B, weights_B, beta }: JudgedOptions): Value {
  const gain_B = scale(mul(sub(ratios_B, divergence), signs_B), beta);
  return mul(shift(neg(sigmoid(gain_B)), 1), weights_B);
}
