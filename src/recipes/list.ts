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
  /** A reward model's directory may be given. */
  readonly reward?: true;
  /** What --data is. */
  readonly data: string;
  /** One line of it; of a folder, its files. */
  readonly line: string;
  /** What it is for; help lists recipes by it. */
  readonly purpose: Purpose;
  /** A recipe that does the like on a smaller machine. */
  readonly smaller?: string;
  /** Tokens of the vocabulary that it is meant for, where its network's published one is another. */
  readonly vocabulary?: number;
}

/** In the order of help. */
export const purposes = {
  language: "language models that write",
  encoder: "encoders, for all that reads",
  search: "embeddings and search",
  labels: "classes of texts and names in them",
  adaptation: "instructions and preferences",
  task: "published tasks, by BioGPT",
} as const;
export type Purpose = keyof typeof purposes;

const documents = "documents, or token files made of them";
const document = '{"id": "1", "title": "Aspirin after stroke.", "text": "We gave 100 patients aspirin."}';
const lists = 'lists {"query", "documents"}, the right document first';
const list = '{"query": "does aspirin help?", "documents": ["Aspirin lowers the risk.", "Asthma is common."]}';
const benchmark = "the benchmark's folder";

/** Lines that a reranker has to score first. */
export const scored = 'lists {"query", "documents", "scores"} as "galen rerank --output" writes';

const scoredList = list.replace("}", ', "scores": [4.1, -3.2], "transform": "none"}');

/** A new language model, or one that goes on; `smaller`: the next smaller one. */
function pretraining(purpose: "language" | "encoder", about: string, smaller?: string): RecipeInfo {
  const more = smaller === undefined ? {} : { smaller };
  return { about, purpose, model: "optional", data: documents, line: document, ...more };
}

function task(about: string, files: string, smaller?: string): RecipeInfo {
  const more = smaller === undefined ? {} : { smaller };
  return { about, purpose: "task", model: "decoder", data: benchmark, line: files, ...more };
}

const pairs = 'pairs {"prompt", "chosen", "rejected"}, texts or messages';
const pair =
  '{"prompt": "Does aspirin thin the blood?", "chosen": " It keeps platelets from sticking together.", "rejected": " Yes."}';

const triples =
  'train.json, valid.json, test.json: {"ID": {"title": "…", "abstract": "…", "triples": [{"drug": "…", "target": "…", "interaction": "…"}]}}';
const articles =
  'ori_pqal.json: {"ID": {"QUESTION": "…", "CONTEXTS": ["…"], "LONG_ANSWER": "…", "final_decision": "yes"}}, and test_ground_truth.json';
const words = "train.tsv, dev.tsv, test.tsv: token, tab, tag; a blank line between sentences";

const infos = {
  "biogpt-nano": pretraining("language", "BioGPT of 3.4M weights, for a laptop"),
  "biogpt-micro": pretraining("language", "BioGPT of 13M weights, for a workstation", "biogpt-nano"),
  "biogpt-base": pretraining("language", "BioGPT as published, 347M weights", "biogpt-micro"),
  "biogpt-large": pretraining("language", "BioGPT-Large as published, 1.6B weights", "biogpt-base"),
  "llama-nano": pretraining("language", "LLaMA of 15.7M weights, for a laptop", "biogpt-nano"),
  "biollm-nano": pretraining(
    "language",
    "A small LLaMA goes on, on text of a domain, with a vocabulary extended for it",
  ),
  "biollm-70b": {
    ...pretraining(
      "language",
      "LLaMA-2-70B goes on with BioLLM-70B's figures: a peak of 2e-5, fine-tuning's (published: schedule.peak=1.5e-4)",
      "biollm-nano",
    ),
    // 32,000 and 2,000 more.
    vocabulary: 34_000,
  },
  "biomedbert-small": pretraining("encoder", "An encoder of 22.7M weights by masked language modelling", "hash-nano"),
  "biomedbert-base": pretraining("encoder", "An encoder of BERT's base size", "biomedbert-small"),
  "hash-nano": pretraining("encoder", "BERT-hash of 0.97M weights, for a laptop", "hash-pico"),
  "hash-pico": pretraining("encoder", "BERT-hash of 0.45M weights, smaller", "hash-femto"),
  "hash-femto": pretraining("encoder", "BERT-hash of 0.24M weights, smaller still"),
  "embeddings-distil": {
    about: "Embeddings from a wider teacher's vectors",
    purpose: "search",
    model: "encoder",
    teacher: true,
    data: 'texts {"text"}',
    line: '{"text": "Aspirin inhibits cyclooxygenase."}',
  },
  "embeddings-ranking": {
    about: "Embeddings from pairs, other pairs' documents as negatives",
    purpose: "search",
    model: "encoder",
    data: lists,
    line: list,
  },
  "embeddings-kl": {
    about: "Embeddings from a reranker's scores",
    purpose: "search",
    model: "embeddings",
    data: scored,
    line: scoredList,
  },
  colbert: {
    about: "ColBERT from a reranker's scores",
    purpose: "search",
    model: "embeddings",
    data: scored,
    line: scoredList,
  },
  "colbert-contrastive": {
    about: "ColBERT from pairs, other pairs' documents as negatives",
    purpose: "search",
    model: "embeddings",
    data: lists,
    line: list,
  },
  reranker: {
    about: "A cross-encoder that scores right documents above wrong ones",
    purpose: "search",
    model: "encoder",
    data: `${lists}, or with scores in [0, 1]`,
    line: list,
  },
  classifier: {
    about: "Classes of texts, by the protocol of transformers' run_glue",
    purpose: "labels",
    model: "any",
    data: 'texts {"text", "label"}, or {"text", "labels": [...]} for several',
    line: '{"text": "A randomised trial of statins after stroke.", "label": "trial"}',
  },
  tagger: {
    about: "Named entities of sentences (IOB2)",
    purpose: "labels",
    model: "any",
    data: 'sentences {"tokens", "tags"}, or an IOB2 file',
    line: '{"tokens": ["Aspirin", "helps", "."], "tags": ["B-Drug", "O", "O"]}',
  },
  instruct: {
    about: "A model that answers: exchanges are learned, the answers alone",
    purpose: "adaptation",
    model: "decoder",
    data: 'exchanges {"messages"}, {"prompt", "completion"}, or {"instruction", "input", "output"}',
    line: '{"messages": [{"role": "user", "content": "What is aspirin?"}, {"role": "assistant", "content": "A drug against pain."}]}',
  },
  reward: {
    about: "A reward model: which of two answers people would prefer, as a number",
    purpose: "adaptation",
    model: "decoder",
    data: `${pairs}, with "margin" or without`,
    line: pair,
  },
  preference: {
    about: "A decoder that answers as people prefer, from pairs of answers (DPO, IPO)",
    purpose: "adaptation",
    model: "decoder",
    data: pairs,
    line: pair,
  },
  "preference-unpaired": {
    about: "The same from answers judged one by one (KTO)",
    purpose: "adaptation",
    model: "decoder",
    data: 'judged answers {"prompt", "completion", "label"}, or pairs',
    line: '{"prompt": "Does aspirin thin the blood?", "completion": " It keeps platelets from sticking together.", "label": true}',
  },
  policy: {
    about: "A model that learns from rewards for its own answers (GRPO, RLOO)",
    purpose: "adaptation",
    model: "decoder",
    reward: true,
    data: 'prompts {"prompt"}, texts or messages, with what rules ask for (--reward MODEL scores without any)',
    line: '{"prompt": "Is aspirin an antibiotic? Answer yes or no:", "answer": "no", "choices": ["yes", "no"]}',
  },
  bc5cdr: task(
    "Relations of chemicals and diseases, as published",
    'train.json, valid.json, test.json: {"ID": {"title": "…", "abstract": "…", "relations": […], …}}',
  ),
  "kd-dti": task("Relations of drugs and targets, as published", triples),
  ddi: task("Interactions of drugs, as published", triples),
  pubmedqa: task("Answers to PubMedQA, as published", articles),
  "pubmedqa-large": task("Answers to PubMedQA with BioGPT-Large, as published", articles, "pubmedqa"),
  hoc: task("Hallmarks of cancer, as published", "train.tsv, valid.tsv, test.tsv: sentence, tab, hallmark|hallmark"),
  "ner-chemical": task("Names of chemicals", words),
  "ner-disease": task("Names of diseases", words),
  "ner-gene": task("Names of genes", words),
  "ner-jnlpba": task("Names of JNLPBA's five kinds", words),
} as const satisfies Readonly<Record<string, RecipeInfo>>;

export type RecipeName = keyof typeof infos;
export const recipeList: Readonly<Record<RecipeName, RecipeInfo>> = infos;

/** What a training starts from, in words. */
export const startOf: Readonly<Record<RecipeInfo["model"], string>> = {
  optional: "nothing, or a language model",
  encoder: "an encoder",
  embeddings: "an embedding model",
  any: "an encoder or a decoder",
  decoder: "a decoder",
};

/** Whether there is a recipe of this name. */
export function isRecipe(name: string): name is RecipeName {
  return Object.hasOwn(recipeList, name);
}
