/**
 * What few bits cost: a model beside the one that it was made of, on the same texts. Language models by what they expect
 * of each token (perplexity, Kullback-Leibler divergence, how often both have the same first choice), masked ones at
 * masked tokens; classifiers by their classes; networks without a head by the cosine of their mean hidden states.
 */
import { ConfigError } from "../errors.ts";
import { loadModel, type LoadOptions, type Model } from "../model.ts";
import { headOf } from "../models/family.ts";
import { required } from "../schema.ts";
import { random } from "../tensor/random.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";

export interface QuantizationLoss {
  readonly texts: number;
  /** Places where scores were compared: tokens, masked tokens, or texts. */
  readonly places: number;
  /** exp of the mean negative log-likelihood, of language models. */
  readonly perplexity?: { readonly before: number; readonly after: number };
  /** Mean Kullback-Leibler divergence of the scores after from those before, in nats. */
  readonly divergence?: number;
  /** Share of places where the first choice is the same. */
  readonly agreement?: number;
  /** Of mean hidden states, where the model has no head. */
  readonly cosine?: { readonly mean: number; readonly least: number };
}

export interface QuantizationOptions extends Pick<LoadOptions, "device" | "threads" | "memory"> {
  /** Tokens that texts are cut to. Default 256, or the model's positions. */
  readonly context?: number | undefined;
  /** Tokens after which no more texts are read. Default 8192. */
  readonly mostTokens?: number | undefined;
  /** Of which tokens are masked. Default 1. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares the model in `after` with that in `before`, which is read as float32.
 * @throws ConfigError where there is no text, or the directories hold different models.
 */
export async function quantizationLoss(
  before: string,
  after: string,
  texts: readonly string[],
  options: QuantizationOptions = {},
): Promise<QuantizationLoss> {
  required("quantizationLoss: texts", texts, "list of texts");
  const { mostTokens = 8192, seed = 1, signal, device, threads, memory } = options;
  const tokenizer = await loadTokenizer(after);
  await using exact = await loadModel(before, { device, threads, memory, weights: "float32" });
  await using packed = await loadModel(after, { device, threads, memory });
  if (exact.family !== packed.family || exact.config.vocab_size !== packed.config.vocab_size) {
    throw new ConfigError(`${after}: expected the model of ${before} in few bits, got another`);
  }
  const context = Math.min(options.context ?? 256, exact.config.max_position_embeddings);
  const rows = tokenRows(tokenizer, texts, context, mostTokens);
  if (rows.length === 0)
    throw new ConfigError("quantizationLoss: texts: expected some of two tokens or more, got none");
  const head = headOf(exact.family, exact.config);
  if (head === undefined) return { texts: rows.length, ...(await cosinesOf(exact, packed, rows, signal)) };
  const isLanguage = head.kind === "language";
  const draw = random(seed);
  const sums = { places: 0, before: 0, after: 0, divergence: 0, agreed: 0 };
  for (const ids of rows) {
    signal?.throwIfAborted();
    const { inputs, labels } =
      isLanguage && !exact.family.causal ? masked(ids, tokenizer, draw.next) : { inputs: ids, labels: ids.slice(1) };
    const [a, b] = [(await exact.forward({ ids: [inputs] })).logits, (await packed.forward({ ids: [inputs] })).logits];
    const width = a.dims.at(-1)!;
    const places = isLanguage ? labels.keys() : Array(a.data.length / width).keys();
    for (const place of places) {
      if (isLanguage && labels[place] === undefined) continue;
      const at = place * width;
      add(sums, a.data.subarray(at, at + width), b.data.subarray(at, at + width), isLanguage ? labels[place]! : 0);
    }
  }
  const { places } = sums;
  const perplexity = { before: Math.exp(sums.before / places), after: Math.exp(sums.after / places) };
  return {
    texts: rows.length,
    places,
    ...(isLanguage ? { perplexity } : {}),
    divergence: sums.divergence / places,
    agreement: sums.agreed / places,
  };
}

function tokenRows(tokenizer: Tokenizer, texts: readonly string[], context: number, mostTokens: number): number[][] {
  const rows: number[][] = [];
  let tokens = 0;
  for (const text of texts) {
    const ids = tokenizer.encodeIds(text).slice(0, context);
    if (ids.length < 2) continue;
    rows.push(ids);
    if ((tokens += ids.length) >= mostTokens) break;
  }
  return rows;
}

/** A row with one token in seven masked, one at least, and these tokens' own ids by their places. */
function masked(
  ids: readonly number[],
  { special, frame }: Tokenizer,
  next: () => number,
): { inputs: number[]; labels: (number | undefined)[] } {
  const { mask } = special;
  if (mask === undefined) throw new ConfigError("tokenizer: expected one with a mask token, got one without");
  const [first, end] = [frame.before.length, ids.length - frame.after.length];
  const chosen = ids.map((_, place) => place >= first && place < end && next() < 1 / 7);
  if (!chosen.includes(true)) chosen[Math.min(first, ids.length - 1)] = true;
  return {
    inputs: ids.map((id, place) => (chosen[place] === true ? mask : id)),
    labels: ids.map((id, place) => (chosen[place] === true ? id : undefined)),
  };
}

interface Sums {
  places: number;
  before: number;
  after: number;
  divergence: number;
  agreed: number;
}

/** Adds what one place says: scores of both models, and the right class. */
function add(sums: Sums, a: Float32Array, b: Float32Array, label: number): void {
  const [logA, logB] = [logSum(a), logSum(b)];
  let divergence = 0;
  let [bestA, bestB] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const own = a[i]! - logA;
    divergence += Math.exp(own) * (own - (b[i]! - logB));
    if (a[i]! > a[bestA]!) bestA = i;
    if (b[i]! > b[bestB]!) bestB = i;
  }
  sums.places += 1;
  sums.before += logA - a[label]!;
  sums.after += logB - b[label]!;
  sums.divergence += divergence;
  sums.agreed += bestA === bestB ? 1 : 0;
}

function logSum(scores: Float32Array): number {
  const most = scores.reduce((one, other) => Math.max(one, other), -Infinity);
  return most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0));
}

async function cosinesOf(
  exact: Model,
  packed: Model,
  rows: readonly (readonly number[])[],
  signal: AbortSignal | undefined,
): Promise<Pick<QuantizationLoss, "places" | "cosine">> {
  const found: number[] = [];
  for (const ids of rows) {
    signal?.throwIfAborted();
    const [a, b] = [(await exact.hidden({ ids: [ids] })).hidden, (await packed.hidden({ ids: [ids] })).hidden];
    const width = a.dims.at(-1)!;
    const [x, y] = [meanOf(a.data, width), meanOf(b.data, width)];
    const dot = (p: Float64Array, q: Float64Array): number => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
    found.push(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)));
  }
  const mean = found.reduce((sum, one) => sum + one, 0) / found.length;
  return { places: found.length, cosine: { mean, least: Math.min(...found) } };
}

function meanOf(hidden: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  const tokens = hidden.length / width;
  hidden.forEach((value, i) => (mean[i % width]! += value / tokens));
  return mean;
}
