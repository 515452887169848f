/** A small index in memory over src/retrieval's BM25, and vectors where they are given: for tests of answers. */
import { createBm25 } from "../../src/retrieval/bm25.ts";
import { joined, noMetadata } from "../../src/search/documents.ts";
import type { Hit, IndexedDocument, SearchIndex, SearchOptions, SearchResult } from "../../src/search/types.ts";
import { dot } from "../../src/retrieval/vector-similarity.ts";
import { wordsOf } from "../../src/search/words.ts";

export interface Given {
  readonly id: string;
  readonly title?: string;
  /** Sections of an abstract, with or without labels. */
  readonly abstract: string | readonly (readonly [label: string | null, text: string])[];
  readonly more?: Partial<IndexedDocument>;
}

export function indexedDocument({ id, title = "", abstract, more = {} }: Given): IndexedDocument {
  const parts = typeof abstract === "string" ? [[null, abstract] as const] : abstract;
  const sections = parts.map(([label, text]) => ({ label, text }));
  return { id, ...joined(title, sections), ...noMetadata, source: "memory", ...more };
}

export type Embed = (texts: readonly string[]) => Promise<Float32Array[]>;

export interface MemoryOptions {
  readonly embed?: Embed | undefined;
  readonly rerank?: SearchIndex["rerank"];
  /** These ids are as if they were not there. */
  hidden?: ReadonlySet<string>;
}

const stemmed = (text: string): string => wordsOf(text).join(" ");

/** `options.hidden` may be changed between calls. */
export async function memoryIndex(
  documents: readonly IndexedDocument[],
  options: MemoryOptions = {},
): Promise<SearchIndex> {
  const { embed, rerank } = options;
  const bm25 = createBm25(documents.map(({ text }) => stemmed(text)));
  const places = new Map(documents.map(({ id }, i) => [id, i]));
  const vectors = await embed?.(documents.map(({ text }) => text.slice(0, 2000)));
  const shown = (i: number): boolean => options.hidden?.has(documents[i]!.id) !== true;
  const best = (scores: Iterable<readonly [number, number]>): number[] =>
    [...scores]
      .filter(([i]) => shown(i))
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .map(([i]) => i);
  const hit = (i: number, score: number): Hit => {
    const { id, title, text, year, journal, types, authors, retracted } = documents[i]!;
    const about = { id, title, year, journal, types, authors, retracted };
    return { ...about, score, passage: text, start: 0, end: text.length, highlights: [], ranks: {} };
  };
  const search = async (query: string, given: SearchOptions = {}): Promise<SearchResult> => {
    const { limit = 10, mode = vectors === undefined ? "text" : "hybrid", filters } = given;
    const fused = new Map<number, number>();
    const scores = bm25.score(stemmed(query));
    const byWords = mode === "dense" ? [] : best(scores);
    const add = (list: readonly number[]): void =>
      list.slice(0, 100).forEach((i, rank) => fused.set(i, (fused.get(i) ?? 0) + 1 / (60 + rank)));
    add(byWords);
    if (mode !== "text") {
      const [vector] = await embed!([query]);
      add(best(vectors!.map((one, i) => [i, dot(one, vector!)] as const)));
    }
    const order = best(fused).filter((i) => {
      const { retracted, types } = documents[i]!;
      if (filters?.retracted !== undefined && filters.retracted !== retracted) return false;
      return filters?.types === undefined || filters.types.some((type) => types.includes(type));
    });
    const hits = order.slice(0, limit).map((i) => hit(i, fused.get(i)!));
    return { hits, total: mode === "text" ? byWords.length : null, mode, understood: query, notes: [] };
  };
  return {
    folder: "memory",
    dense: vectors !== undefined,
    count: async () => documents.length - (options.hidden?.size ?? 0),
    search,
    similar: async () => ({ hits: [], total: 0, mode: "text", understood: "", notes: [] }),
    documents: async (ids) =>
      ids.map((id) => (shown(places.get(id) ?? 0) ? documents[places.get(id) ?? -1] : undefined)),
    async *all() {
      for (const [i, document] of documents.entries()) if (shown(i)) yield document;
    },
    embed: async (_, texts) => embed!(texts),
    rerank,
    async [Symbol.asyncDispose]() {},
  };
}
