/**
 * Recipes of encoders beyond pre-training, each a link of the chain: masked language model → distilled embeddings → KL
 * on a reranker's scores → ColBERT → reranker. Published are only the script and its defaults for distillation (batch 64,
 * 1e-4, one epoch, warm-up 0.1), rates of PyLate (1e-5, batch 16) and run_glue's protocol for classes; the rest is ours.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import type { EncoderConfig } from "./config.ts";

export interface EncoderRecipe {
  readonly config: EncoderConfig;
  readonly about: string;
  /** What --model must be, and how it comes to be. */
  readonly model: "encoder" | "embeddings" | "any";
  /** A teacher's directory is needed. */
  readonly teacher?: true;
  /** Lines of --data. */
  readonly data: string;
}

const optimiser = { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 } as const;
const base: Omit<EncoderConfig, "recipe" | "objective"> = {
  documents: 1,
  queryTokens: 64,
  documentTokens: 256,
  epochs: 1,
  batch: 32,
  optimiser: { ...optimiser, betas: [...optimiser.betas] },
  schedule: { kind: "linear", peak: 2e-5, warmup: 0.1, floor: 0 },
  save: { every: 500 },
  seed: 42,
  device: "auto",
  threads: 0,
};

const rate = (peak: number, warmup = 0.1): Pick<EncoderConfig, "schedule"> => ({
  schedule: { kind: "linear", peak, warmup, floor: 0 },
});
const lists = 'lists {"query", "documents"}, the right document first';
const scored = 'lists {"query", "documents", "scores"} as "galen rerank --output" writes';

function recipe(
  name: string,
  about: string,
  needs: Pick<EncoderRecipe, "model" | "teacher" | "data">,
  own: Partial<EncoderConfig> & Pick<EncoderConfig, "objective">,
): [string, EncoderRecipe] {
  return [name, { about, ...needs, config: { ...base, recipe: name, ...own } }];
}

/** By name. */
export const encoderRecipes: Readonly<Record<string, EncoderRecipe>> = Object.fromEntries([
  recipe(
    "embeddings-distil",
    "Embeddings from a wider teacher's vectors",
    { model: "encoder", teacher: true, data: 'texts {"text"}' },
    { objective: { kind: "distil", projection: "pca", loss: "squared" }, batch: 64, ...rate(1e-4) },
  ),
  recipe(
    "embeddings-ranking",
    "Embeddings from pairs, other pairs' documents as negatives",
    { model: "encoder", data: lists },
    { objective: { kind: "ranking", scale: 20, rowsAtOnce: 0, matryoshka: [] } },
  ),
  recipe(
    "embeddings-kl",
    "Embeddings from a reranker's scores",
    { model: "embeddings", data: scored },
    { objective: { kind: "divergence", student: 1, teacher: 1 }, documents: 8, batch: 16 },
  ),
  recipe(
    "colbert",
    "ColBERT from a reranker's scores",
    { model: "embeddings", data: scored },
    {
      objective: { kind: "late-divergence", student: 1, teacher: 1, stretch: true },
      documents: 8,
      batch: 16,
      queryTokens: 32,
      documentTokens: 300,
      ...rate(1e-5, 0.05),
    },
  ),
  recipe(
    "colbert-contrastive",
    "ColBERT from pairs, other pairs' documents as negatives",
    { model: "embeddings", data: lists },
    {
      objective: { kind: "late-contrastive", temperature: 1 },
      queryTokens: 32,
      documentTokens: 300,
      ...rate(3e-6),
    },
  ),
  recipe(
    "reranker",
    "A cross-encoder that tells right documents from wrong",
    { model: "encoder", data: `${lists}, or with scores in [0, 1]` },
    { objective: { kind: "pairs", loss: "binary" }, documents: 4, batch: 8 },
  ),
  recipe(
    "classifier",
    "Classes of texts, by the protocol of transformers' run_glue",
    { model: "any", data: 'texts {"text", "label"}, or {"text", "labels": [...]} for several' },
    {
      objective: { kind: "classes" },
      documentTokens: 128,
      epochs: 4,
      optimiser: { ...optimiser, betas: [0.9, 0.999], weightDecay: 0 },
      ...rate(1e-4, 0),
    },
  ),
  recipe(
    "tagger",
    "Named entities of sentences (IOB2)",
    { model: "any", data: 'sentences {"tokens", "tags"}, or an IOB2 file' },
    { objective: { kind: "tags" }, documentTokens: 256, epochs: 5, ...rate(5e-5) },
  ),
]);

export interface EncoderInputs {
  readonly model: string | undefined;
  readonly teacher: string | undefined;
  readonly data: readonly string[];
}

/** @throws ConfigError for an input that is missing, with what to run first. */
export function checkInputs(name: string, inputs: EncoderInputs): { model: string; teacher?: string; data: string } {
  const { model, teacher, data } = encoderRecipes[name]!;
  const missing = (option: string, expected: string, got: string, hint: string): never => {
    throw new ConfigError(`${name}: --${option}: expected ${expected}, got ${got}`, { hint });
  };
  const encoder =
    'pre-train one first: "galen train biomedbert-small --data … --output runs/small", then --model runs/small/model';
  const first = {
    encoder,
    any: `${encoder}; BioGPT's will do too`,
    embeddings:
      'make one first: "galen train embeddings-distil --model runs/small/model --teacher DIR --data texts.jsonl ' +
      '--output runs/embeddings", then --model runs/embeddings/model',
  };
  const found = (path: string | undefined, ...files: string[]): path is string =>
    path !== undefined && files.some((file) => existsSync(join(path, file)));
  const wanted = {
    encoder: "an encoder's directory",
    embeddings: "an embedding model's directory",
    any: "an encoder's or a BioGPT's directory",
  };
  const file = model === "embeddings" ? "modules.json" : "config.json";
  if (!found(inputs.model, file)) return missing("model", wanted[model], inputs.model ?? "none", first[model]);
  if (teacher && !found(inputs.teacher, "modules.json")) {
    const hint = "name a directory of Sentence Transformers, such as all-MiniLM-L6-v2's";
    return missing("teacher", "an embedding model's directory", inputs.teacher ?? "none", hint);
  }
  const [path, ...more] = inputs.data;
  if (path === undefined || more.length > 0 || !existsSync(path)) {
    return missing("data", `one file of JSON lines: ${data}`, inputs.data.join(" ") || "none", hintFor(name));
  }
  return { model: inputs.model, data: path, ...(inputs.teacher === undefined ? {} : { teacher: inputs.teacher }) };
}

function hintFor(name: string): string {
  return encoderRecipes[name]!.data === scored
    ? 'score lists first: "galen rerank --model RERANKER lists.jsonl --output scored.jsonl"; "galen train reranker" makes one'
    : "see galen train --help";
}
