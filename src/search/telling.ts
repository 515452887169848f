/** The words that tell a document from the others of an index: many times in it, in few others (tf · idf). */
import type { Store } from "./store.ts";
import type { IndexedDocument } from "./types.ts";
import { isStopWord } from "./stop-words.ts";
import { stemmedWords } from "./words.ts";

/** Words that are looked up, by how often they stand in the document, and words that are taken. */
const [candidates, taken] = [40, 20];

/** Most telling first; words of the title count three times, descriptors twice. */
export async function tellingWords(
  store: Store,
  { title, text, mesh, keywords }: IndexedDocument,
  signal?: AbortSignal,
): Promise<string[]> {
  const counts = new Map<string, { word: string; count: number }>();
  const add = (source: string, weight: number): void => {
    for (const { word, stem } of stemmedWords(source)) {
      if (isStopWord(word) || word.length < 2 || /^\d+$/.test(word)) continue;
      const known = counts.get(stem);
      if (known === undefined) counts.set(stem, { word, count: weight });
      else known.count += weight;
    }
  };
  add(title, 2);
  add(text, 1);
  for (const name of [...mesh, ...keywords]) add(name, 2);
  const often = [...counts]
    .sort(([, a], [, b]) => b.count - a.count || (a.word < b.word ? -1 : 1))
    .slice(0, candidates);
  const documents = await store.count();
  const rated: { word: string; weight: number }[] = [];
  for (const [stem, { word, count }] of often) {
    signal?.throwIfAborted();
    const condition = { kind: "words", field: "text", words: [stem], prefix: false } as const;
    const { total } = await store.matching({ condition, limit: 0, signal });
    rated.push({ word, weight: count * Math.log(1 + (documents - total + 0.5) / (total + 0.5)) });
  }
  return rated
    .sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1))
    .slice(0, taken)
    .map(({ word }) => word);
}
