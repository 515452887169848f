/**
 * The recipes by name: what each makes, and of what. No code, so that help can say it without loading the library;
 * `index.ts` has the configurations, one for each name here.
 */

export interface RecipeInfo {
  readonly about: string;
  /** What --model must be: a language model to go on with (none: new weights), an encoder, and so on. */
  readonly model: "optional" | "encoder" | "embeddings" | "any" | "decoder";
  /** A teacher's directory is needed. */
  readonly teacher?: true;
  /** What --data is. */
  readonly data: string;
}

const documents = "documents, or token files made of them";
const lists = 'lists {"query", "documents"}, the right document first';
const benchmark = "the benchmark's folder";

/** Lines that a reranker has to score first. */
export const scored = 'lists {"query", "documents", "scores"} as "galen rerank --output" writes';

const decoder = (about: string) => ({ about, model: "optional", data: documents }) as const;
const masked = decoder;
const task = (about: string) => ({ about, model: "decoder", data: benchmark }) as const;

export const recipeList = {
  "biogpt-nano": decoder("BioGPT of 3.4M weights, for a laptop"),
  "biogpt-micro": decoder("BioGPT of 13M weights, for a workstation"),
  "biogpt-base": decoder("BioGPT as published, 347M weights"),
  "biogpt-large": decoder("BioGPT-Large as published, 1.6B weights"),
  "biomedbert-small": masked("An encoder of 22.7M weights by masked language modelling"),
  "biomedbert-base": masked("An encoder of BERT's base size"),
  "hash-nano": masked("BERT-hash of 0.97M weights, for a laptop"),
  "hash-pico": masked("BERT-hash of 0.45M weights, smaller"),
  "hash-femto": masked("BERT-hash of 0.24M weights, smaller still"),
  "embeddings-distil": {
    about: "Embeddings from a wider teacher's vectors",
    model: "encoder",
    teacher: true,
    data: 'texts {"text"}',
  },
  "embeddings-ranking": {
    about: "Embeddings from pairs, other pairs' documents as negatives",
    model: "encoder",
    data: lists,
  },
  "embeddings-kl": { about: "Embeddings from a reranker's scores", model: "embeddings", data: scored },
  colbert: { about: "ColBERT from a reranker's scores", model: "embeddings", data: scored },
  "colbert-contrastive": {
    about: "ColBERT from pairs, other pairs' documents as negatives",
    model: "embeddings",
    data: lists,
  },
  reranker: {
    about: "A cross-encoder that scores right documents above wrong ones",
    model: "encoder",
    data: `${lists}, or with scores in [0, 1]`,
  },
  classifier: {
    about: "Classes of texts, by the protocol of transformers' run_glue",
    model: "any",
    data: 'texts {"text", "label"}, or {"text", "labels": [...]} for several',
  },
  tagger: {
    about: "Named entities of sentences (IOB2)",
    model: "any",
    data: 'sentences {"tokens", "tags"}, or an IOB2 file',
  },
  bc5cdr: task("Relations of chemicals and diseases, as published"),
  "kd-dti": task("Relations of drugs and targets, as published"),
  ddi: task("Interactions of drugs, as published"),
  pubmedqa: task("Answers to PubMedQA, as published"),
  "pubmedqa-large": task("Answers to PubMedQA with BioGPT-Large, as published"),
  hoc: task("Hallmarks of cancer, as published"),
  "ner-chemical": task("Names of chemicals"),
  "ner-disease": task("Names of diseases"),
  "ner-gene": task("Names of genes"),
  "ner-jnlpba": task("Names of JNLPBA's five kinds"),
} as const satisfies Readonly<Record<string, RecipeInfo>>;

/** What a training starts from, in words. */
export const startOf: Readonly<Record<RecipeInfo["model"], string>> = {
  optional: "nothing, or a language model",
  encoder: "an encoder",
  embeddings: "an embedding model",
  any: "an encoder or a decoder",
  decoder: "a decoder",
};

export type RecipeName = keyof typeof recipeList;

export function isRecipe(name: string): name is RecipeName {
  return Object.hasOwn(recipeList, name);
}
