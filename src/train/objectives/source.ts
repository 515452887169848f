/**
 * What a training starts from: a masked language model, an embedding model or a ColBERT directory, with the stages or
 * the head that are new.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TensorEntry } from "../../checkpoints/entries.ts";
import type { DenseStage, EmbeddingStage } from "../../models/embedding.ts";
import type { Family, ModelConfig } from "../../models/index.ts";
import { checkPylate, openColbertFolder } from "../../retrieval/colbert-folder.ts";
import { type ColbertSettings, defaultColbertSettings } from "../../retrieval/colbert-settings.ts";
import { openSentenceFolder } from "../../retrieval/sentence-folder.ts";
import { saveSentenceFolder } from "../../retrieval/sentence-write.ts";
import { loadPairTokenizer } from "../../retrieval/tokenizer.ts";
import { openModelFolder } from "../../runtime/folder.ts";
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
  readonly prompts: Readonly<Record<string, string>>;
}

export interface LateSource extends PairSource {
  readonly stages: readonly DenseStage[];
  readonly settings: ColbertSettings;
}

const isSentence = (folder: string): boolean => existsSync(join(folder, "modules.json"));

/** An embedding model, or an encoder with mean pooling put on it. */
export async function openEmbeddingSource(folder: string): Promise<EmbeddingSource> {
  if (!isSentence(folder)) {
    const { family, config, entries } = await openModelFolder(folder, { as: "bare" });
    const stage = { kind: "pooling", name: "1_Pooling", modes: ["mean"], includePrompt: true } as const;
    const tokenizer = await loadPairTokenizer(folder);
    return { folder, family, config, entries, tokenizer, stages: [stage], prompts: {} };
  }
  const { model, stages, entries, prompts } = await openSentenceFolder(folder);
  const { family, config } = model;
  return { folder, family, config, entries, stages, prompts, tokenizer: await loadPairTokenizer(model.folder) };
}

/** Writes a Sentence Transformers directory that cuts texts at `maxTokens`, or where the network must. */
export function saveEmbedding(
  folder: string,
  { config, tokenizer, stages, prompts }: EmbeddingSource,
  parameters: ReadonlyMap<string, Tensor>,
  maxTokens: number,
): Promise<void> {
  const description = {
    stages,
    width: config.hidden_size,
    maxTokens: Math.min(config.max_position_embeddings, maxTokens),
    prompts,
  };
  return saveSentenceFolder(folder, { config, tokenizer, parameters }, description);
}

/** A ColBERT model, or an encoder with a layer to 128 numbers a token and PyLate's prefixes put on it. */
export async function openLateSource(
  folder: string,
  lengths: { query: number; document: number },
): Promise<LateSource> {
  const late = isSentence(folder) ? await openColbertFolder(folder).catch(() => undefined) : undefined;
  const changes = { queryLength: lengths.query, documentLength: lengths.document };
  if (late !== undefined) {
    const { model, stages, entries, settings } = late;
    checkPylate(folder, late);
    const tokenizer = await loadPairTokenizer(model.folder);
    const { family, config } = model;
    return { folder, family, config, entries, tokenizer, stages, settings: { ...settings, ...changes } };
  }
  const { family, config, entries, tokenizer } = await openEmbeddingSource(folder);
  const settings = { ...defaultColbertSettings, ...changes };
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
  return { folder, family, config: larger, entries, tokenizer: grown, stages: [dense], settings };
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

/** An encoder that scores pairs of texts with one number. */
export async function openPairSource(folder: string): Promise<PairSource> {
  const tokenizer = await loadPairTokenizer(folder);
  return { ...(await openHeadSource(folder, "sequence", ["LABEL_0"], "regression")), tokenizer };
}
