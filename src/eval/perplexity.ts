/**
 * Perplexity of a decoder on a stream of tokens by strided windows: every token but the first is scored once, with at
 * least `context - stride` tokens before it (beginning of the stream aside), as transformers' guide on perplexity does
 * it. Word perplexity and bits per byte do not depend on the vocabulary, so models with different tokenizers compare.
 */
// B batch (1), T tokens, N scored tokens
import { ConfigError, DataError } from "../errors.ts";
import { lossGraph } from "../models/graphs.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { type NetworkOptions, openNetwork } from "../runtime/network.ts";
import type { Session, Tensors } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";

/** Token ids by position; a `TokenFile` is one. */
export interface TokenStream {
  readonly tokens: number;
  read(start: number, length: number): ArrayLike<number>;
}

export interface PerplexityOptions extends Pick<NetworkOptions, "device" | "threads" | "weights"> {
  /** Tokens of a window; default: the model's positions. */
  readonly context?: number | undefined;
  /** Tokens by which windows advance; default: half the context. */
  readonly stride?: number | undefined;
  /** Whitespace-separated words and bytes of UTF-8 that the stream came from, where known. */
  readonly words?: number | undefined;
  readonly bytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((progress: { readonly done: number; readonly total: number; readonly perplexity: number }) => void)
    | undefined;
}

export interface Perplexity {
  /** exp of the mean negative log-likelihood of a token. */
  readonly perplexity: number;
  /** The same for each word, with `words`. */
  readonly wordPerplexity: number | undefined;
  /** Base-2 negative log-likelihood for each byte, with `bytes`. */
  readonly bitsPerByte: number | undefined;
  /** Scored tokens. */
  readonly tokens: number;
  readonly words: number | undefined;
  readonly bytes: number | undefined;
  readonly context: number;
  readonly stride: number;
}

/**
 * Measures the model in `folder` on a stream.
 * @throws ConfigError for a model that is no decoder or windows that do not fit; DataError for fewer than two tokens.
 */
export async function evaluatePerplexity(
  folder: string,
  stream: TokenStream,
  options: PerplexityOptions = {},
): Promise<Perplexity> {
  const { family, config, entries } = await openModelFolder(folder);
  if (!family.causal) throw new ConfigError(`perplexity: expected a decoder, got ${family.modelType}`);
  const positions = config.max_position_embeddings;
  const { context = positions, device, threads, weights, words, bytes } = options;
  const { stride = Math.max(1, Math.floor(context / 2)) } = options;
  checkRange("context", context, 2, positions);
  checkRange("stride", stride, 1, context);
  if (stream.tokens < 2) throw new DataError(`perplexity: expected at least two tokens, got ${stream.tokens}`);
  const graph = lossGraph(family, config, { batch: 1, gathered: true, gradients: false });
  const vocabSize = config.vocab_size;
  await using session = await openNetwork(graph, entries, folder, { device, threads, weights }, () =>
    windowFeeds(stream, { begin: 0, done: 0, end: Math.min(context, stream.tokens - 1) }, vocabSize),
  );
  const scored = stream.tokens - 1;
  const nats = await sumLosses(session, stream, { context, stride, vocabSize }, options);
  return {
    perplexity: Math.exp(nats / scored),
    wordPerplexity: words === undefined ? undefined : Math.exp(nats / words),
    bitsPerByte: bytes === undefined ? undefined : nats / Math.LN2 / bytes,
    tokens: scored,
    words,
    bytes,
    context,
    stride,
  };
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new ConfigError(`perplexity: ${name}: expected a whole number in [${least}, ${most}], got ${value}`);
}

interface Windows {
  readonly context: number;
  readonly stride: number;
  readonly vocabSize: number;
}

/** Negative log-likelihood of tokens 1, 2, … of the stream, in nats. */
async function sumLosses(
  session: Session,
  stream: TokenStream,
  { context, stride, vocabSize }: Windows,
  { signal, onProgress }: PerplexityOptions,
): Promise<number> {
  const total = stream.tokens - 1;
  let nats = 0;
  let done = 0;
  while (done < total) {
    signal?.throwIfAborted();
    // The first window scores all it holds, later ones their last `stride`.
    const end = Math.min(total, done + (done === 0 ? context : stride));
    const begin = Math.max(0, end - context);
    const { loss } = await session.run(windowFeeds(stream, { begin, done, end }, vocabSize));
    nats += Number(loss!.data[0]);
    done = end;
    onProgress?.({ done, total, perplexity: Math.exp(nats / done) });
  }
  return nats;
}

/** Inputs of the window [begin, end) of the stream, whose tokens from `done` on are scored by the token after each. */
function windowFeeds(
  stream: TokenStream,
  { begin, done, end }: { readonly begin: number; readonly done: number; readonly end: number },
  vocabSize: number,
): Tensors {
  const tokens = stream.read(begin, end - begin + 1);
  for (let t = 0; t < tokens.length; t++) {
    if (tokens[t]! >= 0 && tokens[t]! < vocabSize) continue;
    throw new ConfigError(`perplexity: token ${begin + t}: expected an id below ${vocabSize}, got ${tokens[t]}`, {
      hint: "the tokens were made with another tokenizer than the model's",
    });
  }
  const first = done - begin;
  const vector = (length: number, valueAt: (i: number) => number): BigInt64Array =>
    BigInt64Array.from({ length }, (_, i) => BigInt(valueAt(i)));
  const ids_BT = vector(end - begin, (t) => tokens[t]!);
  const at_N = vector(end - done, (n) => first + n);
  const labels_N = vector(end - done, (n) => tokens[first + n + 1]!);
  return {
    ids: tensor("int64", [1, ids_BT.length], ids_BT),
    at: tensor("int64", [at_N.length], at_N),
    labels: tensor("int64", [labels_N.length], labels_N),
    scale: tensor("float32", [], Float32Array.of(1)),
  };
}
