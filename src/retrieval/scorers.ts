/**
 * One way to score texts against texts, whatever the model: likeness of embeddings as their directory says (cosine unless
 * it says otherwise), MaxSim of ColBERT vectors, logits of a cross-encoder, or BM25.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { loadColbert, warnCut } from "./colbert.ts";
import { isColbert } from "./colbert-folder.ts";
import { type CrossEncoder, loadCrossEncoder } from "./cross-encoder.ts";
import { loadEmbedder } from "./embedder.ts";
import { createMaxSim, maxSim, type TokenVectors } from "./max-sim.ts";
import { readSettings } from "../io/json.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { isAlone } from "../runtime/foreign.ts";
import { hasGgufPooling } from "../runtime/gguf.ts";
import { identityOf, type NetworkOptions } from "../runtime/network.ts";
import { createBm25 } from "./bm25.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import type { TextRole } from "./text-rows.ts";
import { norm, similarityOf } from "./vector-similarity.ts";

/** Of models that read queries and documents separately. */
export interface Encoder {
  encode(role: TextRole, texts: readonly string[]): Promise<TokenVectors[]>;
  compare(documents: readonly TokenVectors[]): Promise<Comparer>;
}

export interface Comparer extends AsyncDisposable {
  /** Scores of a query with every document. */
  score(query: TokenVectors): Promise<Float64Array>;
}

export interface Scorer extends AsyncDisposable {
  readonly kind: "embeddings" | "colbert" | "reranker" | "bm25";
  /** What scores depend on besides the directory: evaluations of other ones are not resumed with these. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly encoder?: Encoder;
  /** Scores of pairs of a query and a document, in their order. */
  pairs(pairs: readonly (readonly [string, string])[]): Promise<Float64Array>;
  /**
   * Takes documents in, and gives what scores all of them with a query. There is none where an encoder's vectors are to
   * be compared, and none where it would take a run of the network for every pair.
   */
  index?(documents: Iterable<string> | AsyncIterable<string>): Promise<(query: string) => Float64Array>;
}

const bm25: Scorer = {
  kind: "bm25",
  async pairs(pairs) {
    const index = createBm25([...new Set(pairs.map(([, document]) => document))]);
    const numbers = new Map([...new Set(pairs.map(([, document]) => document))].map((text, i) => [text, i]));
    return Float64Array.from(pairs, ([query, document]) => index.score(query).get(numbers.get(document)!) ?? 0);
  },
  async index(documents) {
    const words = createBm25();
    let count = 0;
    for await (const text of documents) {
      words.add(text);
      count += 1;
    }
    return (query) => {
      const scores = new Float64Array(count);
      for (const [document, score] of words.score(query)) scores[document] = score;
      return scores;
    };
  },
  async [Symbol.asyncDispose]() {},
};

const architectures = z.looseObject({ architectures: z.array(z.string()).nullish() });

export type ScoringKind = Exclude<Scorer["kind"], "bm25">;

/** What a directory's model scores by, by its files; undefined where that is none of these. */
export async function scoringKindOf(folder: string): Promise<ScoringKind | undefined> {
  if (isAlone(folder)) return (await hasGgufPooling(folder)) ? "embeddings" : undefined;
  const config = await readSettings(join(folder, "config.json"), architectures);
  if (config?.architectures?.[0]?.endsWith("ForSequenceClassification") === true) return "reranker";
  if (await isColbert(folder)) return "colbert";
  return existsSync(join(folder, "modules.json")) ? "embeddings" : undefined;
}

/** @throws ConfigError where the directory's model scores nothing. */
async function requiredKind(folder: string): Promise<ScoringKind> {
  const kind = await scoringKindOf(folder);
  if (kind !== undefined) return kind;
  const { config, family } = await openModelFolder(folder);
  throw new ConfigError(
    `${folder}: expected an embedding model, ColBERT or a reranker, got ${config.architectures?.[0] ?? family.architecture}`,
    { hint: 'galen train embeddings-ranking, colbert or reranker makes one; "bm25" is the baseline' },
  );
}

export interface ScorerOptions extends NetworkOptions {
  /** Of a reranker with several classes: the one whose log-odds are the score. */
  readonly label?: string | undefined;
  /** Told which texts, or pairs, were longer than the model takes. */
  readonly onCut?: OnCut | undefined;
}

/**
 * Opens a directory of any of the three kinds, or "bm25".
 * @throws ConfigError for a reranker with several classes of which none is named as the score, and for a name where
 * there are none.
 */
export async function openScorer(source: string, { label, onCut, ...options }: ScorerOptions = {}): Promise<Scorer> {
  const folder = await resolveModel(source);
  const kind = folder === "bm25" ? folder : await requiredKind(folder);
  if (kind === "reranker") return rerankerScorer(folder, { label, onCut }, options);
  if (label !== undefined) {
    throw new ConfigError(`label: expected none for ${folder}, which gives one score a pair (${kind}), got "${label}"`);
  }
  if (kind === "bm25") return bm25;
  return kind === "colbert" ? colbertScorer(folder, onCut, options) : embeddingScorer(folder, onCut, options);
}

async function rerankerScorer(
  folder: string,
  { label, onCut }: Pick<ScorerOptions, "label" | "onCut">,
  options: NetworkOptions,
): Promise<Scorer> {
  const encoder = await loadCrossEncoder(folder, options);
  let scoreOf: (logits: Float32Array) => number;
  try {
    scoreOf = headScore(folder, encoder, label);
  } catch (error) {
    await encoder.dispose();
    throw error;
  }
  const { length: count } = encoder.labels;
  return {
    kind: "reranker",
    identity: { ...identityOf(options), ...(label === undefined ? {} : { label }) },
    async pairs(pairs) {
      const { logits } = await encoder.score(pairs, { onCut });
      return Float64Array.from(pairs, (_, i) => scoreOf(logits.subarray(i * count, (i + 1) * count)));
    },
    [Symbol.asyncDispose]: () => encoder.dispose(),
  };
}

/** How a pair's logits become its score. @throws ConfigError where it is not said which class is meant. */
function headScore(
  folder: string,
  { labels, exclusive }: Pick<CrossEncoder, "labels" | "exclusive">,
  label: string | undefined,
): (logits: Float32Array) => number {
  if (label === undefined) {
    if (labels.length === 1) return (logits) => logits[0]!;
    throw new ConfigError(`${folder}: expected a reranker with one score, got one with classes ${labels.join(", ")}`, {
      hint: "say which class is the score: --label CLASS (of rerank, similarity, evaluate)",
    });
  }
  const place = labels.indexOf(label);
  if (place < 0) throw new ConfigError(`label: expected one of ${labels.join(", ")}, got "${label}"`);
  if (!exclusive) return (logits) => logits[place]!;
  // ln(p / (1 - p)): a softmax's logit by itself says nothing from one pair to another.
  return (logits) => {
    const others = Array.from(logits).toSpliced(place, 1);
    const top = Math.max(...others);
    return logits[place]! - top - Math.log(others.reduce((sum, one) => sum + Math.exp(one - top), 0));
  };
}

async function colbertScorer(folder: string, onCut: OnCut | undefined, options: NetworkOptions): Promise<Scorer> {
  let warned = false;
  const warnOnce: OnCut = (cut) => {
    if (!warned) warnCut(cut);
    warned ||= cut.texts.length > 0;
  };
  const colbert = await loadColbert(folder, { ...options, onCut: onCut ?? warnOnce });
  const encoder: Encoder = {
    encode: (role, texts) => (role === "query" ? colbert.encodeQueries(texts) : colbert.encodeDocuments(texts)),
    compare: (documents) => createMaxSim(documents, options),
  };
  return {
    kind: "colbert",
    identity: identityOf(options),
    encoder,
    async pairs(pairs) {
      const queries = await encoder.encode(
        "query",
        pairs.map(([query]) => query),
      );
      const documents = await encoder.encode(
        "document",
        pairs.map(([, document]) => document),
      );
      return Float64Array.from(queries, (query, i) => maxSim(query, documents[i]!));
    },
    [Symbol.asyncDispose]: () => colbert.dispose(),
  };
}

async function embeddingScorer(folder: string, onCut: OnCut | undefined, options: NetworkOptions): Promise<Scorer> {
  const embedder = await loadEmbedder(folder, options);
  const { width } = embedder;
  const similarity = similarityOf(folder, embedder.folder.settings.similarity_fn_name);
  const encoder: Encoder = {
    encode: async (role, texts) =>
      (await embedder.embed(texts, { role, onCut })).map((data) => ({ width, count: 1, data })),
    async compare(documents) {
      const norms = documents.map(({ data }) => norm(data));
      return {
        async score(query) {
          const own = norm(query.data);
          const scores = new Float64Array(documents.length);
          for (let i = 0; i < scores.length; i++) {
            scores[i] = similarity(query.data, documents[i]!.data, own * norms[i]!);
          }
          return scores;
        },
        async [Symbol.asyncDispose]() {},
      };
    },
  };
  return {
    kind: "embeddings",
    identity: identityOf(options),
    encoder,
    async pairs(pairs) {
      const role = pairs.flatMap(() => ["query", "document"] as const);
      const vectors = await embedder.embed(pairs.flat(), { role, onCut });
      return Float64Array.from(pairs, (_, i) => {
        const [a, b] = [vectors[2 * i]!, vectors[2 * i + 1]!];
        return similarity(a, b, norm(a) * norm(b));
      });
    },
    [Symbol.asyncDispose]: () => embedder.dispose(),
  };
}
