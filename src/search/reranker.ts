/** A scorer of texts, of any kind, as a search's reranker. */
import type { Scorer } from "../retrieval/scorers.ts";

/** Scores of a query with texts: a cross-encoder reads each pair, late interaction compares vectors of each token. */
export function rerankerOf({
  encoder,
  pairs,
}: Scorer): (query: string, texts: readonly string[]) => Promise<Float64Array> {
  if (encoder === undefined) return (query, texts) => pairs(texts.map((text) => [query, text] as const));
  return async (query, texts) => {
    const [encoded] = await encoder.encode("query", [query]);
    await using comparer = await encoder.compare(await encoder.encode("document", texts));
    return await comparer.score(encoded!);
  };
}
