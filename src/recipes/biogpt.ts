/**
 * Pre-training BioGPT. `base` and `large` have the published hyperparameters (Luo et al. 2022, §3: peak 2e-4, inverse
 * square root, 20,000 warm-up, 200,000 updates of 524,288 tokens); `nano` and `micro` are for machines without a GPU.
 * Every recipe has a debug scale of a few seconds.
 */
import { bioGpt } from "../models/index.ts";
import type { TrainConfig } from "../train/config.ts";
import { debugScale, type Recipe } from "./scale.ts";

function bioGptRecipe(size: keyof typeof bioGpt.sizes & string, full: Partial<TrainConfig>): Recipe {
  return ({ scale = "full" } = {}) => {
    const config: TrainConfig = {
      recipe: `biogpt-${size}`,
      model: bioGpt.sizes[size]!,
      objective: { kind: "causal" },
      tokens: 1024,
      batch: 1,
      // 8 GPUs × 64 micro-batches of 1,024 tokens = 524,288 tokens an update, on one device.
      accumulate: 512,
      steps: 200_000,
      // fairseq's "adam" decays weights apart from the gradient, which the field calls AdamW.
      optimiser: { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 0 },
      schedule: { kind: "inverse_sqrt", peak: 2e-4, warmup: 20_000, initial: 1e-7, floor: 0 },
      evaluate: { every: 1000, blocks: 64 },
      sample: { every: 5000, prompts: ["COVID-19 is", "The treatment of"], maxNewTokens: 40 },
      save: { every: 1000, keep: 3 },
      checkpointing: false,
      precision: "float32",
      seed: 1,
      device: "auto",
      threads: 0,
      ...full,
    };
    return scale === "full" ? config : debugScale(config);
  };
}

/** Small models see their data a few times: a larger step, cosine to a tenth, clipping against early spikes. */
const small: Partial<TrainConfig> = {
  tokens: 256,
  batch: 8,
  accumulate: 2,
  optimiser: { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 },
  device: "cpu",
};

export const bioGptNano: Recipe = bioGptRecipe("nano", {
  ...small,
  model: { ...bioGpt.sizes["nano"]!, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
  // 20 tokens a parameter (Hoffmann et al. 2022, arXiv:2203.15556): 3.4M × 20 / 4,096 tokens an update
  steps: 16_000,
  schedule: { kind: "cosine", peak: 2e-3, warmup: 200, initial: 0, floor: 0.1 },
});

export const bioGptMicro: Recipe = bioGptRecipe("micro", {
  ...small,
  model: { ...bioGpt.sizes["micro"]!, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
  steps: 60_000,
  schedule: { kind: "cosine", peak: 1e-3, warmup: 500, initial: 0, floor: 0.1 },
});

export const bioGptBase: Recipe = bioGptRecipe("base", {});

/** The paper gives no hyperparameters for Large: those of base, at its longer context and the same tokens an update. */
export const bioGptLarge: Recipe = bioGptRecipe("large", { tokens: 2048, accumulate: 256 });
