/** Every command with its line for the overview; a command's own file is loaded when it is called. */
import type { Command } from "../command.ts";

export interface Entry {
  readonly about: string;
  load(): Promise<{ default: Command }>;
}

export interface Group {
  readonly about: string;
  /** Where it is a command as well: `galen plan RECIPE` beside `galen plan corpus`. */
  load?(): Promise<{ default: Command }>;
  readonly commands: Readonly<Record<string, Entry | Group>>;
  /** Takes words that name no command: `galen evaluate ddi` is `galen evaluate task ddi`. */
  readonly otherwise?: Entry;
}

const evaluateTask: Entry = {
  about: "Score a tuned model on a task's test set",
  load: () => import("./evaluate-task.ts"),
};

const launch: Entry = {
  about: "Train on PyTorch: this machine, Slurm, Ray, Kubernetes",
  load: () => import("./launch.ts"),
};

const jobsList: Entry = {
  about: "The jobs in a folder, and what has become of them",
  load: () => import("./jobs-list.ts"),
};

export const galen: Group = {
  about: "Galen: biomedical language models, from PubMed XML to generated text.",
  commands: {
    quickstart: {
      about: "Make a small model from PubMed records and let it write",
      load: () => import("./quickstart.ts"),
    },
    corpus: {
      about: "Literature as datasets.",
      commands: {
        import: {
          about: "Literature, trials, notes to a dataset folder (Parquet)",
          load: () => import("./corpus-import.ts"),
        },
        run: {
          about: "Clean, filter, deduplicate, de-identify and mix a corpus",
          load: () => import("./corpus-run.ts"),
        },
        "train-quality": {
          about: "Train a small classifier of good and bad texts, for a pipeline",
          load: () => import("./corpus-train-quality.ts"),
        },
        report: {
          about: "What a pipeline kept, changed and dropped, as a page",
          load: () => import("./corpus-report.ts"),
        },
      },
    },
    tokenizer: {
      about: "Tokenizers.",
      commands: {
        train: { about: "Learn a tokenizer from documents", load: () => import("./tokenizer-train.ts") },
        extend: { about: "Learn more tokens behind a tokenizer's own", load: () => import("./tokenizer-extend.ts") },
      },
    },
    tokenize: { about: "Texts to tokens, or documents to training files", load: () => import("./tokenize.ts") },
    train: { about: "Train a model by a recipe: pre-training, encoders, tasks", load: () => import("./train.ts") },
    plan: {
      about: "What a pre-training takes on accelerators: memory, layouts, days, cost",
      load: () => import("./plan.ts"),
      commands: {
        corpus: {
          about: "What curating takes: hours, disk, memory, what breaks first",
          load: () => import("./plan-corpus.ts"),
        },
        index: { about: "What an index takes: hours, disk, memory", load: () => import("./plan-index.ts") },
        extract: {
          about: "What mining documents for relations takes: hours, disk, memory",
          load: () => import("./plan-extract.ts"),
        },
      },
    },
    launch: {
      about: "Trainings and array work on this machine, Slurm, Ray, Kubernetes.",
      commands: {
        training: launch,
        array: {
          about: "A command for each of many inputs, or in many shares",
          load: () => import("./launch-array.ts"),
        },
      },
      otherwise: launch,
    },
    jobs: {
      about: "What was launched.",
      commands: {
        list: jobsList,
        watch: { about: "Where a job is: loss, speed, slow and stopped ranks", load: () => import("./jobs-watch.ts") },
        stop: { about: "Let a job save and stop", load: () => import("./jobs-stop.ts") },
        resume: { about: "Go on with a job that ended or was stopped", load: () => import("./jobs-resume.ts") },
        fetch: { about: "The model of a training that is done", load: () => import("./jobs-fetch.ts") },
        prepare: { about: "Prepare a training whose inputs have come", load: () => import("./jobs-prepare.ts") },
        task: { about: "Do tasks of an array", load: () => import("./jobs-task.ts") },
      },
      otherwise: jobsList,
    },
    plot: { about: "Curves of training runs", load: () => import("./plot.ts") },
    generate: { about: "Continue prompts", load: () => import("./generate.ts") },
    predict: { about: "Answers of a tuned model for texts", load: () => import("./predict.ts") },
    extract: { about: "Mine documents for relations", load: () => import("./extract.ts") },
    forward: { about: "Scores (logits) of a model for token ids", load: () => import("./forward.ts") },
    features: { about: "Hidden states of texts, per token or pooled", load: () => import("./features.ts") },
    embed: { about: "Vectors of texts by an embedding model", load: () => import("./embed.ts") },
    similarity: { about: "Score the first text against each other", load: () => import("./similarity.ts") },
    rerank: {
      about: "Order documents by a reranker, ColBERT or an embedding model",
      load: () => import("./rerank.ts"),
    },
    search: { about: "Search an index of literature", load: () => import("./search.ts") },
    index: { about: "Make literature searchable, or add to an index", load: () => import("./index-documents.ts") },
    ask: { about: "Answer a question from an index, each sentence with its source", load: () => import("./ask.ts") },
    summarise: { about: "The sentences that cover what a query finds", load: () => import("./summarise.ts") },
    review: { about: "A question to a table of evidence", load: () => import("./review.ts") },
    hypotheses: { about: "Names that go with a name, counted in an index", load: () => import("./hypotheses.ts") },
    mine: { about: "Hard negatives for pairs of queries and documents", load: () => import("./mine.ts") },
    classify: { about: "Classes of texts", load: () => import("./classify.ts") },
    tag: { about: "Named entities of sentences", load: () => import("./tag.ts") },
    evaluate: {
      about: "Measure a model.",
      commands: {
        perplexity: { about: "How well a model predicts a text", load: () => import("./evaluate-perplexity.ts") },
        similarity: {
          about: "Score right pairs of texts against wrong ones",
          load: () => import("./evaluate-similarity.ts"),
        },
        retrieval: {
          about: "Rank the documents of a test set in BEIR's layout",
          load: () => import("./evaluate-retrieval.ts"),
        },
        classification: {
          about: "Accuracy, F1 and loss of a classifier of texts",
          load: () => import("./evaluate-classification.ts"),
        },
        deidentification: {
          about: "How many identifiers of labelled notes are found, by class",
          load: () => import("./evaluate-deidentification.ts"),
        },
        ner: { about: "Entity precision, recall and F1 of a tagger", load: () => import("./evaluate-ner.ts") },
        compare: {
          about: "Models beside each other, with tests of their differences",
          load: () => import("./evaluate-compare.ts"),
        },
        task: evaluateTask,
        suite: { about: "Score a model on a suite of benchmarks", load: () => import("./evaluate-suite.ts") },
      },
      otherwise: evaluateTask,
    },
    serve: { about: "Models and an index over HTTP, with a page", load: () => import("./serve.ts") },
    feedback: {
      about: "People judge answers on a page: rank them, mark what is wrong",
      load: () => import("./feedback.ts"),
    },
    pull: { about: "Fetch a model of Hugging Face's hub", load: () => import("./pull.ts") },
    convert: { about: "Convert a model between checkpoint formats", load: () => import("./convert.ts") },
    quantize: { about: "Write a model in 4 or 8 bits", load: () => import("./quantize.ts") },
    export: {
      about: "Models for other programs.",
      commands: { onnx: { about: "Write a model as an ONNX file", load: () => import("./export-onnx.ts") } },
    },
    completion: {
      about: "Completion of commands and options, for a shell",
      load: () => import("./completion.ts"),
    },
  },
};

/** Every command with its name as it is typed, "corpus import". */
export function commandsOf(
  group: Group,
  path: readonly string[] = [],
): { readonly name: string; readonly entry: Entry }[] {
  return Object.entries(group.commands).flatMap(([name, entry]) => {
    const own = loadable(entry) ? [{ name: [...path, name].join(" "), entry }] : [];
    return "commands" in entry ? [...own, ...commandsOf(entry, [...path, name])] : own;
  });
}

/** Whether it is a command, though it may be a group as well. */
export function loadable<T extends Entry | Group>(entry: T): entry is T & Entry {
  return entry.load !== undefined;
}
