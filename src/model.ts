/** Loading a model directory in Hugging Face's format, of any family, and running it: the library's front door. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors, type TensorEntry } from "./checkpoints/safetensors.ts";
import { CheckpointError, ConfigError } from "./errors.ts";
import { type Generated, type GenerateOptions, type Generator, generate, generateStream, type Piece } from "./generate/index.ts";
import type { Graph } from "./graph/graph.ts";
import { toOnnx } from "./graph/lower.ts";
import { type Family, familyOf, headOf, type Labels, type ModelConfig } from "./models/index.ts";
import { decodingGraph, hiddenGraph, lossGraph, scoringGraph } from "./models/programs.ts";
import { type Batch, labelFeeds, makeBatch } from "./runtime/batch.ts";
import { createSession, type Device, type Session } from "./runtime/ort.ts";
import { allocateParameters, type Parameters, parameterSources, readParameters } from "./runtime/parameters.ts";
import { type Tensor, tensor } from "./tensor/tensor.ts";
import { loadTokenizer } from "./tokenizers/files.ts";

export interface LoadOptions {
  readonly device?: Device;
  /** Threads within an operation; default: one a core. */
  readonly threads?: number;
}

export interface Scored {
  /** [batch, tokens, vocabulary or classes], or [batch, classes] of a head that scores rows. */
  readonly logits: Tensor<"float32">;
}

export interface HiddenStates {
  /** Of the last layer: [batch, tokens, width]. Positions of padding have no meaning. */
  readonly hidden: Tensor<"float32">;
  /** [batch, width], of models with a pooler. */
  readonly pooled: Tensor<"float32"> | undefined;
}

/** Rows of unequal length are padded; `mask` has 1 for tokens, 0 for padding; `types` are BERT's segment numbers. */
export interface ModelRows {
  readonly ids: number[][];
  readonly mask?: number[][] | undefined;
  readonly types?: number[][] | undefined;
}

export interface LabelledRows extends ModelRows {
  /** A class of every token, a class of every row, or numbers of every row, as the model's head takes. */
  readonly labels: number[][] | number[];
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
  #generator: Promise<Generator> | undefined;

  constructor(
    folder: string,
    family: Family,
    config: ModelConfig,
    entries: ReadonlyMap<string, TensorEntry>,
    options: LoadOptions,
  ) {
    this.folder = folder;
    this.family = family;
    this.config = config;
    this.#entries = entries;
    this.#options = options;
  }

  /**
   * Scores of the model's head.
   * @throws ConfigError when an id is not in the vocabulary, or the model has no head.
   */
  async forward(rows: ModelRows): Promise<Scored> {
    const { ids, mask, types } = this.#batch(rows);
    this.#scoring ??= this.#compile(scoringGraph(this.family, this.config));
    const session = await this.#scoring;
    const { logits } = await session.run({ ids, mask, types });
    return { logits: logits as Tensor<"float32"> };
  }

  /** What the head stands on. @throws ConfigError when an id is not in the vocabulary. */
  async hidden(rows: ModelRows): Promise<HiddenStates> {
    const { ids, mask, types } = this.#batch(rows);
    this.#hidden ??= this.#compile(hiddenGraph(this.family, this.config));
    const session = await this.#hidden;
    const { hidden, pooled } = (await session.run({ ids, mask, types })) as Record<string, Tensor<"float32">>;
    return { hidden: hidden!, pooled };
  }

  /**
   * The loss and the gradient of every parameter, as transformers has them. Decoders shift `labels` by one; negative
   * labels (-100) are ignored.
   */
  async lossAndGradients(input: LabelledRows): Promise<LossAndGradients> {
    const { ids, mask, types } = this.#batch(input);
    this.#training ??= this.#trainer();
    const { session, parameters, gradients, labels: wanted } = await this.#training;
    const { feeds, counted } = labelFeeds(input, wanted, { tokens: ids.dims[1]!, causal: this.family.causal });
    const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));
    const { loss } = await session.run(
      {
        ids,
        mask,
        types,
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
   * @throws ConfigError on options that are wrong or contradict one another, or when the model is no decoder.
   */
  async generate(options: GenerateOptions): Promise<Generated> {
    return generate(await this.#openGenerator(), options);
  }

  /** The tokens of greedy search or sampling as they are chosen. @throws ConfigError as `generate`. */
  async *generateStream(options: GenerateOptions): AsyncGenerator<Piece> {
    yield* generateStream(await this.#openGenerator(), options);
  }

  async dispose(): Promise<void> {
    const sessions = [
      this.#scoring,
      this.#hidden,
      this.#training?.then(({ session }) => session),
      this.#generator?.then(({ decoder }) => decoder.session),
    ];
    this.#scoring = undefined;
    this.#hidden = undefined;
    this.#training = undefined;
    this.#generator = undefined;
    for (const session of sessions) await (await session)?.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #batch(rows: ModelRows): Batch {
    const { vocab_size: vocabSize, pad_token_id: padId, max_position_embeddings: maxTokens } = this.config;
    return makeBatch(rows, { vocabSize, padId, maxTokens });
  }

  async #compile(graph: Graph): Promise<Session> {
    const parameters = await parameterSources(graph, this.#entries, this.folder);
    return createSession(toOnnx(graph, { parameters }), { ...this.#options, externalFolder: this.folder });
  }

  #openGenerator(): Promise<Generator> {
    const { family, config, folder } = this;
    const cache = family.cache?.(config);
    if (cache === undefined) {
      throw new ConfigError(`generate: expected a decoder, got ${family.modelType}`, { hint: "use a BioGPT model" });
    }
    this.#generator ??= (async (): Promise<Generator> => {
      const path = join(folder, "generation_config.json");
      const text = await readFile(path, "utf8").catch(() => "{}");
      const tokenizer = await loadTokenizer(folder).catch((error: Error) => error);
      const session = await this.#compile(decodingGraph(family, config));
      return { decoder: { session, cache, vocabSize: config.vocab_size }, config, defaults: parseJson(path, text), tokenizer };
    })();
    return this.#generator;
  }

  async #trainer(): Promise<Trainer> {
    const graph = lossGraph(this.family, this.config, { masked: true, typed: true, gathered: true });
    const parameters = await readParameters(graph, this.#entries, this.folder);
    const session = await createSession(toOnnx(graph), this.#options);
    const labels = headOf(this.family, this.config)!.labels(this.config);
    return { session, parameters, gradients: allocateParameters(graph), labels };
  }
}

/**
 * Opens a directory with config.json and weights; the weights are mapped when first used.
 * @throws ConfigError or CheckpointError that names the file and what was expected of it.
 */
export async function loadModel(folder: string, options: LoadOptions = {}): Promise<Model> {
  const path = join(folder, "config.json");
  const json = parseJson(path, await readText(path));
  const family = familyOf(json, path);
  const config = family.parseConfig(json, path);
  const { entries } = await openSafetensors(join(folder, "model.safetensors"));
  const adapted = family.adapt?.(config, entries);
  if (adapted === undefined) return new Model(folder, family, config, entries, options);
  const renamed = new Map<string, TensorEntry>();
  for (const [name, entry] of entries) {
    const parameter = adapted.parameterOf(name);
    if (parameter !== undefined) renamed.set(parameter, entry);
  }
  return new Model(folder, family, adapted.config, renamed, options);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CheckpointError(`${path}: expected a model directory with this file, got none`, {
      cause: error,
      hint: "name a directory in Hugging Face's format: config.json, model.safetensors, tokenizer files",
    });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path}: expected JSON, got ${error instanceof Error ? error.message : "none"}`, {
      cause: error,
    });
  }
}
