/** Embedding models and rerankers as the server runs them: one run of the network at a time, for many requests together. */
import { loadEmbedder } from "../retrieval/embedder.ts";
import { openScorer } from "../retrieval/scorers.ts";
import type { TextRole } from "../retrieval/text-rows.ts";
import { norm, similarityOf } from "../retrieval/vector-similarity.ts";
import type { NetworkOptions } from "../runtime/network.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { createBatcher } from "./batcher.ts";

interface LoadedScoring extends AsyncDisposable {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Texts, or pairs, that wait or are computed. */
  readonly waiting: number;
  /** Scores of documents for a query, in their order. */
  score(query: string, documents: readonly string[], signal?: AbortSignal): Promise<number[]>;
}

export interface Embedded {
  readonly vector: Float32Array;
  readonly tokens: number;
}

export interface LoadedEmbedder extends LoadedScoring {
  readonly kind: "embedder";
  readonly tokenizer: PairTokenizer;
  /** Numbers in a vector. */
  readonly width: number;
  embed(texts: readonly string[], role: TextRole | undefined, signal?: AbortSignal): Promise<Float32Array[]>;
}

export interface LoadedReranker extends LoadedScoring {
  readonly kind: "reranker";
}

/** Items of a run, and of one request where others wait. */
const sizes = { most: 128, turn: 16 };

export async function loadScoring(
  { name, source, kind }: { readonly name: string; readonly source: string; readonly kind: string },
  options: NetworkOptions = {},
): Promise<LoadedEmbedder | LoadedReranker> {
  return kind === "embedder" ? openEmbedder(name, source, options) : openReranker(name, source, options);
}

async function openEmbedder(name: string, source: string, options: NetworkOptions): Promise<LoadedEmbedder> {
  const embedder = await loadEmbedder(source, options);
  const similarity = similarityOf(name, embedder.folder.settings.similarity_fn_name);
  // A batch may hold texts of several roles only where each has one: texts without are run by themselves.
  const roled = createBatcher(
    (items: readonly { readonly text: string; readonly role: TextRole }[]) =>
      embedder.embed(
        items.map(({ text }) => text),
        { role: items.map(({ role }) => role), onCut: () => undefined },
      ),
    sizes,
  );
  const plain = createBatcher((texts: readonly string[]) => embedder.embed(texts, { onCut: () => undefined }), sizes);
  const embed: LoadedEmbedder["embed"] = (texts, role, signal) =>
    role === undefined
      ? plain.run(texts, signal)
      : roled.run(
          texts.map((text) => ({ text, role })),
          signal,
        );
  return {
    kind: "embedder",
    name,
    tokenizer: embedder.tokenizer,
    width: embedder.width,
    get waiting(): number {
      return roled.waiting + plain.waiting;
    },
    embed,
    async score(query, documents, signal): Promise<number[]> {
      const [[asked], vectors] = await Promise.all([
        embed([query], "query", signal),
        embed(documents, "document", signal),
      ]);
      const own = norm(asked!);
      return vectors.map((vector) => similarity(asked!, vector, own * norm(vector)));
    },
    [Symbol.asyncDispose]: () => embedder.dispose(),
  };
}

async function openReranker(name: string, source: string, options: NetworkOptions): Promise<LoadedReranker> {
  const scorer = await openScorer(source, { ...options, onCut: () => undefined });
  const tokenizer = await loadTokenizer(source);
  const batcher = createBatcher(
    async (pairs: readonly (readonly [string, string])[]) => [...(await scorer.pairs(pairs))],
    sizes,
  );
  return {
    kind: "reranker",
    name,
    tokenizer,
    get waiting(): number {
      return batcher.waiting;
    },
    score: (query, documents, signal) =>
      batcher.run(
        documents.map((text) => [query, text] as const),
        signal,
      ),
    [Symbol.asyncDispose]: () => scorer[Symbol.asyncDispose](),
  };
}
