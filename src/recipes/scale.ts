/** What a recipe is: a function of one dial to a complete configuration, at its full scale or in seconds. */
import type { TrainConfig } from "../train/config.ts";

export type Scale = "full" | "debug";
/** One dial: the scale. Everything else follows, and can be set by `path=value`. */
export type Recipe = (options?: { readonly scale?: Scale }) => TrainConfig;

/** Five updates of a model that is a caricature of the real one: same code, seconds. */
export function debugScale(config: TrainConfig): TrainConfig {
  return {
    ...config,
    model: {
      ...config.model,
      hidden_size: 32,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      intermediate_size: 64,
      max_position_embeddings: 64,
    },
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
