/** What a recipe is: a function of one dial to a complete configuration, at its full scale or in seconds. */
import type { Config } from "../train/config.ts";

export type Scale = "full" | "debug";
/** One dial: the scale. Everything else follows, and can be set by `path=value`. */
export type Recipe = (options?: { readonly scale?: Scale }) => Config;

/** What recipes have in common where they say nothing else. */
export const usual = {
  model: null,
  trainable: "all",
  lora: { rank: 8, alpha: 16, targets: null },
  batch: null,
  tokensPerBatch: null,
  accumulate: 1,
  steps: null,
  epochs: null,
  evaluate: { every: 0, examples: null },
  sample: { every: 0, prompts: [], maxNewTokens: 40 },
  save: { every: 0, keep: 1 },
  average: 1,
  checkpointing: false,
  precision: "float32",
  seed: 1,
  device: "auto",
  threads: 0,
} as const satisfies Partial<Config>;

/** A recipe of its full configuration, and of what a run of seconds has in its place: same code, a caricature. */
export function recipe(full: Config, debug: (full: Config) => Partial<Config>): Recipe {
  return ({ scale = "full" } = {}) => structuredClone(scale === "full" ? full : { ...full, ...debug(full) });
}
