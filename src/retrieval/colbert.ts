/**
 * Late interaction (Khattab and Zaharia 2020, arXiv:2004.12832): texts to a unit vector for every token, as PyLate's
 * ColBERT.encode makes them.
 */
import { ConfigError } from "../errors.ts";
import { toOnnx } from "../graph/lower.ts";
import { embeddingGraph, embeddingWidth } from "../models/embedding.ts";
import { makeBatch } from "../runtime/batch.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/ort.ts";
import { parameterSources } from "../runtime/parameters.ts";
import type { BertTokenizer } from "../tokenizers/bert.ts";
import { byTokens, sliceRows } from "./batching.ts";
import { type ColbertFolder, type ColbertSettings, openColbertFolder } from "./colbert-folder.ts";
import type { TokenVectors } from "./max-sim.ts";
import { loadBertTokenizer } from "./tokenizer.ts";

export interface ColbertOptions extends SessionOptions {
  /** Take the place of the directory's settings. */
  readonly settings?: Partial<ColbertSettings>;
  /** Told when documents are cut. Default: console.warn. */
  readonly warn?: (message: string) => void;
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
  readonly tokenizer: BertTokenizer;
  encodeQueries(texts: readonly string[], options?: EncodeOptions): Promise<TokenVectors[]>;
  /** Tokens of the skiplist are left out. Warns where documents are longer than `documentLength`. */
  encodeDocuments(texts: readonly string[], options?: EncodeOptions): Promise<TokenVectors[]>;
  dispose(): Promise<void>;
}

/**
 * Opens a PyLate or Stanford directory.
 * @throws ConfigError where a module or a prefix is not understood; CheckpointError where weights are missing.
 */
export async function loadColbert(path: string, options: ColbertOptions = {}): Promise<Colbert> {
  const { settings: changes = {}, warn = console.warn, ...sessionOptions } = options;
  const folder = await openColbertFolder(path);
  const { model, stages, entries } = folder;
  const settings = { ...folder.settings, ...changes };
  const tokenizer = await loadBertTokenizer(model.folder);
  const prefixes = {
    query: prefixOf(path, tokenizer, settings.queryPrefix),
    document: prefixOf(path, tokenizer, settings.documentPrefix),
  };
  const width = embeddingWidth(stages, stages[0]!.inWidth);
  const graph = embeddingGraph(model, [...stages, { kind: "normalize", name: "" }]);
  const parameters = await parameterSources(graph, entries, path);
  const session = await createSession(toOnnx(graph, { parameters }), { ...sessionOptions, externalFolder: path });
  const network = { session, folder, width };
  const skipped = skippedIds(tokenizer, settings);
  const dispose = (): Promise<void> => session.dispose();
  return {
    folder,
    settings,
    width,
    tokenizer,
    encodeQueries: (texts, { batchSize = 32 } = {}) => {
      const { rows } = tokensOf(tokenizer, texts, prefixes.query, settings.queryLength);
      return run(
        network,
        rows.map((row) => expanded(row, settings, tokenizer)),
        batchSize,
      );
    },
    encodeDocuments: (texts, { batchSize = 32 } = {}) => {
      const { rows, cut } = tokensOf(tokenizer, texts, prefixes.document, settings.documentLength);
      if (cut > 0) {
        warn(
          `${cut} of ${texts.length} documents have more than ${settings.documentLength} tokens and were cut; ` +
            "set documentLength to keep more",
        );
      }
      const kept = rows.map((ids) => ({ ids, mask: ids.map(() => 1), kept: ids.map((id) => !skipped.has(id)) }));
      return run(network, kept, batchSize);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Ids of the skiplist; a word that is no token of its own cannot be found among the tokens. */
export function skippedIds(tokenizer: BertTokenizer, { skiplist }: ColbertSettings): Set<number> {
  return new Set(skiplist.map((word) => tokenizer.idOf(word)).filter((id) => id !== undefined));
}

/** The id of a prefix; none for an empty one. @throws ConfigError where the tokenizer has no such token. */
export function prefixOf(path: string, tokenizer: BertTokenizer, prefix: string): number | undefined {
  if (prefix === "") return undefined;
  const id = tokenizer.idOf(prefix);
  if (id !== undefined) return id;
  throw new ConfigError(
    `${path}: expected the prefix ${JSON.stringify(prefix)} among the tokenizer's tokens, got none`,
    {
      hint: "the tokenizer's files are not those that the model was trained with",
    },
  );
}

/** [CLS], the prefix, the text's tokens, [SEP]; at most `limit` of them. */
export function tokensOf(
  tokenizer: BertTokenizer,
  texts: readonly string[],
  prefix: number | undefined,
  limit: number,
): { rows: number[][]; cut: number } {
  const room = prefix === undefined ? limit : limit - 1;
  let cut = 0;
  const rows = texts.map((text) => {
    let ids = tokenizer.encodeIds(text.trim());
    if (ids.length > room) {
      cut++;
      ids = [...ids.slice(0, room - 1), ids.at(-1)!];
    }
    return prefix === undefined ? ids : [ids[0]!, prefix, ...ids.slice(1)];
  });
  return { rows, cut };
}

export interface Row {
  readonly ids: readonly number[];
  /** 1 where other tokens look. */
  readonly mask: readonly number[];
  /** Tokens whose vectors are given. */
  readonly kept: readonly boolean[];
}

/** A query filled up with [MASK]: all its tokens are scored, whether or not others look at them. */
export function expanded(ids: readonly number[], settings: ColbertSettings, { special }: BertTokenizer): Row {
  const { expandsQueries, attendsToExpansion, queryLength } = settings;
  const missing = expandsQueries ? Math.max(0, queryLength - ids.length) : 0;
  if (missing > 0 && special.mask === undefined) {
    throw new ConfigError("query expansion: expected a tokenizer with a mask token, got one without");
  }
  const all = [...ids, ...Array<number>(missing).fill(special.mask ?? 0)];
  const mask = all.map((_, i) => (i < ids.length || attendsToExpansion ? 1 : 0));
  return { ids: all, mask, kept: all.map(() => true) };
}

async function run(
  { session, folder, width }: { session: Session; folder: ColbertFolder; width: number },
  rows: readonly Row[],
  batchSize: number,
): Promise<TokenVectors[]> {
  const { vocab_size: vocabSize, pad_token_id: padId, max_position_embeddings: maxTokens } = folder.model.config;
  const results: TokenVectors[] = Array.from({ length: rows.length });
  const lengths = rows.map(({ ids }) => ids);
  for (const places of byTokens(lengths, batchSize)) {
    const batch = sliceRows(rows, places);
    const ids = batch.map((row) => row.ids);
    const mask = batch.map((row) => row.mask);
    const { tensors, tokens } = makeBatch({ ids, mask }, { vocabSize, padId, maxTokens });
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
