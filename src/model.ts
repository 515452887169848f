/** Loading a model directory in Hugging Face's format, of any family, and running it: the library's front door. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors, type TensorEntry } from "./checkpoints/safetensors.ts";
import { CheckpointError, ConfigError } from "./errors.ts";
import type { Graph } from "./graph/graph.ts";
import { toOnnx } from "./graph/lower.ts";
import { type Family, familyOf, type ModelConfig } from "./models/index.ts";
import { lossGraph, scoringGraph } from "./models/programs.ts";
import { makeBatch } from "./runtime/batch.ts";
import { createSession, type Device, type Session } from "./runtime/ort.ts";
import { allocateParameters, type Parameters, parameterSources, readParameters } from "./runtime/parameters.ts";
import { type Tensor, tensor } from "./tensor/tensor.ts";

export interface LoadOptions {
  readonly device?: Device;
  /** Threads within an operation; default: one a core. */
  readonly threads?: number;
}

export interface Scored {
  /** Decoders and masked language models: [batch, tokens, vocabulary]. */
  readonly logits: Tensor<"float32">;
}

export interface LossAndGradients {
  /** Mean over the labels that count. */
  readonly loss: number;
  /** By the checkpoint's parameter names. */
  readonly gradients: Map<string, Tensor<"float32">>;
}

export class Model implements AsyncDisposable {
  readonly folder: string;
  readonly family: Family;
  readonly config: ModelConfig;
  readonly #entries: ReadonlyMap<string, TensorEntry>;
  readonly #options: LoadOptions;
  #scoring: Promise<Session> | undefined;
  #training: Promise<{ session: Session; parameters: Parameters; gradients: Parameters }> | undefined;

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
   * Scores: logits of every token. Rows of unequal length are padded; `mask` has 1 for tokens, 0 for padding.
   * @throws ConfigError when an id is not in the vocabulary.
   */
  async forward({ ids, mask }: { ids: number[][]; mask?: number[][] }): Promise<Scored> {
    const batch = this.#batch(ids, mask);
    this.#scoring ??= this.#compile(scoringGraph(this.family, this.config));
    const session = await this.#scoring;
    const { logits } = await session.run({ ids: batch.ids, mask: batch.mask });
    return { logits: logits as Tensor<"float32"> };
  }

  /**
   * The loss and the gradient of every parameter. Decoders shift `labels` by one, as transformers does; negative
   * labels (-100) are ignored.
   */
  async lossAndGradients(input: { ids: number[][]; mask?: number[][]; labels: number[][] }): Promise<LossAndGradients> {
    const batch = this.#batch(input.ids, input.mask);
    const { rows, tokens } = batch;
    if (input.labels.length !== rows || input.labels.some((row, i) => row.length !== input.ids[i]!.length)) {
      throw new ConfigError("labels: expected the same shape as ids");
    }
    const labels = new BigInt64Array(rows * tokens).fill(-100n);
    let counted = 0;
    input.labels.forEach((row, i) =>
      row.forEach((label, j) => {
        const at = this.family.causal ? j - 1 : j;
        if (at < 0 || label < 0) return;
        if (label >= this.config.vocab_size) {
          throw new ConfigError(`labels[${i}][${j}]: expected an id below ${this.config.vocab_size}, got ${label}`);
        }
        labels[i * tokens + at] = BigInt(label);
        counted++;
      }),
    );
    this.#training ??= this.#trainer();
    const { session, parameters, gradients } = await this.#training;
    const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));
    const { loss } = await session.run(
      {
        ids: batch.ids,
        mask: batch.mask,
        labels: tensor("int64", [rows, tokens], labels),
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

  async dispose(): Promise<void> {
    const sessions = [this.#scoring, this.#training?.then(({ session }) => session)];
    this.#scoring = undefined;
    this.#training = undefined;
    for (const session of sessions) await (await session)?.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #batch(ids: number[][], mask: number[][] | undefined): ReturnType<typeof makeBatch> {
    const padId = (this.config as { pad_token_id?: number }).pad_token_id ?? 0;
    return makeBatch(ids, mask, { vocabSize: this.config.vocab_size, padId });
  }

  async #compile(graph: Graph): Promise<Session> {
    const parameters = await parameterSources(graph, this.#entries, this.folder);
    return createSession(toOnnx(graph, { parameters }), { ...this.#options, externalFolder: this.folder });
  }

  async #trainer(): Promise<{ session: Session; parameters: Parameters; gradients: Parameters }> {
    const graph = lossGraph(this.family, this.config, { masked: true });
    const parameters = await readParameters(graph, this.#entries, this.folder);
    const session = await createSession(toOnnx(graph), this.#options);
    return { session, parameters, gradients: allocateParameters(graph) };
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
  return new Model(folder, family, config, entries, options);
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
    throw new ConfigError(`${path}: expected JSON, got ${error instanceof Error ? error.message : "none"}`, { cause: error });
  }
}
