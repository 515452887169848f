/**
 * Recipes of encoders beyond pre-training, each a link of the chain: masked language model → distilled embeddings → KL
 * on a reranker's scores → ColBERT → reranker. Published are only the script and its defaults for distillation (batch 64,
 * 1e-4, one epoch, warm-up 0.1), rates of PyLate (1e-5, batch 16) and run_glue's protocol for classes; the rest is ours.
 */
import type { Config } from "../train/config.ts";
import { type Recipe, recipe, usual } from "./recipe.ts";

function encoder(name: string, own: Partial<Config> & Pick<Config, "objective" | "schedule">): Recipe {
  const full: Config = {
    ...usual,
    recipe: name,
    batch: 32,
    epochs: 1,
    optimiser: { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 },
    save: { every: 500, keep: 1 },
    seed: 42,
    ...own,
  };
  // Small batches of short texts, for a look in seconds.
  return recipe(full, ({ objective }) => ({
    objective: {
      ...objective,
      ...("documentTokens" in objective ? { documentTokens: 32 } : {}),
      ...("queryTokens" in objective ? { queryTokens: 16 } : {}),
    } as Config["objective"],
    epochs: 1,
    batch: 4,
  }));
}

/** Linear to zero; the warm-up is a share of the updates. */
const linear = (peak: number, warmup = 0.1): Config["schedule"] => ({
  kind: "linear",
  peak,
  warmup,
  initial: 0,
  floor: 0,
});

const short = { queryTokens: 64, documentTokens: 256 } as const;
/** PyLate's lengths. */
const late = { queryTokens: 32, documentTokens: 300 } as const;

export const encoderRecipes = {
  "embeddings-distil": encoder("embeddings-distil", {
    objective: { kind: "distillation", projection: "pca", loss: "squared", documentTokens: 256 },
    batch: 64,
    schedule: linear(1e-4),
  }),
  "embeddings-ranking": encoder("embeddings-ranking", {
    objective: { kind: "ranking", scale: 20, rowsAtOnce: 0, matryoshka: [], documents: 1, ...short },
    schedule: linear(2e-5),
  }),
  "embeddings-kl": encoder("embeddings-kl", {
    objective: { kind: "divergence", student: 1, teacher: 1, documents: 8, ...short },
    batch: 16,
    schedule: linear(2e-5),
  }),
  colbert: encoder("colbert", {
    objective: { kind: "late-divergence", student: 1, teacher: 1, stretch: true, documents: 8, ...late },
    batch: 16,
    schedule: linear(1e-5, 0.05),
  }),
  "colbert-contrastive": encoder("colbert-contrastive", {
    objective: { kind: "late-contrastive", temperature: 1, documents: 1, ...late },
    schedule: linear(3e-6),
  }),
  reranker: encoder("reranker", {
    objective: { kind: "pairs", loss: "binary", documents: 4, documentTokens: 256 },
    batch: 8,
    schedule: linear(2e-5),
  }),
  classifier: encoder("classifier", {
    objective: { kind: "classes", documentTokens: 128 },
    epochs: 4,
    optimiser: { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    schedule: linear(1e-4, 0),
  }),
  tagger: encoder("tagger", {
    objective: { kind: "tags", documentTokens: 256 },
    epochs: 5,
    schedule: linear(5e-5),
  }),
} satisfies Readonly<Record<string, Recipe>>;
