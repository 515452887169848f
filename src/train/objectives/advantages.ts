/**
 * How much better each sample is than the others of its prompt: GRPO's (Shao et al. 2024, arXiv:2402.03300, §4.1) and
 * RLOO's (Ahmadian et al. 2024, arXiv:2402.14740), as TRL 1.16 computes them. Samples of a prompt follow one another.
 */
import { mean } from "../../metrics/counts.ts";

/** Added to a deviation that is divided by (TRL). */
const epsilon = 1e-4;

/** With n − 1; 0 of a single value. */
export function deviation(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}

/** Values in groups of `size`. */
export function groupsOf(values: readonly number[], size: number): number[][] {
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** What a deviation of rewards is taken of, to divide them by: a prompt's own, or the whole update's. */
export type Scaling = "group" | "batch" | "none";

/** Rewards less their prompt's mean, over a deviation. */
export function relativeAdvantages(rewards: readonly number[], size: number, scaling: Scaling): number[] {
  const whole = scaling === "batch" ? deviation(rewards) : 0;
  return groupsOf(rewards, size).flatMap((group) => {
    const middle = mean(group);
    const divisor = scaling === "none" ? 1 : (scaling === "batch" ? whole : deviation(group)) + epsilon;
    return group.map((reward) => (reward - middle) / divisor);
  });
}

/** Rewards less the mean of the others of their prompt; with "batch" brought to mean 0 and deviation 1 over the update. */
export function leaveOneOut(rewards: readonly number[], size: number, scaling: "batch" | "none"): number[] {
  const advantages = groupsOf(rewards, size).flatMap((group) => {
    const sum = group.reduce((total, reward) => total + reward, 0);
    return group.map((reward) => reward - (sum - reward) / (size - 1));
  });
  if (scaling === "none") return advantages;
  const [middle, spread] = [mean(advantages), deviation(advantages)];
  return advantages.map((advantage) => (advantage - middle) / (spread + epsilon));
}
