/**
 * Hidden states of texts, as features for other programs: one vector a token, with the offsets that it came from, or one
 * a text. Pooling leaves out no special token: a BioGPT's `</s>` and a BERT's [CLS] count in the mean.
 */
import type { TextRow } from "./corpus/text.ts";
import { mapTexts } from "./corpus/texts.ts";
import { ConfigError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import type { Items, StreamOptions } from "./io/streams.ts";
import { loadModel, type LoadOptions, type Model } from "./model.ts";
import { required } from "./schema.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

export const poolings = ["none", "mean", "last", "first", "pooler"] as const;
export type FeaturePooling = (typeof poolings)[number];

export interface FeatureOptions {
  /** "none": every token; "pooler": the model's own layer, where it has one. Default "mean". */
  readonly pool?: FeaturePooling | undefined;
  /** Tokens of a batch, padding included. Default 4096. */
  readonly batchTokens?: number | undefined;
}

export interface TextFeatures {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** In the text, UTF-16 code units; [0, 0] for special tokens. */
  readonly offsets: readonly (readonly [start: number, end: number])[];
  /** One vector a token, or one in all. */
  readonly vectors: readonly Float32Array[];
  /** True where the text was longer than the model takes. */
  readonly cut: boolean;
}

export interface FeatureExtractor extends AsyncDisposable {
  /** In the order of the texts. @throws ConfigError where the model lacks the pooling asked for. */
  features(texts: readonly string[], options?: FeatureOptions): Promise<TextFeatures[]>;
}

/** Opens a model directory with its tokenizer. @throws ConfigError, CheckpointError or DataError that names the file. */
export async function openFeatures(source: string, options: LoadOptions = {}): Promise<FeatureExtractor> {
  const folder = await resolveModel(source);
  const tokenizer = await loadTokenizer(folder);
  const model = await loadModel(folder, options);
  return {
    features: (texts, options = {}) => features(model, tokenizer, texts, options),
    [Symbol.asyncDispose]: () => model.dispose(),
  };
}

export interface FeaturesOfText extends TextFeatures {
  readonly id: string;
  /** Title and text, as read. */
  readonly text: string;
}

/** Features of a stream of texts, in their order; `window` of them (default 256) are sorted by length together. */
export function featuresOfTexts(
  extractor: FeatureExtractor,
  texts: Items<TextRow>,
  { window = 256, signal, onProgress, ...options }: FeatureOptions & StreamOptions = {},
): AsyncGenerator<FeaturesOfText> {
  return mapTexts(texts, (some) => extractor.features(some, options), { window, signal, onProgress });
}

async function features(
  model: Model,
  tokenizer: Tokenizer,
  texts: readonly string[],
  { pool = "mean", batchTokens = 4096 }: FeatureOptions,
): Promise<TextFeatures[]> {
  required("features: texts", texts, "list of texts");
  const most = model.config.max_position_embeddings;
  const encoded = texts.map((text) => {
    const { ids, tokens, offsets } = tokenizer.encode(text);
    const cut = ids.length > most;
    return { ids: ids.slice(0, most), tokens: tokens.slice(0, most), offsets: offsets.slice(0, most), cut };
  });
  const order = encoded.map((_, i) => i).sort((a, b) => encoded[a]!.ids.length - encoded[b]!.ids.length);
  const results = Array<TextFeatures>(texts.length);
  for (let first = 0; first < order.length;) {
    let count = 1;
    while (first + count < order.length && (count + 1) * encoded[order[first + count]!]!.ids.length <= batchTokens)
      count++;
    const batch = order.slice(first, first + count);
    const { hidden, pooled } = await model.hidden({ ids: batch.map((i) => encoded[i]!.ids) });
    const [, tokens, width] = hidden.dims as [number, number, number];
    batch.forEach((index, row) => {
      const one = encoded[index]!;
      const all = one.ids.map((_, t) => hidden.data.slice((row * tokens + t) * width, (row * tokens + t + 1) * width));
      if (pool === "pooler" && pooled === undefined) {
        throw new ConfigError(
          `pool: expected ${poolings.slice(0, -1).join(", ")}, got pooler: ${model.family.modelType} has none here`,
        );
      }
      const vectors = pool === "pooler" ? [pooled!.data.slice(row * width, (row + 1) * width)] : pooledOf(all, pool);
      results[index] = { ...one, vectors };
    });
    first += count;
  }
  return results;
}

function pooledOf(vectors: Float32Array[], pool: Exclude<FeaturePooling, "pooler">): Float32Array[] {
  if (pool === "none") return vectors;
  if (pool !== "mean") return [vectors.at(pool === "last" ? -1 : 0)!];
  const mean = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) vector.forEach((value, i) => (mean[i]! += value / vectors.length));
  return [mean];
}
