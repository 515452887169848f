/**
 * Rankings made one by reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): a document's score is the sum of
 * 1 / (10 + rank) over the lists that have it. Ranks count from 1; scores of words and of vectors are never compared.
 */
import type { Found } from "./store.ts";

export interface Fused extends Found {
  /** Its rank in each list, in the order of the lists. */
  readonly ranks: readonly (number | undefined)[];
}

/** The paper has 60; 10 gave 0.006 and 0.012 more nDCG@10 on the two sets of `bench/search.ts`. */
const offset = 10;

/** Best first, ties by ascending id; the passage is that of the list where the document stands highest, if it says one. */
export function fuse(lists: readonly (readonly Found[])[]): Fused[] {
  const ranks = new Map<string, (number | undefined)[]>();
  lists.forEach((list, which) =>
    list.forEach(({ id }, place) => {
      const own = ranks.get(id) ?? lists.map(() => undefined);
      own[which] ??= place + 1;
      ranks.set(id, own);
    }),
  );
  const fused = [...ranks].map(([id, own]): Fused => {
    const best = Math.min(...own.map((rank) => rank ?? Infinity));
    const which = own.indexOf(best);
    const { passage } = lists[which]![best - 1]!;
    const score = own.reduce<number>((sum, rank) => sum + (rank === undefined ? 0 : 1 / (offset + rank)), 0);
    return { id, passage, score, ranks: own };
  });
  return fused.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
