/** Values of documents counted, for narrowing a search down. */
import type { Facets, FacetValue, IndexedDocument } from "./types.ts";

const mostValues = 50;

/** Most frequent first, ties by name; years in order. Each field has at most 50 values, and all its years. */
export function facetsOf(documents: readonly IndexedDocument[]): Facets {
  const count = (valuesOf: (document: IndexedDocument) => readonly (string | null)[]): FacetValue[] => {
    const counts = new Map<string, number>();
    for (const document of documents) {
      for (const value of new Set(valuesOf(document))) {
        if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    }
    return [...counts]
      .map(([value, times]) => ({ value, count: times }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  };
  return {
    years: count(({ year }) => [year === null ? null : String(year)]).sort((a, b) => Number(a.value) - Number(b.value)),
    types: count(({ types }) => types).slice(0, mostValues),
    journals: count(({ journal }) => [journal]).slice(0, mostValues),
    mesh: count(({ mesh }) => mesh).slice(0, mostValues),
    languages: count(({ language }) => [language]).slice(0, mostValues),
  };
}
