/**
 * The loss of a policy's samples: its graph, what the graph is fed, and what a sample weighs, as TRL's GRPOTrainer and
 * RLOOTrainer have them.
 */
// R samples, T tokens, N tokens of answers
import type { Graph, Value } from "../../graph/graph.ts";
import { add, exp, matMul, mul, reshape, scale, sub, sumAll } from "../../graph/ops/index.ts";
import { tokenLogProbabilities } from "../../models/graphs.ts";
import type { Family, ModelConfig } from "../../models/index.ts";
import { clippedLoss, divergenceEstimate } from "../../nn/policy-losses.ts";
import { int64 } from "../../runtime/batch.ts";
import type { Tensors } from "../../runtime/session.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Rollout, Sample } from "./rollouts.ts";
import { float32, int64List } from "./texts.ts";

export interface LossSettings {
  readonly method: "grpo" | "rloo";
  /** Of GRPO: what the sum over tokens is divided by. */
  readonly loss: "dapo" | "grpo" | "dr_grpo";
  readonly epsilon: number;
  readonly beta: number;
  readonly temperature: number;
  readonly maxNewTokens: number;
}

/** Tokens of a sample's answer. */
export const answerLength = ({ ids, prompt }: Pick<Sample, "ids" | "prompt">): number => ids.length - prompt;

/** What an update's loss is a sum over: tokens of all answers (DAPO), or samples. */
export function countOf({ method, loss }: LossSettings, samples: readonly Sample[]): number {
  if (method === "rloo" || loss !== "dapo") return samples.length;
  return samples.reduce((sum, one) => sum + answerLength(one), 0);
}

/** What each token of an answer counts. DR-GRPO divides by the longest that there could be, so that no length is favoured. */
function coefficient({ loss, maxNewTokens }: LossSettings, sample: Sample): number {
  if (loss === "dapo") return 1;
  return 1 / (loss === "grpo" ? answerLength(sample) : maxNewTokens);
}

/**
 * Inputs: those of `tokenLogProbabilities`; `old` [N] log-probabilities of when the samples were drawn; for GRPO
 * `advantages` and `coefficients` [N] and with a divergence `reference` [N]; for RLOO, whose ratio is a whole sample's,
 * `advantages` [R] and `members` [R, N], 1 where a token is of a sample. All float32. Output `logProbabilities` [N].
 */
export function policyLoss(g: Graph, family: Family, config: ModelConfig, settings: LossSettings): Value {
  const { method, epsilon, beta, temperature } = settings;
  const own_N = tokenLogProbabilities(g, family, config, temperature);
  g.output("logProbabilities", own_N);
  const logRatio_N = sub(own_N, g.input("old", "float32", ["N"]));
  if (method === "rloo") {
    const members_RN = g.input("members", "float32", ["R", "N"]);
    const logRatio_R = reshape(matMul(members_RN, reshape(logRatio_N, ["N", 1])), ["R"]);
    return sumAll(clippedLoss(logRatio_R, g.input("advantages", "float32", ["R"]), epsilon));
  }
  const weighted = (losses_N: Value): Value => sumAll(mul(losses_N, g.input("coefficients", "float32", ["N"])));
  const clipped_N = clippedLoss(logRatio_N, g.input("advantages", "float32", ["N"]), epsilon);
  if (beta === 0) return weighted(clipped_N);
  const estimate_N = divergenceEstimate(own_N, g.input("reference", "float32", ["N"]));
  // Times the ratio the gradient is that of KL(policy ‖ reference) itself (DeepSeek-AI 2025, arXiv:2512.02556); it is not
  // where the ratio is 1 and left out.
  return weighted(add(clipped_N, scale(mul(estimate_N, exp(logRatio_N)), beta)));
}

/** The tokens of answers: `ids` padded on the right, `at` and `labels`, answer by answer. */
export function answerFeeds(samples: readonly Sample[], padId: number): Tensors {
  const width = Math.max(...samples.map(({ ids }) => ids.length)) - 1;
  const at: number[] = [];
  const labels: number[] = [];
  const rows = samples.map(({ ids, prompt }, row) => {
    for (let t = prompt; t < ids.length; t++) {
      at.push(row * width + t - 1);
      labels.push(ids[t]!);
    }
    return [...ids.slice(0, -1), ...Array<number>(width + 1 - ids.length).fill(padId)];
  });
  return { ids: int64(rows, width), at: int64List(at), labels: int64List(labels) };
}

/** What `policyLoss` takes. */
export function lossFeeds(rollouts: readonly Rollout[], settings: LossSettings, padId: number): Tensors {
  const feeds = answerFeeds(rollouts, padId);
  const counts = rollouts.map(answerLength);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const list = (of: (rollout: Rollout, place: number) => readonly number[]): Tensors[string] =>
    float32(rollouts.flatMap(of), [total]);
  const each = (of: (rollout: Rollout) => number): Tensors[string] =>
    list((one, i) => Array<number>(counts[i]!).fill(of(one)));
  const old = list((one) => one.old);
  if (settings.method === "rloo") {
    let first = 0;
    const members = new Float32Array(rollouts.length * total);
    counts.forEach((count, i) => members.fill(1, i * total + first, i * total + (first += count)));
    return {
      ...feeds,
      old,
      members: tensor("float32", [rollouts.length, total], members),
      advantages: float32(
        rollouts.map(({ advantage }) => advantage),
        [rollouts.length],
      ),
    };
  }
  return {
    ...feeds,
    old,
    advantages: each(({ advantage }) => advantage),
    coefficients: each((one) => coefficient(settings, one)),
    ...(settings.beta === 0 ? {} : { reference: list((one) => one.reference!) }),
  };
}

/** How many of an answer's tokens have a ratio that the clipping holds; of RLOO the whole answer's, 0 or 1. */
export function clippedCount(
  { method, epsilon }: LossSettings,
  { old, advantage }: Pick<Rollout, "old" | "advantage">,
  own: readonly number[],
): number {
  const isHeld = (logRatio: number): boolean => {
    const ratio = Math.exp(logRatio);
    return advantage < 0 ? ratio < 1 - epsilon : advantage > 0 && ratio > 1 + epsilon;
  };
  const apart = own.map((value, i) => value - old[i]!);
  if (method === "grpo") return apart.filter(isHeld).length;
  return Number(isHeld(apart.reduce((sum, value) => sum + value, 0)));
}
