/**
 * Perplexity of a decoder on a stream of tokens by strided windows: every token but the first is scored once, with at
 * least `context - stride` tokens before it (beginning of the stream aside), as transformers' guide on perplexity does
 * it. Word perplexity and bits per byte do not depend on the vocabulary, so models with different tokenizers compare.
 */
// T tokens, N scored tokens
import { ConfigError, DataError } from "../errors.ts";
import { detail, type Figure, type Report } from "../metrics/report.ts";
import { lossGraph } from "../models/graphs.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { identityOf, type NetworkOptions, openNetwork } from "../runtime/network.ts";
import type { Session, Tensors } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";
import type { PerplexityText, TokenStream } from "./perplexity-text.ts";
import { tokensHash } from "./protocol.ts";
import { runEvaluation } from "./run.ts";
import type { WindowOptions } from "./windows.ts";

export interface PerplexityOptions
  extends WindowOptions, Pick<NetworkOptions, "device" | "threads" | "weights" | "memory"> {
  /** Tokens of a window; default: the model's positions. */
  readonly context?: number | undefined;
  /** Tokens by which windows advance; default: half the context. */
  readonly stride?: number | undefined;
}

/** Windows of tokens between two entries of the journal. */
const windowsTogether = 16;

/**
 * Measures the model of `source` on a text, of which `openPerplexityText` makes one.
 * @throws ConfigError for a model that is no decoder or windows that do not fit; DataError for fewer than two tokens.
 */
export async function evaluatePerplexity(
  source: string,
  text: PerplexityText,
  options: PerplexityOptions = {},
): Promise<Report> {
  const { folder, family, config, entries } = await openModelFolder(source);
  if (!family.causal) throw new ConfigError(`perplexity: expected a decoder, got ${family.modelType}`);
  const { vocab_size: vocabSize, max_position_embeddings: positions } = config;
  const { context = positions, window = windowsTogether, device, threads, memory, signal, onProgress } = options;
  const { stride = Math.max(1, Math.floor(context / 2)), weights } = options;
  checkRange("context", context, 2, positions);
  checkRange("stride", stride, 1, context);
  const { stream } = text;
  if (stream.tokens < 2) throw new DataError(`perplexity: expected at least two tokens, got ${stream.tokens}`);
  const graph = lossGraph(family, config, { batch: 1, gathered: true, gradients: false });
  await using session = await openNetwork(graph, entries, folder, { device, threads, weights, memory }, () =>
    windowFeeds(stream, { begin: 0, done: 0, end: Math.min(context, stream.tokens - 1) }, vocabSize),
  );
  const protocol = {
    task: "perplexity",
    version: 1,
    context,
    stride,
    data: tokensHash(stream, signal),
    // float32 came first, and its hashes stay what they are.
    ...(weights === undefined || weights === "float32" ? {} : { weights }),
  };
  const spans = spansOf(stream.tokens - 1, context, stride);
  let nats = 0;
  let soFar = "";
  const watched: WindowOptions = {
    ...options,
    window,
    onProgress: onProgress && ((state) => onProgress({ ...state, text: soFar })),
  };
  return await runEvaluation(protocol, { identity: identityOf({ weights }) }, ["windows"], watched, async (windows) => {
    const parts = windows.run({
      name: "windows",
      inputs: spans,
      total: spans.length,
      async compute(some, onDone) {
        const losses: number[] = [];
        let sum = nats;
        for (const span of some) {
          signal?.throwIfAborted();
          const loss = await lossOf(session, stream, span, vocabSize);
          losses.push(loss);
          soFar = `perplexity ${Math.exp((sum += loss) / span.end).toFixed(2)}`;
          onDone(losses.length);
        }
        return losses;
      },
    });
    for await (const losses of parts) for (const loss of losses) nats += loss;
    const scored = stream.tokens - 1;
    return { examples: scored, primary: "perplexity", figures: figuresOf(nats, scored, text) };
  });
}

function figuresOf(nats: number, tokens: number, { documents, words, bytes }: PerplexityText): Figure[] {
  const number = (name: string, kind: Figure["kind"], label: string, value: number): Figure => ({
    name,
    label,
    kind,
    unit: "number",
    value,
  });
  const count = (name: string, value: number | undefined): Figure[] =>
    value === undefined ? [] : [detail(name, `${name} of the text`, value, "count")];
  return [
    number("perplexity", "published", "exp of the mean negative log-likelihood of a token", Math.exp(nats / tokens)),
    ...(words === undefined
      ? []
      : [number("word_perplexity", "sound", "the same of a word, whatever the vocabulary", Math.exp(nats / words))]),
    ...(bytes === undefined
      ? []
      : [number("bits_per_byte", "sound", "bits of a byte, whatever the vocabulary", nats / Math.LN2 / bytes)]),
    detail("tokens", "scored tokens", tokens, "count"),
    ...count("documents", documents),
    ...count("words", words),
    ...count("bytes", bytes),
  ];
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new ConfigError(`perplexity: ${name}: expected a whole number in [${least}, ${most}], got ${value}`);
}

/** Tokens from `begin` are read; those after `done` up to `end`, which is scored too, have their losses summed. */
interface Span {
  readonly begin: number;
  readonly done: number;
  readonly end: number;
}

/** The first window scores all it holds, later ones their last `stride`. */
function spansOf(total: number, context: number, stride: number): Span[] {
  const spans: Span[] = [];
  for (let done = 0; done < total; done = spans.at(-1)!.end) {
    const end = Math.min(total, done + (done === 0 ? context : stride));
    spans.push({ begin: Math.max(0, end - context), done, end });
  }
  return spans;
}

/** Negative log-likelihood of tokens `done` + 1 to `end` of the stream, in nats. */
async function lossOf(session: Session, stream: TokenStream, span: Span, vocabSize: number): Promise<number> {
  const { loss } = await session.run(windowFeeds(stream, span, vocabSize));
  return Number(loss!.data[0]);
}

/** Inputs of the window [begin, end) of the stream, whose tokens from `done` on are scored by the token after each. */
function windowFeeds(stream: TokenStream, { begin, done, end }: Span, vocabSize: number): Tensors {
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
