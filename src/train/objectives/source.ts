/**
 * What a training starts from: a masked language model, an embedding model or a ColBERT directory, with the stages or
 * the head that are new.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TensorEntry } from "../../checkpoints/entries.ts";
import type { DenseStage, EmbeddingStage } from "../../models/embedding.ts";
import type { Family, ModelConfig } from "../../models/index.ts";
import { checkPylate, isColbert, openColbertFolder, readingOf } from "../../retrieval/colbert-folder.ts";
import { type ColbertFolder, defaultColbertSettings } from "../../retrieval/colbert-settings.ts";
import { openSentenceFolder } from "../../retrieval/sentence-folder.ts";
import { kept, type SentenceFolder } from "../../retrieval/sentence-modules.ts";
import { saveSentenceFolder } from "../../retrieval/sentence-write.ts";
import type { TextSettings } from "../../retrieval/text-rows.ts";
import { loadPairTokenizer } from "../../retrieval/tokenizer.ts";
import { openModelFolder } from "../../runtime/folder.ts";
import { tokenLimit } from "../../runtime/token-limit.ts";
import type { PairTokenizer } from "../../tokenizers/pairs.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Tokenizer } from "../../tokenizers/tokenizer.ts";

export interface Source {
  readonly folder: string;
  readonly family: Family;
  readonly config: ModelConfig;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly tokenizer: Tokenizer;
}

/** Of a network that takes pairs of texts. */
export interface PairSource extends Source {
  readonly tokenizer: PairTokenizer;
}

export interface EmbeddingSource extends PairSource {
  readonly stages: readonly EmbeddingStage[];
  /** How texts are read, and what else the directory says: the model that is written says it too. */
  readonly reading: TextSettings & Pick<SentenceFolder, "settings">;
}

export interface LateSource extends PairSource, Pick<ColbertFolder, "settings" | "sentence"> {
  readonly stages: readonly DenseStage[];
}

const isSentence = (folder: string): boolean => existsSync(join(folder, "modules.json"));

/** An embedding model, or an encoder with mean pooling put on it that reads `maxTokens` of a text. */
export async function openEmbeddingSource(folder: string, maxTokens: number): Promise<EmbeddingSource> {
  if (!isSentence(folder)) {
    const { family, config, entries } = await openModelFolder(folder, { as: "bare" });
    const stage = { kind: "pooling", name: "1_Pooling", modes: ["mean"], includePrompt: true } as const;
    const tokenizer = await loadPairTokenizer(folder);
    const reading = { ...newReading, maxTokens: Math.min(config.max_position_embeddings, maxTokens) };
    return { folder, family, config, entries, tokenizer, stages: [stage], reading };
  }
  const { model, stages, entries, ...reading } = await openSentenceFolder(folder);
  const { family, config } = model;
  return { folder, family, config, entries, stages, reading, tokenizer: await loadPairTokenizer(model.folder) };
}

const newReading: Omit<EmbeddingSource["reading"], "maxTokens"> = {
  lowerCase: false,
  prompts: {},
  defaultPrompt: undefined,
  settings: { model_type: "SentenceTransformer", prompts: {} },
};

/** Writes a Sentence Transformers directory with the settings of the one that training started from. */
export function saveEmbedding(
  folder: string,
  { config, tokenizer, stages, reading }: EmbeddingSource,
  parameters: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const { maxTokens, lowerCase, settings } = reading;
  const description = { stages, width: config.hidden_size, maxTokens, lowerCase, settings: kept(settings) };
  return saveSentenceFolder(folder, { config, tokenizer, parameters }, description);
}

/**
 * A ColBERT model with its own lengths, or an encoder with a layer to 128 numbers a token, PyLate's prefixes and these
 * lengths put on it.
 */
export async function openLateSource(
  folder: string,
  lengths: { query: number; document: number },
): Promise<LateSource> {
  if (await isColbert(folder)) {
    const late = await openColbertFolder(folder);
    const { model, stages, entries, settings, sentence } = late;
    checkPylate(folder, late);
    const tokenizer = await loadPairTokenizer(model.folder);
    const { family, config } = model;
    return { folder, family, config, entries, tokenizer, stages, settings, sentence };
  }
  const { family, config, entries, tokenizer, reading } = await openEmbeddingSource(folder, Infinity);
  const settings = {
    ...defaultColbertSettings,
    ...readingOf(reading),
    queryLength: lengths.query,
    documentLength: lengths.document,
  };
  const grown = tokenizer.addTokens([settings.queryPrefix, settings.documentPrefix]);
  const dense: DenseStage = {
    kind: "dense",
    name: "1_Dense",
    inWidth: config.hidden_size,
    outWidth: 128,
    bias: false,
    activation: "linear",
    residual: false,
  };
  const larger = { ...config, vocab_size: Math.max(config.vocab_size, grown.vocabSize) };
  const parts = { config: larger, tokenizer: grown, stages: [dense], settings, sentence: reading };
  return { folder, family, entries, ...parts };
}

/** A model with a classification head of `labels`, or of one number for a single one. */
export async function openHeadSource(
  folder: string,
  as: "sequence" | "token",
  labels: readonly string[],
  problem: "single_label_classification" | "multi_label_classification" | "regression" = "single_label_classification",
): Promise<Source> {
  const { family, config, entries } = await openModelFolder(folder, { as });
  const tokenizer = await loadTokenizer(folder);
  const id2label = Object.fromEntries(labels.map((label, i) => [String(i), label]));
  const label2id = Object.fromEntries(labels.map((label, i) => [label, i]));
  const named = { ...config, id2label, label2id, num_labels: labels.length, problem_type: problem };
  return { folder, family, config: named, entries, tokenizer };
}

/** An encoder that scores pairs of texts with one number, and reads `most` tokens of a pair, or fewer where it must. */
export async function openPairSource(
  folder: string,
  most: number,
): Promise<PairSource & { readonly maxTokens: number }> {
  const tokenizer = await loadPairTokenizer(folder);
  const source = await openHeadSource(folder, "sequence", ["LABEL_0"], "regression");
  return { ...source, tokenizer, maxTokens: Math.min(most, await tokenLimit(folder, source.config)) };
}
