/** An index's folder opened for searching: its store, its own model for vectors, a reranker. Models are loaded when needed. */
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { modelFingerprint } from "../io/fingerprint.ts";
import { type Embedder, loadEmbedder } from "../retrieval/embedder.ts";
import { openScorer, type Scorer, type ScorerOptions } from "../retrieval/scorers.ts";
import { unit } from "../retrieval/vector-similarity.ts";
import type { NetworkOptions } from "../runtime/network.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import type { IndexModel } from "./manifest.ts";
import { openStore } from "./open.ts";
import { searchStore } from "./over-store.ts";
import { rerankerOf } from "./reranker.ts";
import type { SearchIndex } from "./types.ts";

export interface IndexOptions extends NetworkOptions {
  /** Where the index's own model is, if no longer where it was. */
  readonly model?: string | undefined;
  /** A cross-encoder, ColBERT or embedding model that orders the first hits again. */
  readonly reranker?: string | undefined;
  /** Of a reranker with several classes: the one that is the score. */
  readonly label?: string | undefined;
  /** So many hits are reranked. Default 100. */
  readonly reranked?: number | undefined;
  /** Told which pairs were longer than the reranker takes; default: nothing is said. */
  readonly onCut?: OnCut | undefined;
}

/**
 * Opens an index for searching. Its own model is loaded with the first search by vectors.
 * @throws DataError where the folder holds no index; ConfigError for a reranker that is none, and, from the first search by
 * vectors, where the model is not the one that the index was made with.
 */
export async function openIndex(folder: string, options: IndexOptions = {}): Promise<SearchIndex> {
  const { model: moved, reranker, label, reranked, onCut = () => {}, ...network } = options;
  const { store, manifest } = await openStore(folder);
  const scorer = await openReranker(reranker, { ...network, label, onCut }).catch(async (error: unknown) => {
    await store[Symbol.asyncDispose]();
    throw error;
  });
  let embedder: Promise<Embedder> | undefined;
  const { model } = manifest;
  const embed: SearchIndex["embed"] = async (role, texts) => {
    embedder ??= openEmbedder(folder, model!, moved, network);
    const vectors = await (await embedder).embed(texts, { role });
    return vectors.map(unit);
  };
  const index = searchStore({
    folder,
    store,
    reranked,
    embed: model === null ? undefined : embed,
    rerank: scorer && rerankerOf(scorer),
  });
  const dispose = async (): Promise<void> => {
    await index[Symbol.asyncDispose]();
    await scorer?.[Symbol.asyncDispose]();
    await (await embedder?.catch(() => undefined))?.dispose();
  };
  return { ...index, [Symbol.asyncDispose]: dispose };
}

async function openReranker(source: string | undefined, options: ScorerOptions): Promise<Scorer | undefined> {
  return source === undefined ? undefined : openScorer(source, options);
}

async function openEmbedder(
  folder: string,
  { source, fingerprint }: IndexModel,
  moved: string | undefined,
  network: NetworkOptions,
): Promise<Embedder> {
  const hint = "name where it is: --model, or { model }; or search by words alone: --mode text";
  const place = await resolveModel(moved ?? source);
  const found = await modelFingerprint(place).catch((cause: unknown) => {
    throw new ConfigError(`${folder}: expected the model of the index at ${place}, got none`, { hint, cause });
  });
  if (found !== fingerprint) {
    throw new ConfigError(
      `${folder}: expected the index's own model ${source} (${fingerprint}), got ${place} (${found})`,
      { hint },
    );
  }
  return loadEmbedder(place, network);
}
