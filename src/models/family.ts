/** What a model family says of itself, so that loading, training and generation need to know no family by name. */
import type { Graph, Value } from "../graph/graph.ts";
import type { Attend } from "../nn/attention.ts";

/** The fields that every Hugging Face config.json has, and that shared code reads. */
export interface ModelConfig {
  readonly model_type: string;
  readonly vocab_size: number;
}

/** B batch, T tokens. Inputs of any family; each uses those it has. */
export interface ModelInputs {
  readonly ids_BT: Value;
  /** int64, 1 for a token, 0 for padding. Absent: no padding. */
  readonly mask_BT?: Value | undefined;
  /** int64 segment numbers (BERT). Absent: all 0. */
  readonly types_BT?: Value | undefined;
  /** int64 positions, for generation with a cache; absent: from the mask. */
  readonly positions_BT?: Value | undefined;
  /** Absent: attention over all tokens, masked as the family does. */
  readonly attend?: Attend | undefined;
}

/** Sizes of the key-value cache. */
export interface CacheShape {
  readonly layers: number;
  readonly keyHeads: number;
  readonly headWidth: number;
  /** The longest sequence that the model takes, in tokens. */
  readonly maxTokens: number;
}

export interface Family<Config extends ModelConfig = ModelConfig> {
  readonly modelType: string;
  /** Hugging Face's class name, for config.json's `architectures`. */
  readonly architecture: string;
  /** Named sizes, each a complete configuration. */
  readonly sizes: Readonly<Record<string, Config>>;
  /** @throws ConfigError that names the field. */
  parseConfig(json: unknown, where: string): Config;
  /** Final hidden states x_BTD. */
  hidden(g: Graph, config: Config, inputs: ModelInputs): Value;
  /** Scores of the task's head: over the vocabulary, logits_BTV. */
  logits(g: Graph, config: Config, hidden_BTD: Value): Value;
  /** Cross-entropy of every token, loss_N with N = B·T, given labels_N (negative: ignored). */
  tokenLoss(g: Graph, config: Config, hidden_BTD: Value, labels_N: Value): Value;
  /** True for decoders: the label of token t is token t + 1. */
  readonly causal: boolean;
  cache?(config: Config): CacheShape;
  /** Names in a checkpoint that repeat another parameter (a tied head): repeated name → parameter. */
  readonly tied: Readonly<Record<string, string>>;
}
