/**
 * What generation runs on: a decoder's graph, compiled, with its tokenizer and defaults. The weights are a model
 * directory's, or parameters in memory, so that a training can sample from what it trains.
 */
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Family, ModelConfig } from "../models/family.ts";
import { decodingGraph } from "../models/graphs.ts";
import { calibrationRows } from "../runtime/calibration.ts";
import { openInMemory } from "../runtime/in-memory.ts";
import { parameterCount } from "../runtime/parameters.ts";
import type { Session, SessionOptions, Tensors } from "../runtime/session.ts";
import { createDecoding, type Decoder, type DecoderSizes, promptInputs } from "./decoder.ts";

/** What `generate` takes. */
export interface Generator<C extends Codec = Codec> extends AsyncDisposable {
  readonly decoder: Decoder;
  readonly config: ModelConfig;
  /** Contents of generation_config.json. */
  readonly defaults: unknown;
  /** Or why there is none. */
  readonly tokenizer: C | Error;
}

/** The part of a tokenizer that generation needs. */
export interface Codec {
  /** Its tokens; ids from there on, which a model may have rows for, are never chosen. Default: as the model has. */
  readonly vocabSize?: number | undefined;
  encodeIds(text: string): number[];
  decode(ids: Iterable<number>, options?: { skipSpecialTokens?: boolean }): string;
}

export interface GeneratorSource<C extends Codec = Codec> extends Pick<Generator<C>, "config" | "tokenizer"> {
  readonly family: Family;
  /** Default: none. */
  readonly defaults?: unknown;
  /**
   * Parameters by name, read at every run: a training may change them in between. Or what compiles the decoding graph
   * over weights of its own; `sample` gives inputs of the usual kind.
   */
  readonly weights: Tensors | ((graph: Graph, sample: () => Tensors) => Promise<Session>);
  /** Opens another engine than ONNX Runtime over `weights`. */
  readonly engine?: ((sizes: DecoderSizes) => Promise<Decoder & AsyncDisposable>) | undefined;
  /** See `Decoder`. */
  readonly acrossRows?: boolean | undefined;
  /** For weights in memory. */
  readonly session?: Pick<SessionOptions, "device" | "threads">;
}

/** @throws ConfigError where the model is no decoder, or a parameter is missing. */
export async function openGenerator<C extends Codec>(source: GeneratorSource<C>): Promise<Generator<C>> {
  const { family, config, tokenizer, defaults = {}, weights } = source;
  const cache = family.cache?.(config);
  if (cache === undefined) {
    throw new ConfigError(`generate: expected a decoder, got ${family.modelType}`, {
      hint: "use a decoder, such as those with a causal language model",
    });
  }
  const { vocab_size: vocabSize } = config;
  const graph = decodingGraph(family, config);
  const sizes = { cache, vocabSize, weights: parameterCount(graph) };
  if (source.engine !== undefined) {
    const decoder = await source.engine(sizes);
    return { decoder, config, defaults, tokenizer, [Symbol.asyncDispose]: () => decoder[Symbol.asyncDispose]() };
  }
  const sample = (): Tensors => promptInputs(cache, calibrationRows(config, tokenizer)).inputs;
  const session =
    typeof weights === "function" ? await weights(graph, sample) : await openInMemory(graph, weights, source.session);
  const acrossRows = source.acrossRows === true || cache.acrossRows;
  return {
    decoder: {
      ...sizes,
      acrossRows,
      start: (options) => createDecoding({ session, cache, vocabSize, acrossRows }, options),
    },
    config,
    defaults,
    tokenizer,
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}
