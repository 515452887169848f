/**
 * BM25 (Robertson and Zaragoza 2009) in Lucene's form, over lower-cased words of letters and digits: the baseline of
 * retrieval. Left out: stemming and stop words, which BEIR's Lucene figures have. minisearch, a well-kept library, has
 * BM25+ with fuzzy and prefix search around it; the baseline should be the published formula and nothing else.
 */
export interface Bm25 {
  /** One more document; its number is how many came before. Of its text nothing but counts of words is kept. */
  add(text: string): void;
  /** Scores of the documents that share a word with the query, by their number. */
  score(query: string): Map<number, number>;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** k1 and b as Lucene and BEIR: 0.9 and 0.4. */
export function createBm25(documents: Iterable<string> = [], { k1 = 0.9, b = 0.4 } = {}): Bm25 {
  const postings = new Map<string, { document: number; count: number }[]>();
  const lengths: number[] = [];
  let sum = 0;
  const add = (text: string): void => {
    const document = lengths.length;
    const words = wordsOf(text);
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) {
      const list = postings.get(word);
      if (list === undefined) postings.set(word, [{ document, count }]);
      else list.push({ document, count });
    }
    lengths.push(words.length);
    sum += words.length;
  };
  for (const text of documents) add(text);
  return {
    add,
    score(query) {
      const mean = sum / Math.max(1, lengths.length);
      const scores = new Map<number, number>();
      for (const word of wordsOf(query)) {
        const list = postings.get(word) ?? [];
        const rarity = Math.log(1 + (lengths.length - list.length + 0.5) / (list.length + 0.5));
        for (const { document, count } of list) {
          const saturation = count / (count + k1 * (1 - b + (b * lengths[document]!) / mean));
          scores.set(document, (scores.get(document) ?? 0) + rarity * saturation);
        }
      }
      return scores;
    },
  };
}
