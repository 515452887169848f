/** Sentence embeddings by a Sentence Transformers directory on disk, of single texts and of streams of them. */
import type { TextRow } from "../corpus/text.ts";
import { mapTexts } from "../corpus/texts.ts";
import { resolveModel } from "../hub/index.ts";
import type { Items, StreamOptions } from "../io/streams.ts";
import { type NetworkOptions, openNetwork } from "../runtime/network.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { createEmbedder, type Embedder, type EmbedOptions } from "./embed.ts";
import { openSentenceFolder } from "./sentence-folder.ts";

export type { Embedder, EmbedOptions } from "./embed.ts";

/**
 * Opens a Sentence Transformers directory (either schema), or one of Hugging Face's hub by its name.
 * @throws ConfigError where a module or a setting is not understood, or the device lacks the format of weights;
 * CheckpointError where weights are missing.
 */
export async function loadEmbedder(source: string, options: NetworkOptions = {}): Promise<Embedder> {
  const path = await resolveModel(source);
  const folder = await openSentenceFolder(path);
  return createEmbedder(
    path,
    folder,
    () => loadTokenizer(folder.model.folder),
    (graph, sample) => openNetwork(graph, folder.entries, path, options, sample),
  );
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
