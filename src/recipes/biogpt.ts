/**
 * Pre-training BioGPT. `base` and `large` have the published hyperparameters (Luo et al. 2022, §3: peak 2e-4, inverse
 * square root, 20,000 warm-up, 200,000 updates of 524,288 tokens); `nano` and `micro` are for machines without a GPU.
 */
import { bioGpt } from "../models/index.ts";
import type { Config } from "../train/config.ts";
import { causal, languageModel } from "./pretraining.ts";
import type { Recipe } from "./recipe.ts";

// fairseq's "adam" decays weights apart from the gradient, which the field calls AdamW.
const optimiser = { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 0 } as const;
const sample = { every: 5000, prompts: ["COVID-19 is", "The treatment of"], maxNewTokens: 40 };

/** The paper gives no hyperparameters for Large: those of base, at its longer context and the same tokens an update. */
function published(size: "base" | "large", tokens: number, accumulate: number): Recipe {
  return languageModel({
    recipe: `biogpt-${size}`,
    model: bioGpt.sizes[size]!,
    objective: causal(tokens),
    batch: 1,
    accumulate,
    steps: 200_000,
    optimiser: { ...optimiser, betas: [...optimiser.betas] },
    schedule: { kind: "inverse_sqrt", peak: 2e-4, warmup: 20_000, initial: 1e-7, floor: 0 },
    sample,
  });
}

/** Small models see their data a few times: a larger step, cosine to a tenth, clipping against early spikes. */
function small(size: "nano" | "micro", own: Pick<Config, "steps" | "schedule">): Recipe {
  return languageModel({
    recipe: `biogpt-${size}`,
    model: { ...bioGpt.sizes[size]!, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
    objective: causal(256),
    batch: 8,
    accumulate: 2,
    optimiser: { ...optimiser, betas: [...optimiser.betas], clipNorm: 1 },
    sample,
    device: "cpu",
    ...own,
  });
}

export const bioGptRecipes = {
  "biogpt-nano": small("nano", {
    // 20 tokens a parameter (Hoffmann et al. 2022, arXiv:2203.15556): 3.4M × 20 / 4,096 tokens an update
    steps: 16_000,
    schedule: { kind: "cosine", peak: 2e-3, warmup: 200, initial: 0, floor: 0.1 },
  }),
  "biogpt-micro": small("micro", {
    steps: 60_000,
    schedule: { kind: "cosine", peak: 1e-3, warmup: 500, initial: 0, floor: 0.1 },
  }),
  // 8 GPUs × 64 micro-batches of 1,024 tokens = 524,288 tokens an update, on one device.
  "biogpt-base": published("base", 1024, 512),
  "biogpt-large": published("large", 2048, 256),
} satisfies Readonly<Record<string, Recipe>>;
