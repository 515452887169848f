/** What documents are like, counted: by year, length, language and licence, before curation and after it. */
import * as z from "zod";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { wordsOf } from "./count-words.ts";

const counts = z.record(z.string(), z.int().nonnegative());
export const profile = z.object({
  /** "2015", or "unknown". */
  years: counts,
  /** By the power of two that a document's words reach: "9" is 512 to 1,023. */
  lengths: counts,
  languages: counts,
  licences: counts,
});
export type Profile = z.output<typeof profile>;

export const noProfile: Profile = { years: {}, lengths: {}, languages: {}, licences: {} };

export function createProfile(): { add(document: CorpusDocument, times?: number): void; done(): Profile } {
  const maps = { years: new Map<string, number>(), lengths: new Map(), languages: new Map(), licences: new Map() };
  const count = (map: Map<string, number>, key: string, times: number): void => {
    map.set(key, (map.get(key) ?? 0) + times);
  };
  return {
    add(document, times = 1) {
      const { date, language, licence } = document;
      count(maps.years, date?.slice(0, 4) ?? "unknown", times);
      count(maps.lengths, String(Math.floor(Math.log2(Math.max(1, wordsOf(document))))), times);
      count(maps.languages, language ?? "unknown", times);
      count(maps.licences, licence ?? "unknown", times);
    },
    done: () =>
      merge(Object.fromEntries(Object.entries(maps).map(([name, map]) => [name, Object.fromEntries(map)])) as Profile),
  };
}

/** Of several, added; keys in order. */
export function merge(...profiles: readonly Profile[]): Profile {
  const sum = (name: keyof Profile): Record<string, number> => {
    const all = new Map<string, number>();
    for (const one of profiles) {
      for (const [key, value] of Object.entries(one[name])) all.set(key, (all.get(key) ?? 0) + value);
    }
    return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return { years: sum("years"), lengths: sum("lengths"), languages: sum("languages"), licences: sum("licences") };
}
