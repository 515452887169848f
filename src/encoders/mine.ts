/**
 * Hard negatives: for each query the documents that score highest but are not its own, left out where they score as the
 * right one does and may be right themselves (relative margin: Moreira et al. 2024, arXiv:2407.15831). Queries go by one
 * at a time, so memory does not grow with their number.
 */
import { ConfigError } from "../errors.ts";
import type { Scorer } from "../eval/scorers.ts";
import type { ScoredList } from "./data.ts";

export interface MiningOptions {
  /** Wrong documents to find for each query. */
  readonly negatives: number;
  /** So many of the best are left out, whatever they are. */
  readonly skip?: number;
  /** A wrong document scores at most (1 − margin) times the right one. */
  readonly relativeMargin?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists of a right document and wrong ones, with the scorer's scores; queries for which there are too few are left out.
 * @throws ConfigError for a scorer that would have to read every pair.
 */
export async function* mineNegatives(
  scorer: Scorer,
  pairs: readonly (readonly [query: string, document: string])[],
  { negatives, skip = 0, relativeMargin = 0.05, signal }: MiningOptions,
): AsyncGenerator<ScoredList> {
  if (scorer.all === undefined) {
    throw new ConfigError("mining: expected an embedding model, ColBERT or bm25, got a reranker", {
      hint: "mine with one of these, then score the lists with the reranker",
    });
  }
  const documents = [...new Set(pairs.map(([, document]) => document))];
  const places = new Map(documents.map((text, i) => [text, i]));
  // A query may stand in several pairs: all their documents are right.
  const right = new Map<string, Set<number>>();
  for (const [query, document] of pairs) {
    right.set(query, (right.get(query) ?? new Set()).add(places.get(document)!));
  }
  let at = 0;
  const queries = pairs.map(([query]) => query);
  for await (const scores of scorer.all(queries, documents)) {
    signal?.throwIfAborted();
    const [query, document] = pairs[at++]!;
    const own = scores[places.get(document)!]!;
    const wrong = best(scores, skip + negatives, (place) => {
      const mayBeRight = right.get(query)!.has(place);
      return !mayBeRight && scores[place]! <= own - Math.abs(own) * relativeMargin;
    }).slice(skip);
    if (wrong.length < negatives) continue;
    yield {
      query,
      documents: [document, ...wrong.map((place) => documents[place]!)],
      scores: [own, ...wrong.map((place) => scores[place]!)],
      transform: "none",
    };
  }
}

/** Places of the `count` largest scores that are allowed, best first. */
function best(scores: Float64Array, count: number, allowed: (place: number) => boolean): number[] {
  const kept: number[] = [];
  for (let place = 0; place < scores.length; place++) {
    if (kept.length === count && scores[place]! <= scores[kept.at(-1)!]!) continue;
    if (!allowed(place)) continue;
    let i = kept.length;
    while (i > 0 && scores[kept[i - 1]!]! < scores[place]!) i--;
    kept.splice(i, 0, place);
    if (kept.length > count) kept.pop();
  }
  return kept;
}
