/**
 * Late interaction (Khattab and Zaharia 2020, arXiv:2004.12832): texts to a unit vector for every token, as PyLate's
 * ColBERT.encode and Sentence Transformers' MultiVectorEncoder make them.
 */
import { resolveModel } from "../hub/index.ts";
import { embeddingGraph, embeddingWidth } from "../models/embedding.ts";
import { makeBatch } from "../runtime/batch.ts";
import { type NetworkOptions, openNetwork } from "../runtime/network.ts";
import type { Session } from "../runtime/session.ts";
import type { Cut, OnCut } from "../tokenizers/cut.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import { byTokens, sliceRows } from "../runtime/batching.ts";
import { openColbertFolder } from "./colbert-folder.ts";
import { colbertReader, type Row } from "./colbert-rows.ts";
import type { ColbertFolder, ColbertSettings } from "./colbert-settings.ts";
import type { TokenVectors } from "./max-sim.ts";
import { sampleInputs } from "./sample.ts";
import { loadPairTokenizer } from "./tokenizer.ts";

export interface ColbertOptions extends NetworkOptions {
  /** Take the place of the directory's settings. */
  readonly settings?: Partial<ColbertSettings>;
  /** Told which texts were longer than the settings say. Default: a warning where documents were. */
  readonly onCut?: OnCut | undefined;
}

export interface EncodeOptions {
  /** Texts in a run of the network. Default 32. */
  readonly batchSize?: number;
}

export interface Colbert extends AsyncDisposable {
  readonly folder: ColbertFolder;
  readonly settings: ColbertSettings;
  /** Numbers in a vector. */
  readonly width: number;
  readonly tokenizer: PairTokenizer;
  encodeQueries(texts: readonly string[], options?: EncodeOptions): Promise<TokenVectors[]>;
  /** Tokens of the skiplist are left out. */
  encodeDocuments(texts: readonly string[], options?: EncodeOptions): Promise<TokenVectors[]>;
  dispose(): Promise<void>;
}

/**
 * Opens a PyLate, Stanford or Sentence Transformers multi-vector directory.
 * @throws ConfigError where a module or a prefix is not understood; CheckpointError where weights are missing.
 */
export async function loadColbert(source: string, options: ColbertOptions = {}): Promise<Colbert> {
  const path = await resolveModel(source);
  const { settings: changes = {}, onCut, ...networkOptions } = options;
  const folder = await openColbertFolder(path);
  const { model, stages, entries } = folder;
  const settings = { ...folder.settings, ...changes };
  const tokenizer = await loadPairTokenizer(model.folder);
  const reader = colbertReader(path, tokenizer, settings);
  const width = embeddingWidth(stages, model.config.hidden_size);
  const graph = embeddingGraph(model, settings.normalizes ? [...stages, { kind: "normalize", name: "" }] : stages);
  const session = await openNetwork(graph, entries, path, networkOptions, () =>
    sampleInputs(tokenizer, model.config, "texts"),
  );
  const network = { session, folder, width };
  const dispose = (): Promise<void> => session.dispose();
  return {
    folder,
    settings,
    width,
    tokenizer,
    encodeQueries: (texts, { batchSize = 32 } = {}) => run(network, reader.queries(texts, onCut), batchSize),
    encodeDocuments: (texts, { batchSize = 32 } = {}) =>
      run(network, reader.documents(texts, onCut ?? warnCut), batchSize),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** What a caller is told that has not asked to be. */
export function warnCut({ texts, of, limit }: Cut): void {
  if (texts.length === 0) return;
  console.warn(
    `${texts.length} of ${of} documents have more than ${limit} tokens and were cut; set documentLength to keep more`,
  );
}

async function run(
  { session, folder, width }: { session: Session; folder: ColbertFolder; width: number },
  rows: readonly Row[],
  batchSize: number,
): Promise<TokenVectors[]> {
  const results: TokenVectors[] = Array.from({ length: rows.length });
  const lengths = rows.map(({ ids }) => ids);
  for (const places of byTokens(lengths, batchSize)) {
    const batch = sliceRows(rows, places);
    const ids = batch.map((row) => row.ids);
    const mask = batch.map((row) => row.mask);
    const { tensors, tokens } = makeBatch({ ids, mask }, folder.model.config);
    const { embedding } = await session.run(tensors);
    const data = embedding!.data as Float32Array;
    batch.forEach(({ kept }, i) => {
      const vectors = new Float32Array(kept.filter(Boolean).length * width);
      let filled = 0;
      kept.forEach((isKept, t) => {
        if (!isKept) return;
        const start = (i * tokens + t) * width;
        vectors.set(data.subarray(start, start + width), filled);
        filled += width;
      });
      results[places[i]!] = { width, count: vectors.length / width, data: vectors };
    });
  }
  return results;
}
