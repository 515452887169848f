/** Which places of two names in a text belong together. */
import type { Range } from "../tasks/places.ts";

export interface Places {
  readonly head: Range | undefined;
  readonly tail: Range | undefined;
  /** Sentences that hold them, in order: one where they share it. */
  readonly sentences: readonly Range[];
}

/** The two places that stand closest: in one sentence if any do, else with the fewest sentences between. */
export function placePair(heads: readonly Range[], tails: readonly Range[], sentences: readonly Range[]): Places {
  const sentenceOf = (place: Range): number => sentences.findLastIndex(([start]) => start <= place[0]);
  let best: { head: Range; tail: Range; cost: number } | undefined;
  for (const head of heads) {
    for (const tail of tails) {
      const overlap = head[0] < tail[1] && tail[0] < head[1];
      const sentencesBetween = Math.abs(sentenceOf(head) - sentenceOf(tail));
      const cost = (overlap ? 1e12 : 0) + sentencesBetween * 1e7 + Math.abs(head[0] - tail[0]);
      if (best === undefined || cost < best.cost) best = { head, tail, cost };
    }
  }
  const [head, tail] = [best?.head ?? heads[0], best?.tail ?? tails[0]];
  const indices = [head, tail]
    .flatMap((place) => (place === undefined ? [] : [sentenceOf(place)]))
    .sort((a, b) => a - b);
  return { head, tail, sentences: [...new Set(indices)].flatMap((i) => sentences.slice(i, i + 1)) };
}
