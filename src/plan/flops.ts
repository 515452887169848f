/**
 * Operations of a training, and how long they take. A token costs 6 N (Kaplan et al. 2020, arXiv:2001.08361, §2.1: 2 N
 * forward, 4 N backward; N: all weights), and attention 12 · layers · width · tokens of a row (Chowdhery et al. 2022,
 * arXiv:2204.02311, appendix B) beside it. Utilisation is the share of the accelerators' peak that 6 N of all tokens are,
 * attention and recomputation left out: so Meditron's 42.3 % is counted, and what follows from Llama 2's hours.
 */
import { ConfigError } from "../errors.ts";
import type { Fleet } from "./accelerators.ts";
import type { Network } from "./network.ts";

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** 6 N. */
export function flopsOfToken({ parameters }: Pick<Network, "parameters">): number {
  return 6 * parameters;
}

/** Of scores and sums, over whole rows; a decoder that leaves out what none sees does half of it. */
export function attentionFlopsOfToken(
  { layers, heads, headWidth }: Pick<Network, "layers" | "heads" | "headWidth">,
  tokensOfRow: number,
): number {
  return 12 * layers * heads * headWidth * tokensOfRow;
}

/**
 * What published trainings reached: 0.35 to 0.45 from 7B weights on (Llama 2 13B to 70B: 0.38 to 0.43, Meditron 0.42,
 * torchtitan's 8B 0.36 to 0.41), 0.2 to 0.3 up to 3B (BioMedLM 2.7B: 0.225); in between along the logarithm.
 */
export function usualUtilisation(parameters: number): Range {
  const part = Math.min(1, Math.max(0, Math.log(parameters / 3e9) / Math.log(7 / 3)));
  return { low: 0.2 + 0.15 * part, high: 0.3 + 0.15 * part };
}

/** "0.4", or "0.35-0.45". @throws ConfigError. */
export function utilisationFrom(text: string): Range {
  const [, first, second = first] = /^\s*([\d.]+)\s*(?:[-–]\s*([\d.]+))?\s*$/.exec(text) ?? [];
  return checkedUtilisation({ low: Number(first), high: Number(second) }, text);
}

/** @throws ConfigError where it is no range of shares. */
export function checkedUtilisation({ low, high }: Range, shown = `${low} to ${high}`): Range {
  if (low > 0 && low <= high && high <= 1) return { low, high };
  const hint = { hint: "a share of the peak, such as 0.4, or 0.35-0.45" };
  throw new ConfigError(`utilisation: expected shares above 0 and at most 1, the lower first, got "${shown}"`, hint);
}

/** Of so many operations at this share of the peak. */
export function daysOf(flops: number, { count, accelerator }: Fleet, utilisation: number): number {
  return flops / (count * accelerator.peak * utilisation) / 86_400;
}
