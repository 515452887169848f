/** Loading a model directory in Hugging Face's format, of any family, and running it: the library's front door. */
import { join } from "node:path";
import { ConfigError } from "./errors.ts";
import type { SaveOptions } from "./checkpoints/checkpoint.ts";
import type { TensorEntry } from "./checkpoints/entries.ts";
import { type Decoder, type DecoderSizes, scoreAll } from "./generate/decoder.ts";
import {
  type Generated,
  type GenerateOptions,
  type Generator,
  generate,
  generateStream,
  openGenerator,
  type Piece,
} from "./generate/index.ts";
import type { Graph } from "./graph/graph.ts";
import { weightFormats } from "./graph/weights/index.ts";
import { readSettings } from "./io/json.ts";
import { toOnnx } from "./graph/lower.ts";
import { type Family, headOf, type Labels, type ModelConfig } from "./models/index.ts";
import { hiddenGraph, lossGraph, scoringGraph } from "./models/graphs.ts";
import { type Batch, labelFeeds, makeBatch, type TokenRows } from "./runtime/batch.ts";
import { calibrationRows } from "./runtime/calibration.ts";
import { type ModelFolder, openModelFolder } from "./runtime/folder.ts";
import { isAlone } from "./runtime/foreign.ts";
import { finiteSession } from "./runtime/finite.ts";
import { saveModelFolder } from "./runtime/save.ts";
import { type NetworkOptions, openNetwork } from "./runtime/network.ts";
import { createSession, type Session, type Tensors } from "./runtime/session.ts";
import { allocateParameters, type Parameters, readParameters } from "./runtime/parameters.ts";
import { type Tensor, tensor } from "./tensor/tensor.ts";
import { loadTokenizer, saveTokenizer } from "./tokenizers/files.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

/** `weights` is how scoring, hidden states and generation hold them; losses and gradients are float32 always. */
export interface LoadOptions extends Pick<NetworkOptions, "device" | "threads" | "weights" | "memory"> {
  /**
   * What runs the network: ONNX Runtime (default), or for logits and generation of a GGUF file llama.cpp, through the
   * package node-llama-cpp, in the bits that the file has.
   */
  readonly engine?: Engine | undefined;
}

const engines = ["onnx", "llama.cpp"] as const;
export type Engine = (typeof engines)[number];

export interface Logits {
  /** [batch, tokens, vocabulary or classes], or [batch, classes] of a head that scores rows. */
  readonly logits: Tensor<"float32">;
}

export interface HiddenStates {
  /** Of the last layer: [batch, tokens, width]. Positions of padding have no meaning. */
  readonly hidden: Tensor<"float32">;
  /** [batch, width], of models with a pooler. */
  readonly pooled: Tensor<"float32"> | undefined;
}

export interface LabelledRows extends TokenRows {
  /** A class of every token, a class of every row, or numbers of every row, as the model's head takes. */
  readonly labels: readonly (readonly number[])[] | readonly number[];
}

export interface LossAndGradients {
  /** Mean over the labels that count. */
  readonly loss: number;
  /** By the checkpoint's parameter names. */
  readonly gradients: Map<string, Tensor<"float32">>;
}

interface Trainer {
  readonly session: Session;
  readonly parameters: Parameters;
  readonly gradients: Parameters;
  readonly labels: Labels;
}

export class Model implements AsyncDisposable {
  readonly folder: string;
  readonly family: Family;
  readonly config: ModelConfig;
  readonly #entries: ReadonlyMap<string, TensorEntry>;
  readonly #options: LoadOptions;
  #scoring: Promise<Session> | undefined;
  #hidden: Promise<Session> | undefined;
  #training: Promise<Trainer> | undefined;
  #generator: Promise<Generator<Tokenizer>> | undefined;

  constructor({ folder, family, config, entries }: ModelFolder, options: LoadOptions = {}) {
    this.folder = folder;
    this.family = family;
    this.config = config;
    this.#entries = entries;
    this.#options = options;
    requireEngine(folder, options);
  }

  /**
   * Scores of the model's head.
   * @throws ConfigError when an id is not in the vocabulary, or the model has no head.
   */
  async forward(rows: TokenRows): Promise<Logits> {
    const { tensors } = this.#batch(rows);
    if (this.#options.engine === "llama.cpp") {
      const masked = rows.mask?.some((row) => row.includes(0)) === true;
      if (masked) throw this.#onnxAlone("forward with a mask");
      return { logits: await scoreAll((await this.generator()).decoder, rows.ids) };
    }
    this.#scoring ??= this.#compile(scoringGraph(this.family, this.config), () => this.#sample());
    const session = await this.#scoring;
    const { logits } = await session.run(tensors);
    return { logits: logits as Tensor<"float32"> };
  }

  /** What the head stands on. @throws ConfigError when an id is not in the vocabulary. */
  async hidden(rows: TokenRows): Promise<HiddenStates> {
    if (this.#options.engine === "llama.cpp") throw this.#onnxAlone("hidden");
    const { tensors } = this.#batch(rows);
    this.#hidden ??= this.#compile(hiddenGraph(this.family, this.config), () => this.#sample());
    const session = await this.#hidden;
    const { hidden, pooled } = (await session.run(tensors)) as Record<string, Tensor<"float32">>;
    return { hidden: hidden!, pooled };
  }

  /**
   * The loss and the gradient of every parameter, as transformers has them. Language models that are decoders shift `labels` by one; negative
   * labels (-100) are ignored.
   */
  async lossAndGradients(input: LabelledRows): Promise<LossAndGradients> {
    if (this.#options.engine === "llama.cpp") throw this.#onnxAlone("lossAndGradients");
    const { tensors, tokens } = this.#batch(input);
    this.#training ??= this.#trainer();
    const { session, parameters, gradients, labels: wanted } = await this.#training;
    const { feeds, counted } = labelFeeds(input, wanted, tokens);
    const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));
    const { loss } = await session.run(
      {
        ...tensors,
        ...feeds,
        scale: tensor("float32", [], Float32Array.of(1 / counted)),
        ...Object.fromEntries(parameters.tensors),
      },
      into,
    );
    const copies = [...gradients.tensors].map(
      ([name, { dims, data }]) => [name, tensor("float32", dims, data.slice() as Float32Array)] as const,
    );
    return { loss: Number(loss!.data[0]), gradients: new Map(copies) };
  }

  /**
   * Continues prompts: greedy search, beam search or sampling, with transformers' options and results.
   * @throws ConfigError on options that are wrong or contradict one another, or when the model is no decoder; the
   * signal's reason where `options.signal` is aborted.
   */
  async generate(options: GenerateOptions): Promise<Generated> {
    return generate(await this.generator(), options);
  }

  /** The tokens of greedy search or sampling as they are chosen. @throws as `generate`. */
  async *generateStream(options: GenerateOptions): AsyncGenerator<Piece> {
    yield* generateStream(await this.generator(), options);
  }

  /** What generation runs on, open until the model is disposed of. @throws ConfigError where the model is no decoder. */
  generator(): Promise<Generator<Tokenizer>> {
    this.#generator ??= (async (): Promise<Generator<Tokenizer>> =>
      openGenerator({
        family: this.family,
        config: this.config,
        defaults: await readSettings(join(this.folder, "generation_config.json")),
        tokenizer: await this.#tokenizer(),
        weights: (graph, sample) => this.#compile(graph, sample),
        engine: this.#options.engine === "llama.cpp" ? (sizes) => this.#llamaCpp(sizes) : undefined,
        acrossRows: this.#options.weights !== undefined && weightFormats[this.#options.weights]?.acrossRows,
      }))();
    return this.#generator;
  }

  /**
   * Writes the model as a Hugging Face directory: weights (in shards where they are large), config.json and whatever
   * tokenizer and generation files lie beside them.
   * @param options.dtype what weights are stored as; default: as they are.
   */
  async save(folder: string, options: SaveOptions = {}): Promise<void> {
    await saveModelFolder(
      folder,
      { folder: this.folder, family: this.family, config: this.config, entries: this.#entries },
      options,
    );
    if (!isAlone(this.folder)) return;
    const tokenizer = await this.#tokenizer();
    if (!(tokenizer instanceof Error)) await saveTokenizer(tokenizer, folder);
  }

  async dispose(): Promise<void> {
    const opened = [this.#scoring, this.#hidden, this.#training?.then(({ session }) => session), this.#generator];
    this.#scoring = undefined;
    this.#hidden = undefined;
    this.#training = undefined;
    this.#generator = undefined;
    // A session that failed to open has told its caller so; there is nothing of it to dispose of.
    for (const one of opened) await (await one?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #batch(rows: TokenRows): Batch {
    return makeBatch(rows, this.config);
  }

  #compile(graph: Graph, sample: () => Tensors | Promise<Tensors>): Promise<Session> {
    return openNetwork(graph, this.#entries, this.folder, this.#options, sample);
  }

  async #llamaCpp(sizes: DecoderSizes): Promise<Decoder & AsyncDisposable> {
    const tokenizer = await this.#tokenizer();
    // llama.cpp ends the process where a file has no vocabulary.
    if (tokenizer instanceof Error) throw tokenizer;
    const { openLlamaCpp } = await import("./llama-cpp.ts");
    return openLlamaCpp(this.folder, sizes, this.#options);
  }

  #onnxAlone(what: string): ConfigError {
    return new ConfigError(`${what}: expected engine "onnx", got "llama.cpp", which gives the scores of whole texts`);
  }

  /** Or why there is none. */
  #tokenizer(): Promise<Tokenizer | Error> {
    return loadTokenizer(this.folder).catch((error: Error) => error);
  }

  async #sample(): Promise<Tensors> {
    return this.#batch({ ids: calibrationRows(this.config, await this.#tokenizer()) }).tensors;
  }

  async #trainer(): Promise<Trainer> {
    const graph = lossGraph(this.family, this.config, { masked: true, typed: true, gathered: true });
    const parameters = await readParameters(graph, this.#entries, this.folder);
    const session = finiteSession(await createSession(toOnnx(graph), this.#options), this.folder, this.#entries);
    const labels = headOf(this.family, this.config)!.labels(this.config);
    return { session, parameters, gradients: allocateParameters(graph), labels };
  }
}

/** @throws ConfigError for an engine that is unknown, or that cannot run the model as it is asked to. */
function requireEngine(folder: string, { engine = "onnx", device = "cpu", weights }: LoadOptions): void {
  if (!engines.includes(engine)) {
    throw new ConfigError(`engine: expected one of ${engines.join(", ")}, got "${String(engine).slice(0, 80)}"`);
  }
  if (engine === "onnx") return;
  if (!isAlone(folder)) {
    throw new ConfigError(`engine: expected a GGUF file with "llama.cpp", got ${folder}`, {
      hint: `galen convert ${folder} --output model.gguf --type q8_0 makes one`,
    });
  }
  if (weights !== undefined) {
    throw new ConfigError(`weights: expected none with engine "llama.cpp", which takes the file's, got "${weights}"`, {
      hint: "galen convert FILE.gguf --output other.gguf --type q4_0 makes a file in fewer bits",
    });
  }
  if (device !== "cpu") throw new ConfigError(`device: expected "cpu" with engine "llama.cpp", got "${device}"`);
}

/**
 * Opens a directory with config.json and weights, or a name of Hugging Face's hub (`org/name`, `org/name@revision`); the
 * weights are mapped when first used.
 * @throws ConfigError or CheckpointError that names the file and what was expected of it.
 */
export async function loadModel(source: string, options: LoadOptions = {}): Promise<Model> {
  return new Model(await openModelFolder(source), options);
}
