/**
 * Sentence embeddings: texts to vectors by a Sentence Transformers model, as SentenceTransformer.encode makes them.
 * Texts are batched by length, so that little is padded; results come in the order of the texts.
 */
// B batch, T tokens, K width
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { embeddingGraph, embeddingWidth } from "../models/embedding.ts";
import { makeBatch } from "../runtime/batch.ts";
import { byTokens, sliceRows } from "../runtime/batching.ts";
import type { Session, Tensors } from "../runtime/session.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import { encodesPairs, type PairTokenizer } from "../tokenizers/pairs.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { sampleInputs } from "./sample.ts";
import type { SentenceFolder } from "./sentence-modules.ts";
import { type PromptOptions, textRows, withoutPrompts } from "./text-rows.ts";

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
 * An embedder of what a directory says.
 * @param compile makes a session of its graph; `sample` gives inputs of the usual kind.
 * @throws ConfigError where the directory is a multi-vector model's, or its tokenizer takes single texts alone.
 */
export async function createEmbedder(
  where: string,
  folder: SentenceFolder,
  loadTokenizer: () => Promise<Tokenizer>,
  compile: (graph: Graph, sample: () => Tensors) => Promise<Session>,
): Promise<Embedder> {
  const { model, stages } = folder;
  if (!stages.some(({ kind }) => kind === "pooling") || folder.mask !== undefined) {
    throw new ConfigError(`${where}/modules.json: expected a Pooling module and no MultiVectorMask, got others`, {
      hint: "a ColBERT model gives a vector a token: use loadColbert",
    });
  }
  const width = embeddingWidth(stages, model.config.hidden_size);
  const tokenizer = requirePairs(model.folder, await loadTokenizer());
  const graph = embeddingGraph(model, stages);
  const session = await compile(graph, () => sampleInputs(tokenizer, model.config, "texts"));
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

/** @throws ConfigError where a folder's tokenizer takes single texts alone. */
export function requirePairs(folder: string, tokenizer: Tokenizer): PairTokenizer {
  if (encodesPairs(tokenizer)) return tokenizer;
  throw new ConfigError(`${folder}: expected a tokenizer that takes pairs of texts, got ${tokenizer.family}'s`, {
    hint: "decoders are for generating, classifying and tagging; this needs an encoder",
  });
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
