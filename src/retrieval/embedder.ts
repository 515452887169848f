/**
 * Sentence embeddings: texts to vectors by a Sentence Transformers directory, as SentenceTransformer.encode makes them.
 * Texts are batched by length, so that little is padded; results come in the order of the texts.
 */
// B batch, T tokens, K width
import type { TextRow } from "../corpus/text.ts";
import { mapTexts } from "../corpus/texts.ts";
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import type { Items, StreamOptions } from "../io/streams.ts";
import { embeddingGraph, embeddingWidth } from "../models/embedding.ts";
import { makeBatch } from "../runtime/batch.ts";
import { type NetworkOptions, openNetwork } from "../runtime/network.ts";
import type { Session } from "../runtime/session.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import { byTokens, sliceRows } from "../runtime/batching.ts";
import { sampleInputs } from "./sample.ts";
import { openSentenceFolder, type SentenceFolder } from "./sentence-folder.ts";
import { type PromptOptions, textRows, withoutPrompts } from "./text-rows.ts";
import { loadPairTokenizer } from "./tokenizer.ts";

export interface EmbedOptions extends PromptOptions {
  /** Texts in a run of the network. Default 32. */
  readonly batchSize?: number;
  /** Told which texts, with their prompts, were longer than the model takes. */
  readonly onCut?: OnCut | undefined;
}

export interface Embedder extends AsyncDisposable {
  readonly folder: SentenceFolder;
  /** Numbers in a vector. */
  readonly width: number;
  readonly tokenizer: PairTokenizer;
  /** A vector for every text. @throws ConfigError when there is no prompt of that name. */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/**
 * Opens a Sentence Transformers directory (either schema), or one of Hugging Face's hub by its name.
 * @throws ConfigError where a module or a setting is not understood, or the device lacks the format of weights;
 * CheckpointError where weights are missing.
 */
export async function loadEmbedder(source: string, options: NetworkOptions = {}): Promise<Embedder> {
  const path = await resolveModel(source);
  const folder = await openSentenceFolder(path);
  const { model, stages, entries } = folder;
  if (!stages.some(({ kind }) => kind === "pooling") || folder.mask !== undefined) {
    throw new ConfigError(`${path}/modules.json: expected a Pooling module and no MultiVectorMask, got others`, {
      hint: "a ColBERT model gives a vector a token: use loadColbert",
    });
  }
  const width = embeddingWidth(stages, model.config.hidden_size);
  const tokenizer = await loadPairTokenizer(model.folder);
  const graph = embeddingGraph(model, stages);
  const session = await openNetwork(graph, entries, path, options, () =>
    sampleInputs(tokenizer, model.config, "texts"),
  );
  const dispose = (): Promise<void> => session.dispose();
  return {
    folder,
    width,
    tokenizer,
    embed: (texts, embedOptions = {}) => embed({ folder, width, tokenizer, session }, texts, embedOptions),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

export interface EmbeddedText {
  readonly id: string;
  /** Title and text, as embedded. */
  readonly text: string;
  readonly vector: Float32Array;
  /** Longer than the model takes: its end has no part in the vector. */
  readonly cut: boolean;
}

/** Vectors of a stream of texts, in their order; `window` of them (default 1,024) are sorted by length together. */
export function embedTexts(
  embedder: Embedder,
  texts: Items<TextRow>,
  { window = 1024, signal, onProgress, ...options }: EmbedOptions & StreamOptions = {},
): AsyncGenerator<EmbeddedText> {
  const compute = async (some: readonly string[]) => {
    const cut = new Set<string>();
    const onCut: OnCut = (found) => {
      for (const text of found.texts) cut.add(text);
      options.onCut?.(found);
    };
    const vectors = await embedder.embed(some, { ...options, onCut });
    return vectors.map((vector, i) => ({ vector, cut: cut.has(some[i]!) }));
  };
  return mapTexts(texts, compute, { window, signal, onProgress });
}

export interface Cosines {
  readonly texts: number;
  readonly mean: number;
  readonly least: number;
}

/** Cosines of two embedders' vectors of the same texts: what a quantised network loses. */
export function cosines(vectors: readonly ArrayLike<number>[], others: readonly ArrayLike<number>[]): Cosines {
  const all = vectors.map((vector, i) => cosine(vector, others[i]!));
  return { texts: all.length, mean: all.reduce((sum, one) => sum + one, 0) / all.length, least: Math.min(...all) };
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

interface Parts {
  readonly folder: SentenceFolder;
  readonly width: number;
  readonly tokenizer: PairTokenizer;
  readonly session: Session;
}

async function embed(
  parts: Parts,
  texts: readonly string[],
  { batchSize = 32, ...options }: EmbedOptions,
): Promise<Float32Array[]> {
  const { folder, width, tokenizer, session } = parts;
  const rows = textRows(tokenizer, folder, texts, options);
  const results: Float32Array[] = Array.from({ length: texts.length });
  const lengths = rows.map(({ ids }) => ids);
  for (const places of byTokens(lengths, batchSize)) {
    const some = sliceRows(rows, places);
    const ids = some.map((row) => row.ids);
    const { tensors } = makeBatch({ ids, types: some.map(({ types }) => types) }, folder.model.config);
    const { embedding } = await session.run({ ...tensors, pooled: withoutPrompts(tensors.mask, some) });
    const data = embedding!.data as Float32Array;
    places.forEach((place, i) => (results[place] = data.slice(i * width, (i + 1) * width)));
  }
  return results;
}
