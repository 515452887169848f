/**
 * Going on with a LLaMA on biomedical text, its vocabulary extended (`galen tokenizer extend`). `biollm-70b` has the figures
 * of the study that describes BioLLM-70B: 4 trillion tokens, 2 million an update, AdamW, cosine to a peak of 2e-5 behind
 * 2,000 updates of warm-up; what it leaves out (betas, epsilon, decay, clipping, a tenth of the peak at the end) is Llama
 * 2's (Touvron et al. 2023, arXiv:2307.09288, §2.2), as Meditron took it over (Chen et al. 2023, arXiv:2311.16079, table 2
 * of appendix A). Published pre-training of that size, and Meditron's on medicine, peak at 1.5e-4 (7B: 3e-4); 2e-5 is the
 * rate of fine-tuning. It asks for bfloat16, which `galen launch` has; `--scale debug` computes in float32.
 */
import { llama } from "../models/index.ts";
import { causal, languageModel } from "./pretraining.ts";
import type { Recipe } from "./recipe.ts";

const optimiser = { name: "adamw", betas: [0.9, 0.95], epsilon: 1e-5, weightDecay: 0.1, clipNorm: 1 } as const;
const sample = { every: 5000, prompts: ["COVID-19 is", "The treatment of"], maxNewTokens: 40 };

export const bioLlmRecipes = {
  "biollm-nano": languageModel({
    recipe: "biollm-nano",
    model: llama.sizes["llama-nano"]!,
    objective: { ...causal(256), rowMultiple: 64 },
    batch: 8,
    accumulate: 2,
    // A tenth of llama-nano's own, at its rate, as Meditron went on at Llama 2's.
    steps: 7700,
    optimiser: { ...optimiser, betas: [...optimiser.betas], epsilon: 1e-8 },
    schedule: { kind: "cosine", peak: 1e-3, warmup: 500, initial: 0, floor: 0.1 },
    sample,
    device: "cpu",
  }),
  "biollm-70b": languageModel({
    recipe: "biollm-70b",
    model: llama.sizes["llama-2-70b"]!,
    // 32,000 rows and 2,000 more are 34,048: of whole tiles, and divisible among accelerators.
    objective: { ...causal(4096), rowMultiple: 128 },
    batch: 1,
    // 512 × 4,096 = 2,097,152 tokens an update.
    accumulate: 512,
    // 4e12 / 2,097,152
    steps: 1_907_349,
    optimiser: { ...optimiser, betas: [...optimiser.betas] },
    schedule: { kind: "cosine", peak: 2e-5, warmup: 2000, initial: 0, floor: 0.1 },
    sample,
    checkpointing: true,
    precision: "bfloat16",
  }),
} satisfies Readonly<Record<string, Recipe>>;
