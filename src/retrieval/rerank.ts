/** Documents of queries scored by a model, and put in the order of their scores. */
import type { Items } from "../io/streams.ts";
import { mean } from "../metrics/counts.ts";
import { spearman } from "../metrics/correlation.ts";
import type { Scorer } from "./scorers.ts";

/** A line of a file of lists, as training by a teacher's scores takes it. */
export interface RerankedList {
  readonly query: string;
  readonly documents: readonly string[];
  /** One a document, in their order: raw, logits of a reranker. */
  readonly scores: readonly number[];
  readonly transform: "none";
  readonly scorer: Scorer["kind"];
}

export interface RerankOptions {
  readonly signal?: AbortSignal | undefined;
  /** After every list: how many are done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Lists with a score for every document. @throws the signal's reason, between two lists. */
export async function* scoreLists(
  scorer: Scorer,
  lists: Items<Pick<RerankedList, "query" | "documents">>,
  { signal, onProgress }: RerankOptions = {},
): AsyncGenerator<RerankedList> {
  let done = 0;
  for await (const { query, documents } of lists) {
    signal?.throwIfAborted();
    const scores = [...(await scorer.pairs(documents.map((text) => [query, text] as const)))];
    onProgress?.(++done);
    yield { query, documents, scores, transform: "none", scorer: scorer.kind };
  }
}

/** A list's documents, best first; those that score the same stay in their order. */
export function ranked({ documents, scores }: Pick<RerankedList, "documents" | "scores">): {
  readonly text: string;
  readonly score: number;
}[] {
  return documents.map((text, i) => ({ text, score: scores[i]! })).sort((a, b) => b.score - a.score);
}

/** How scores of pairs differ from those of the exact network: what a quantised one loses. */
export interface ScoreChange {
  readonly pairs: number;
  readonly mean: number;
  readonly most: number;
  readonly rankCorrelation: number;
}

/** Scores the lists with the exact network and compares. */
export async function scoreChange(exact: Scorer, lists: readonly RerankedList[]): Promise<ScoreChange> {
  const pairs = lists.flatMap(({ query, documents }) => documents.map((text) => [query, text] as const));
  const scores = lists.flatMap((list) => list.scores);
  const expected = [...(await exact.pairs(pairs))];
  const differences = expected.map((score, i) => Math.abs(score - scores[i]!));
  return {
    pairs: pairs.length,
    mean: mean(differences),
    most: Math.max(...differences),
    rankCorrelation: spearman(expected, scores),
  };
}
