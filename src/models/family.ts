/**
 * What a model family says of itself, so that loading, training, generation and conversion know none by name. A family
 * is one file, or one folder where it needs more (heads, names of older checkpoints, another library's format).
 */
import { ConfigError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { AttendWithin } from "../nn/attention.ts";
import type { Turns } from "../nn/rotary.ts";

/** The fields that every Hugging Face config.json has, and that shared code reads. */
export interface ModelConfig {
  readonly model_type: string;
  readonly vocab_size: number;
  /** Width of the hidden states. */
  readonly hidden_size: number;
  /** Longest sequence, in tokens. */
  readonly max_position_embeddings: number;
  /** What fills up rows; none where the vocabulary has no such token: any will do, since masks leave it out. */
  readonly pad_token_id?: number | null | undefined;
  /** Hugging Face's class names; the first says which head the checkpoint has. */
  readonly architectures?: readonly string[] | null | undefined;
}

/** B batch, T tokens. Inputs of any family; each uses those it has. */
export interface ModelInputs {
  readonly ids_BT: Value;
  /** int64, 1 for a token, 0 for padding. Absent: no padding. */
  readonly mask_BT?: Value | undefined;
  /** int64: which document of its row a token belongs to, where several share a row; tokens see their own alone. */
  readonly documents_BT?: Value | undefined;
  /**
   * int64, with `positions_BT`: which branch of its row a token belongs to. Tokens of branch 0 are seen by all that come
   * after them, by position; those of another by their own branch alone.
   */
  readonly branches_BT?: Value | undefined;
  /** int64 segment numbers (BERT). Absent: all 0. */
  readonly types_BT?: Value | undefined;
  /** int64 positions, for packed rows, branches and generation with a cache; absent: from the mask. */
  readonly positions_BT?: Value | undefined;
  /** Absent: attention over all tokens, masked as the family does. */
  readonly attend?: AttendWithin | undefined;
}

/** Sizes of the key-value cache. */
export interface CacheShape {
  readonly layers: number;
  readonly keyHeads: number;
  readonly headWidth: number;
  /** The longest sequence that the model takes, in tokens. */
  readonly maxTokens: number;
  /** What a token gets depends on how long the longest row of its pass is. */
  readonly acrossRows?: boolean;
}

/** What has a label: every token (a class), every row (a class), or every row C times (target values). */
export interface Labels {
  readonly of: "tokens" | "rows" | "targets";
  /** Number of classes, or of targets in a row. */
  readonly count: number;
  /** The label of a token is scored one token before it (language models that are decoders). */
  readonly next?: boolean;
}

/** What stands on the hidden states, by Hugging Face's class name. */
export interface Head<Config extends ModelConfig = ModelConfig> {
  /** What it scores: tokens of the vocabulary, classes of whole texts, classes of tokens. */
  readonly kind: "language" | "sequence" | "token";
  labels(config: Config): Labels;
  /** hidden_BTD → [B, T, classes], or [B, classes or targets] for labels of rows. `inputs`: what gave the hidden states. */
  logits(g: Graph, config: Config, hidden_BTD: Value, inputs: ModelInputs): Value;
  /**
   * The loss of every label, a vector; its mean is the model's loss. Labels are int64 [N] (negative: ignored) or float
   * [B, C]; labels of tokens take hidden states of any leading shape with N rows in all.
   */
  loss(g: Graph, config: Config, hidden: Value, labels: Value, inputs: ModelInputs): Value;
}

/** Shapes of the tensors of a checkpoint, by name. */
export type Shapes = ReadonlyMap<string, { readonly dims: readonly number[] }>;

/** A checkpoint of another library, as the reader of its file format gives it. */
export interface ForeignCheckpoint {
  /** What errors begin with. */
  readonly where: string;
  /** By the library's own names. */
  readonly stored: Shapes;
  /** A setting of the model; undefined where there is none of this name. */
  setting(name: string): unknown;
}

/**
 * What families write of attention in fields of their own, in numbers: what an engine that knows the layers has to be
 * told besides config.json.
 */
export interface AttentionNumbers {
  /** Absent: positions are learned. */
  readonly rotary?: Turns;
  /** Of layers with a window, where it is another than the others'. */
  readonly localRotary?: Turns;
  /** By layer, as `nn/attention.ts` counts. Absent: all layers see all. */
  readonly windows?: (number | null)[];
}

/** Where the weights show a size that config.json gives. */
export interface Measure {
  /** Field of config.json. */
  readonly field: string;
  /** The field's value, where it is not simply that. */
  readonly value?: number;
  readonly parameter: string;
  readonly axis: number;
  /** Rows or columns that the field does not count. */
  readonly uncounted?: number;
}

/** What the weights show of config.json's sizes. */
export interface Measures {
  /** Parameters whose names begin with this and a number are layers. */
  readonly layers: { readonly field: string; readonly value: number; readonly prefix: string };
  readonly sizes: readonly Measure[];
}

/** How a library orders the numbers of a matrix, where otherwise than Hugging Face does. */
export type Order =
  /** Rows of each head: Meta turns each with the next, Hugging Face with that half a head further on. */
  { readonly kind: "pairs"; readonly heads: number } | { readonly kind: "transposed" };

/** How another library names and configures the family. Files are read and written by `runtime/foreign.ts`. */
export interface ForeignFormat<Config extends ModelConfig = ModelConfig> {
  /** Whether these are the tensors and settings of the family. */
  recognises(checkpoint: Omit<ForeignCheckpoint, "where">): boolean;
  /** What is config.json's. @throws CheckpointError where settings are missing or contradict the tensors. */
  configOf(checkpoint: ForeignCheckpoint): object;
  /** The family's name of a stored tensor; undefined for one that is no part of the model. @throws CheckpointError. */
  parameterOf(storedName: string, where: string): string | undefined;
  /** How the library orders a parameter's numbers; undefined: as they are. */
  orderOf?(parameter: string, config: Config): Order | undefined;
  /** Tensors whose numbers are settings: `configOf` gets them by name, and `parameterOf` gives them none. */
  readonly settingTensors?: readonly string[];
  /** The axis that a tensor in several files is split along; undefined where each has the whole. */
  splitAxis?(storedName: string, shape: readonly number[], checkpoint: ForeignCheckpoint): number | undefined;
  /** What writing takes; absent where the format is only read. */
  readonly written?: {
    /** The library's settings, by section. @throws ConfigError for what it does not have. */
    settingsOf(config: Config): Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
    /** Every tensor that the library stores, in order, and the parameter that it is: a tied one may come twice. */
    storedAs(parameters: Iterable<string>): readonly (readonly [storedName: string, parameter: string])[];
    /** What the first rows of a parameter, as the library orders it, are multiplied by, so that it needs no setting. */
    factorOf?(parameter: string, config: Config): { readonly rows: number; readonly factor: number } | undefined;
    /** Tensors whose numbers are settings. */
    tensorsOf?(config: Config): Readonly<Record<string, Float32Array>>;
    /** What the library cannot be told of the model. */
    lossesOf?(config: Config): readonly string[];
  };
}

/**
 * `Config` is the family's own; shared code holds a `Family`, whose methods take any `ModelConfig`: it hands back only
 * what the same family's `parseConfig` gave it.
 */
export interface Family<Config extends ModelConfig = ModelConfig> {
  readonly modelType: string;
  /** Hugging Face's class name of the language model, for config.json's `architectures`. */
  readonly architecture: string;
  /** Named sizes, each a complete configuration. */
  readonly sizes: Readonly<Record<string, Config>>;
  /** The same in miniature, for runs of seconds: every part is there, and the vocabulary stays. */
  debug(config: Config): Config;
  /** The same with this rate of dropout wherever fine-tuning drops. */
  withDropout(config: Config, rate: number): Config;
  /** Layers that low-rank adapters stand beside by default: the last part of their names. */
  readonly loraTargets: readonly string[];
  /** Whether a config.json without `model_type`, as early libraries wrote it, is of this family. */
  recognises?(json: unknown): boolean;
  /** @throws ConfigError that names the field. */
  parseConfig(json: unknown, where: string): Config;
  /** config.json's fields, where files call them otherwise than `Config` does. */
  written?(config: Config): object;
  /** Final hidden states x_BTD. */
  hidden(g: Graph, config: Config, inputs: ModelInputs): Value;
  /** One vector a row, pooled_BD, from hidden_BTD, where the model has a layer for that. */
  pooled?(g: Graph, config: Config, hidden_BTD: Value): Value | undefined;
  /** Scores of the language model's head: over the vocabulary, logits_BTV. */
  logits(g: Graph, config: Config, hidden_BTD: Value): Value;
  /** Cross-entropy of every token, loss_N with N = B·T, given labels_N (negative: ignored). */
  tokenLoss(g: Graph, config: Config, hidden_BTD: Value, labels_N: Value): Value;
  /** True for decoders: the label of token t is token t + 1. */
  readonly causal: boolean;
  /** True where tokens have types (segment numbers), input `types`. */
  readonly typed?: boolean;
  /** Heads besides the language model's, by Hugging Face's class name; "none" for the bare network. */
  readonly heads?: Readonly<Record<string, Head<Config> | "none">>;
  cache?(config: Config): CacheShape;
  /** For rows of up to `tokens` tokens. Absent: what there is says config.json. @throws ConfigError where rows are too long. */
  attentionNumbers?(config: Config, tokens: number): AttentionNumbers;
  /** Names in a checkpoint that repeat another parameter, or stand for it (a tied head): repeated name → parameter. */
  tied(config: Config): Readonly<Record<string, string>>;
  /** The same with a matrix of the head's own in place of the repeated one. */
  untied(config: Config): Config;
  /** Formats of other libraries that the family is read from and written in, by the library's name. */
  readonly foreign?: Readonly<Record<string, ForeignFormat<Config>>>;
  /** Where weights show the configuration's sizes, so that those that they lack are refused before a graph is built. */
  measures(config: Config): Measures;
  /** What only the checkpoint knows: the configuration completed, and the parameter that a stored tensor is, if any. */
  adapt?(config: Config, stored: Shapes): { config: Config; parameterOf: (storedName: string) => string | undefined };
}

/** The head that config.json's `architectures` names; undefined for the bare network. @throws ConfigError. */
export function headOf(family: Family, config: ModelConfig): Head | undefined {
  const named = config.architectures?.[0] ?? family.architecture;
  const { logits, tokenLoss, causal: next, heads = {} } = family;
  if (named === family.architecture) {
    const labels = ({ vocab_size }: ModelConfig): Labels => ({ of: "tokens", count: vocab_size, next });
    return { kind: "language", labels, logits, loss: tokenLoss };
  }
  const head = Object.hasOwn(heads, named) ? heads[named]! : undefined;
  if (head === undefined) {
    const known = [family.architecture, ...Object.keys(heads)].join(", ");
    throw new ConfigError(`config.json: architectures: expected one of ${known}, got ${named.slice(0, 80)}`);
  }
  return head === "none" ? undefined : head;
}

/** What a model is opened as, whatever its config.json says: the network alone, or under the family's head of a kind. */
export type Role = "bare" | Head["kind"];

/** Hugging Face's class name of the family in a role. @throws ConfigError where it has none. */
export function architectureOf({ modelType, architecture, heads = {} }: Family, role: Role): string {
  if (role === "language") return architecture;
  const named = Object.entries(heads).find(([, head]) => (head === "none" ? "bare" : head.kind) === role);
  if (named !== undefined) return named[0];
  throw new ConfigError(`${modelType}: expected a family that can be opened as "${role}", got one without`);
}
