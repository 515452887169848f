/**
 * What a training is for. An objective says which weights it starts from, which loss is computed of which batches, and how
 * the result is written; everything else (starting weights, what is trainable, accumulation, mixed precision, clipping,
 * held-out loss, checkpoints) stands once, in the folder above. One objective is one file; `index.ts` lists them.
 */
import type { TensorEntry } from "../../checkpoints/entries.ts";
import { ConfigError } from "../../errors.ts";
import type { Codec } from "../../generate/open.ts";
import type { TokenType } from "../../corpus/token-files.ts";
import type { ColumnNames } from "../../io/csv.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import type { Dim } from "../../graph/shape.ts";
import type { Family, ModelConfig } from "../../models/index.ts";
import type { FillRows } from "../../runtime/parameters.ts";
import type { Device, Session, SessionOptions, Tensors } from "../../runtime/session.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Tokenizer } from "../../tokenizers/tokenizer.ts";
import type { MaskingVocabulary } from "./masking.ts";
import type { RewardFunction } from "./rewards.ts";

/** The part of a tokenizer that training on token files can do with. */
export type Vocabulary = Pick<Tokenizer, "vocabSize" | "special" | "continuesWord" | "files" | "piecesAmong">;

/** What a training is given to work on, by path; models by their name on Hugging Face's hub, too. */
export interface Inputs {
  /** Directory of the weights to start from. */
  readonly model?: string | undefined;
  /** Tokenizer, or its directory; default: the one beside the weights. */
  readonly tokenizer?: string | Tokenizer | Vocabulary | undefined;
  /** Directory of the teacher, for distillation. */
  readonly teacher?: string | undefined;
  /** Directory of the reward model, or a function that scores answers, for a policy. */
  readonly reward?: string | RewardFunction | undefined;
  /** Files or folders, as the objective reads them. */
  readonly data: string | readonly string[];
  /** What the model knows already, for objectives that mix some of it in: documents, or token files. */
  readonly replay?: string | readonly string[] | undefined;
  /** Held out, of the same form: its loss is measured at the start, on the way and at the end. */
  readonly valid?: string | undefined;
  /** Under which names tables (.csv, .tsv) have text and label. */
  readonly columns?: ColumnNames | undefined;
  /** Only the first n training examples. */
  readonly limit?: number | undefined;
}

/** What an objective may use of the rest of a run. */
export interface Context {
  /** Folder of the run, for files that are made of the inputs. */
  readonly output: string;
  readonly resume: boolean;
  /** Fields of config.json of a new model; null: those of the weights to start from. */
  readonly model: Readonly<Record<string, unknown>> | null;
  readonly seed: number;
  readonly device: Device;
  /** The examples are read for an engine outside: nothing is computed here. */
  readonly outside?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How the run was set, for a model that says where it comes from. */
  readonly provenance: Readonly<Record<string, unknown>>;
  /** Something that a person should know, such as how many examples were cut. */
  note(text: string): void;
  /** Documents and tokens so far, while documents are tokenized. */
  reading(done: { readonly documents: number; readonly tokens: number }): void;
}

/** Where the weights begin: those stored, by the graph's names; the others are drawn from the seed. */
export interface Start {
  /** For messages; undefined where every weight is new. */
  readonly folder?: string | undefined;
  readonly family: Family;
  readonly config: ModelConfig;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Rows of the vocabulary that training with `trainable: "rows"` is about; default: those that it gained. */
  readonly rows?: Rows | undefined;
  /** Rows that the vocabulary gained; default: by the table's own initialiser. */
  readonly fillRows?: FillRows | undefined;
}

export interface Rows {
  readonly start: number;
  readonly count: number;
}

/** What a micro-batch is fed with. */
export interface Batch {
  readonly feeds: Tensors;
  /** Labels, or examples, that its loss is the sum or mean over. */
  readonly count: number;
  /** Its tokens or examples, for the speed. */
  readonly work: number;
}

/** Examples known by number. */
export interface ExampleSet<B extends Batch = Batch> {
  readonly count: number;
  /** The length of each, in any unit; absent where all are alike. */
  readonly sizes?: readonly number[];
  batch(numbers: readonly number[]): B;
  /** How an engine outside reads the same examples (`launch/`); absent: it cannot. */
  readonly outside?: OutsideBlocks | OutsideTexts | undefined;
}

/** Examples that are blocks of token files. */
export interface OutsideBlocks {
  /** With so many blocks of each, which are counted through all files. */
  readonly files: readonly { readonly prefix: string; readonly type: TokenType; readonly blocks: number }[];
  /** The block that an example number means. */
  placeOf(number: number): number;
}

/** Examples that are texts, the same number of each. */
export interface OutsideTexts {
  textsOf(number: number): readonly LearnedText[];
}

export interface LearnedText {
  readonly ids: readonly number[];
  /** Of each token, whether it is learned. */
  readonly learned: readonly boolean[];
}

/**
 * How examples follow one another. "stream": as numbered, without end (the objective shuffles). "random": shuffled every
 * epoch. "length": shuffled, but examples of like length share a batch, so that little is padded; not for classes, which
 * may go with a length. "full": random, and batches that are not full are left out, as in-batch negatives need.
 */
export type Order = "stream" | "random" | "length" | "full";

/** What a loss is run with besides its batch. */
export interface Run {
  readonly weights: Tensors;
  /** The loss and its gradients are multiplied by this. */
  readonly scale: number;
  /** Of dropout. */
  readonly seed: number;
}

/** A figure of some examples, or tokens: its mean over any number of batches is sum / count. */
export interface Figure {
  readonly sum: number;
  readonly count: number;
}

/** What people watch beside a loss, by name: "rewards/margins". */
export type Figures = Readonly<Record<string, Figure>>;

export interface Outcome {
  /** Times the run's `scale`. */
  readonly loss: number;
  /** Some of those that the objective names. */
  readonly figures?: Figures | undefined;
}

/** What a batch is prepared with. */
export interface Preparation extends Pick<Run, "weights" | "seed"> {
  /** Updates done. */
  readonly step: number;
  /** False: of held-out examples. */
  readonly training: boolean;
}

/** A compiled loss. */
export interface LossProgram<B extends Batch = Batch> extends AsyncDisposable {
  /** Declares every parameter. */
  readonly graph: Graph;
  /** The loss; its gradients are written `into`, by `gradient/NAME`. Without `into` there is no dropout. */
  run(batch: B, run: Run, into?: Tensors): Promise<Outcome>;
  /**
   * Micro-batches of an update (or one of held-out examples) with what is only known once the weights are: a policy's
   * samples. Their counts hold.
   */
  prepare?(batches: readonly B[], preparation: Preparation): Promise<readonly B[]>;
}

/** Makes graphs and sessions as the configuration asks (device, precision, recomputation, adapters). */
export interface Compiler {
  /** Outputs `loss`, times the input `scale`, and where `training` the gradient of every parameter that learns. */
  lossGraph(loss: (g: Graph) => Value, training: boolean): Graph;
  /** A graph to build on, of the same element type. */
  graph(training: boolean): Graph;
  session(graph: Graph): Promise<Session>;
  /** Where it computes. */
  readonly options: SessionOptions;
  /** Of a graph's weights, those of the model: adapters merged into their layers. */
  merged(graph: Graph, weights: Tensors): Tensors;
}

/** How texts are sampled from a decoder that is trained. */
export interface Sampling {
  readonly tokenizer: Codec;
  /** Most tokens of a text. */
  readonly tokens: number;
  /** The ids that a model of this kind goes on from, of the prompts that are set, or of its own where none are. */
  readonly prompts?: (given: readonly string[]) => readonly (readonly number[])[];
  /** Tokens that end a text; default: the configuration's. */
  readonly ends?: readonly number[];
}

export interface Objective<B extends Batch = Batch> extends AsyncDisposable {
  readonly start: Start;
  readonly train: ExampleSet<B>;
  readonly valid?: ExampleSet<B> | undefined;
  readonly order: Order;
  /** `sizes` count tokens, so that a batch may be limited by its tokens. */
  readonly sizesAreTokens?: boolean;
  /** The loss of a batch is the sum over its `count`, or the mean. */
  readonly reduction: "sum" | "mean";
  /** What `work` counts. */
  readonly unit: "tokens" | "examples";
  /** exp(loss) means something. */
  readonly perplexity?: boolean;
  /** The loss of an update is there for its gradient alone: it may be 0, or grow from it, without anything being wrong. */
  readonly surrogate?: boolean;
  /** Updates in a row that have the same examples. Default 1. */
  readonly repeats?: number | undefined;
  /** Names of the figures that its batches have beside their loss, in the order to show them. */
  readonly figures?: readonly string[];
  /**
   * The first of the streams of random numbers that dropout draws from. A constant of the objective: with another, runs
   * that were made before would not come out the same.
   */
  readonly dropoutStream?: number;
  /** Of masked language models: what their masks are drawn by. */
  readonly masking?: MaskingVocabulary | undefined;
  /** What texts are sampled with on the way, and the most tokens of one. */
  readonly sampling?: Sampling | undefined;
  /** The loss of one batch, a float32 scalar; `rows`: of the batch, where that is fixed. */
  loss(g: Graph, rows: Dim): Value;
  /** Figures of a batch, from what the graph of `loss` gives beside it. */
  measure?(outputs: Tensors, batch: B): Figures;
  /** Where the loss takes more than one run of one graph. */
  program?(compiler: Compiler): LossProgram<B>;
  /** Writes the model with these weights (by the graph's names, adapters merged) as a complete directory of its field. */
  save(folder: string, weights: ReadonlyMap<string, Tensor<"float32">>): Promise<void>;
}

/** The one path that `data` is. @throws ConfigError where it is several. */
export function onePath({ data }: Pick<Inputs, "data">): string {
  if (typeof data === "string") return data;
  if (data.length === 1) return data[0]!;
  throw new ConfigError(`data: expected one file, got ${data.length}`);
}

/** The directory to start from. @throws ConfigError where none is given. */
export function startFolder({ model }: Pick<Inputs, "model">): string {
  if (model !== undefined) return model;
  throw new ConfigError("model: expected a directory of weights to start from, got none");
}

/** The examples of these numbers. */
export function pick<T>(examples: readonly T[], numbers: readonly number[]): T[] {
  return numbers.map((number) => examples[number]!);
}
