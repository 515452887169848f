/**
 * Pre-training a small LLaMA, for machines without a GPU: the settings of Touvron et al. 2023 (arXiv:2302.13971, §2.3:
 * AdamW with 0.9 and 0.95, decay 0.1, clipping at 1, cosine to a tenth), at the step and batch of BioGPT of that size.
 */
import { llama } from "../models/index.ts";
import { causal, languageModel } from "./pretraining.ts";
import type { Recipe } from "./recipe.ts";

export const llamaRecipes = {
  "llama-nano": languageModel({
    recipe: "llama-nano",
    model: llama.sizes["llama-nano"]!,
    objective: causal(256),
    batch: 8,
    accumulate: 2,
    // 20 tokens a parameter (Hoffmann et al. 2022, arXiv:2203.15556): 15.7M × 20 / 4,096 tokens an update
    steps: 77_000,
    optimiser: { name: "adamw", betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
    schedule: { kind: "cosine", peak: 1e-3, warmup: 500, initial: 0, floor: 0.1 },
    sample: { every: 5000, prompts: ["COVID-19 is", "The treatment of"], maxNewTokens: 40 },
    device: "cpu",
  }),
} satisfies Readonly<Record<string, Recipe>>;
