/** What a recipe is: a function of one dial to a complete configuration, at its full scale or in seconds. */
import { familyOf } from "../models/index.ts";
import type { TrainConfig } from "../train/config.ts";

export type Scale = "full" | "debug";
/** One dial: the scale. Everything else follows, and can be set by `path=value`. */
export type Recipe = (options?: { readonly scale?: Scale }) => TrainConfig;

/** Five updates of a model that is a caricature of the real one: same code, seconds. */
export function debugScale(config: TrainConfig): TrainConfig {
  const family = familyOf(config.model, "model");
  return {
    ...config,
    model: { ...family.debug(family.parseConfig(config.model, "model")) },
    tokens: 32,
    batch: 2,
    accumulate: 2,
    steps: 5,
    schedule: { ...config.schedule, peak: 1e-3, warmup: 2 },
    evaluate: { every: 2, blocks: 4 },
    sample: { ...config.sample, every: 0 },
    save: { every: 2, keep: 2 },
    device: "cpu",
  };
}
