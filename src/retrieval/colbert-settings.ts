/** What every ColBERT directory says, whatever its format: the network, dense layers, and how texts become tokens. */
import type { TensorEntry } from "../checkpoints/entries.ts";
import { ConfigError } from "../errors.ts";
import type { DenseStage, EmbeddingStage } from "../models/embedding.ts";
import type { ModelFolder } from "../runtime/folder.ts";
import type { SentenceFolder } from "./sentence-modules.ts";

/** The 32 characters of Python's string.punctuation. */
export const punctuation = [..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"];

/** How texts become tokens, and which tokens count. */
export interface ColbertSettings {
  /** A token put after [CLS]; empty: none. */
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Text put before each text; empty: none. */
  readonly queryPrompt: string;
  readonly documentPrompt: string;
  /** Texts are made lower-case, prompts included. */
  readonly lowerCase: boolean;
  /** Most tokens, [CLS], prefix and [SEP] included. */
  readonly queryLength: number;
  readonly documentLength: number;
  /** Queries are filled up with [MASK], and these tokens are scored. */
  readonly expandsQueries: boolean;
  /** Tokens that a query is filled up to. Default: `queryLength`. */
  readonly expansionLength?: number;
  /** What it is filled up with. Default: the tokenizer's mask token. */
  readonly expansionToken?: string;
  /** Other tokens see the tokens that fill up. */
  readonly attendsToExpansion: boolean;
  /** Tokens of documents that are not scored. */
  readonly skiplist: readonly string[];
  /**
   * A word of a skiplist that is no token stands for the unknown token, so that none of these is scored: PyLate's way.
   * It is of use where the vocabulary lacks a character of the skiplist, and loses unknown words otherwise.
   */
  readonly skipsUnknown: boolean;
  /** Tokens of queries that are not scored. */
  readonly querySkiplist: readonly string[];
  /** Vectors are made unit vectors. */
  readonly normalizes: boolean;
}

/** PyLate's defaults for a new model. */
export const defaultColbertSettings: ColbertSettings = {
  queryPrefix: "[Q] ",
  documentPrefix: "[D] ",
  queryPrompt: "",
  documentPrompt: "",
  lowerCase: false,
  queryLength: 32,
  documentLength: 180,
  expandsQueries: true,
  attendsToExpansion: false,
  skiplist: punctuation,
  skipsUnknown: true,
  querySkiplist: [],
  normalizes: true,
};

export interface ColbertFolder {
  readonly model: ModelFolder;
  /** Dense layers; L2 normalisation follows where the settings say so. */
  readonly stages: readonly DenseStage[];
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly settings: ColbertSettings;
  /** What a Sentence Transformers directory says besides, to be written again. */
  readonly sentence?: Pick<SentenceFolder, "maxTokens" | "settings"> | undefined;
}

/** @throws ConfigError where there are none, or others. */
export function denseOnly(folder: string, stages: readonly EmbeddingStage[]): DenseStage[] {
  const dense = stages.filter((stage) => stage.kind === "dense");
  if (dense.length > 0 && dense.length === stages.length) return dense;
  throw new ConfigError(`${folder}/modules.json: expected a Transformer and Dense modules, got others`, {
    hint: "a directory with Pooling gives one vector a text: use loadEmbedder",
  });
}
