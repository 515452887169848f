/**
 * ColBERT directories (Khattab and Zaharia 2020, arXiv:2004.12832): PyLate's, which are Sentence Transformers
 * directories without pooling, and Stanford's (architecture HF_ColBERT, artifact.metadata). PyLate's are written too.
 * Sentence Transformers' own (from 6.0) are read by multi-vector-folder.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { CheckpointError, ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import type { ModelConfig } from "../models/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { checked } from "../schema.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import {
  type ColbertFolder,
  type ColbertSettings,
  defaultColbertSettings,
  denseOnly,
  punctuation,
} from "./colbert-settings.ts";
import { multiVectorFolder } from "./multi-vector-folder.ts";
import { openSentenceFolder } from "./sentence-folder.ts";
import { kept, type SentenceFolder } from "./sentence-modules.ts";
import { saveSentenceFolder } from "./sentence-write.ts";

const length = z.int().min(4);
const pylateSchema = z.looseObject({
  query_prefix: z
    .string()
    .nullish()
    .transform((text) => text ?? "[Q] "),
  document_prefix: z
    .string()
    .nullish()
    .transform((text) => text ?? "[D] "),
  query_length: length.nullish().transform((count) => count ?? 32),
  document_length: length.nullish().transform((count) => count ?? 180),
  do_query_expansion: z
    .boolean()
    .nullish()
    .transform((on) => on ?? true),
  attend_to_expansion_tokens: z
    .boolean()
    .nullish()
    .transform((on) => on ?? false),
  skiplist_words: z
    .array(z.string())
    .nullish()
    .transform((words) => words ?? punctuation),
});

const stanfordSchema = z.looseObject({
  query_token_id: z.string().default("[unused0]"),
  doc_token_id: z.string().default("[unused1]"),
  query_maxlen: length.default(32),
  doc_maxlen: length.default(180),
  attend_to_mask_tokens: z.boolean().default(false),
  mask_punctuation: z.boolean().default(true),
});

/** @throws ConfigError where the directory is neither, or a module is not understood; CheckpointError without weights. */
export async function openColbertFolder(folder: string): Promise<ColbertFolder> {
  return (await isStanford(folder)) ? openStanford(folder) : openPylate(folder);
}

async function isStanford(folder: string): Promise<boolean> {
  const architectures = (await readSettings(join(folder, "config.json")))?.["architectures"];
  return Array.isArray(architectures) && architectures.includes("HF_ColBERT");
}

/** Whether a directory is Stanford's, or one of Sentence Transformers that gives a vector a token. */
export async function isColbert(folder: string): Promise<boolean> {
  if (await isStanford(folder)) return true;
  if (!existsSync(join(folder, "modules.json"))) return false;
  const { stages } = await openSentenceFolder(folder);
  return !stages.some(({ kind }) => kind === "pooling");
}

async function openPylate(folder: string): Promise<ColbertFolder> {
  const sentence = await openSentenceFolder(folder);
  if (sentence.settings.model_type === "MultiVectorEncoder") return multiVectorFolder(sentence, folder);
  const { model, entries, settings } = sentence;
  const path = join(folder, "config_sentence_transformers.json");
  const json = checked(pylateSchema, settings, path);
  return {
    model,
    stages: denseOnly(folder, sentence.stages),
    entries,
    sentence,
    settings: {
      ...defaultColbertSettings,
      ...readingOf(sentence),
      queryPrefix: json.query_prefix,
      documentPrefix: json.document_prefix,
      queryLength: json.query_length,
      documentLength: json.document_length,
      expandsQueries: json.do_query_expansion,
      attendsToExpansion: json.do_query_expansion && json.attend_to_expansion_tokens,
      skiplist: json.skiplist_words,
    },
  };
}

/** How PyLate reads texts before it makes them tokens: the default prompt, whatever they are, and case. */
export function readingOf({
  prompts,
  defaultPrompt,
  lowerCase,
}: Pick<SentenceFolder, "prompts" | "defaultPrompt" | "lowerCase">): Pick<
  ColbertSettings,
  "queryPrompt" | "documentPrompt" | "lowerCase"
> {
  const prompt = defaultPrompt === undefined ? "" : (prompts[defaultPrompt] ?? "");
  return { queryPrompt: prompt, documentPrompt: prompt, lowerCase };
}

async function openStanford(folder: string): Promise<ColbertFolder> {
  const model = await openModelFolder(folder, { as: "bare" });
  const projection = model.entries.get("linear.weight");
  const [outWidth, inWidth] = projection?.dims ?? [];
  if (projection === undefined || outWidth === undefined || inWidth === undefined) {
    throw new CheckpointError(`${folder}: expected a matrix "linear.weight", got none`);
  }
  const json = await readSettings(join(folder, "artifact.metadata"), stanfordSchema, {});
  const name = "1_Dense";
  return {
    model,
    stages: [{ kind: "dense", name, inWidth, outWidth, bias: false, activation: "linear", residual: false }],
    entries: new Map([...model.entries, [`${name}.linear.weight`, projection]]),
    settings: {
      ...defaultColbertSettings,
      queryPrefix: json.query_token_id,
      documentPrefix: json.doc_token_id,
      queryLength: json.query_maxlen,
      documentLength: json.doc_maxlen,
      expandsQueries: true,
      attendsToExpansion: json.attend_to_mask_tokens,
      skiplist: json.mask_punctuation ? punctuation : [],
    },
  };
}

/** @throws ConfigError where PyLate's directories cannot say what the settings do. */
export function checkPylate(
  folder: string,
  { settings, sentence }: Pick<ColbertFolder, "settings" | "sentence">,
): void {
  const { queryPrompt, documentPrompt, expansionLength, expansionToken, querySkiplist, normalizes } = settings;
  const hasPrompts = queryPrompt !== "" || documentPrompt !== "";
  const isDefault = queryPrompt === documentPrompt && typeof sentence?.settings.default_prompt_name === "string";
  const foreign = Object.entries({
    "prompts that are no single token": hasPrompts && !isDefault,
    "an expansion of another length than the query's": expansionLength !== undefined,
    "an expansion token of its own": expansionToken !== undefined,
    "a skiplist for queries": querySkiplist.length > 0,
    "vectors of any length": !normalizes,
  }).filter(([, is]) => is);
  if (foreign.length === 0) return;
  throw new ConfigError(`${folder}: expected a model that PyLate's format can hold, got ${foreign[0]![0]}`, {
    hint: "it can be used, but not trained further or written",
  });
}

/** Writes a PyLate directory. `parameters`: the network's and the dense layers', by the names of the graph. */
export async function saveColbertFolder(
  folder: string,
  model: {
    readonly config: ModelConfig;
    readonly tokenizer: Tokenizer;
    readonly parameters: ReadonlyMap<string, Tensor>;
  },
  { stages, settings, sentence }: Pick<ColbertFolder, "stages" | "settings" | "sentence">,
): Promise<void> {
  checkPylate(folder, { settings, sentence });
  const fields = {
    ...kept(sentence?.settings),
    model_type: "ColBERT",
    similarity_fn_name: "MaxSim",
    query_prefix: settings.queryPrefix,
    document_prefix: settings.documentPrefix,
    query_length: settings.queryLength,
    document_length: settings.documentLength,
    attend_to_expansion_tokens: settings.attendsToExpansion,
    // A word that is no token would have PyLate leave out every unknown word.
    skiplist_words: settings.skiplist.filter(
      (word) => settings.skipsUnknown || model.tokenizer.idOf(word) !== undefined,
    ),
    do_query_expansion: settings.expandsQueries,
  };
  const { lowerCase } = settings;
  const maxTokens = sentence?.maxTokens ?? model.config.max_position_embeddings;
  const description = { stages, width: stages[0]!.inWidth, maxTokens, lowerCase, settings: fields };
  await saveSentenceFolder(folder, model, description, "pylate");
}
