/** What a rater is about to say of an item's answers, as plain data: each step gives a new draft. */
import type { FeedbackItem, ShownRanking } from "../serve/feedback/replies.ts";

export interface Draft {
  /** By place on the screen, from 1; null: none yet. */
  readonly ranks: readonly (number | null)[];
  readonly wrong: readonly boolean[];
  /** The next answer that is picked is as good as the last. */
  readonly tying: boolean;
}

export function draftOf({ answers, own }: Pick<FeedbackItem, "answers" | "own">): Draft {
  const { ranks = answers.map(() => null), wrong = answers.map(() => false) } = own ?? {};
  return { ranks, wrong, tying: false };
}

const isRanked = (rank: number | null): rank is number => rank !== null;
const last = (ranks: Draft["ranks"]): number => Math.max(0, ...ranks.filter(isRanked));

export const isComplete = ({ ranks }: Pick<Draft, "ranks">): boolean => ranks.every(isRanked);

/** Whether it says anything. */
export const says = ({ ranks, wrong }: Draft): boolean => ranks.some(isRanked) || wrong.includes(true);

/** The answer that is left is the worst. */
function closed(ranks: Draft["ranks"]): Draft["ranks"] {
  return ranks.filter((rank) => !isRanked(rank)).length === 1 ? ranks.map((rank) => rank ?? last(ranks) + 1) : ranks;
}

/** The next best is the answer in this place; where all are ranked, or this one is, it is the best of a new ranking. */
export function pick(draft: Draft, place: number): Draft {
  const { ranks, tying } = draft;
  const anew = isComplete(draft) || isRanked(ranks[place]!);
  const before = anew ? ranks.map(() => null) : ranks;
  const rank = last(before) + (tying && !anew ? 0 : 1);
  return { ...draft, ranks: closed(before.map((one, i) => (i === place ? rank : one))), tying: false };
}

/** Before a pick: all are equal. Behind one: the next picked is equal to it; of a whole ranking the last two are equal. */
export function tie(draft: Draft): Draft {
  const { ranks, tying } = draft;
  const worst = last(ranks);
  if (worst === 0) return { ...draft, ranks: ranks.map(() => 1) };
  if (!isComplete(draft)) return { ...draft, tying: !tying };
  return { ...draft, ranks: ranks.map((rank) => (rank === worst ? Math.max(1, worst - 1) : rank)) };
}

export function mark(draft: Draft, place: number): Draft {
  return { ...draft, wrong: draft.wrong.map((is, i) => (i === place ? !is : is)) };
}

const ordinal = (rank: number): string => `${rank}${["st", "nd", "rd"][rank - 1] ?? "th"}`;

/** "1st", or of two answers "better"; "" where the answer has no rank. */
export function rankWord(ranks: ShownRanking["ranks"], place: number): string {
  const rank = ranks[place]!;
  if (rank === null) return "";
  const equal = ranks.filter((one) => one === rank).length > 1;
  if (ranks.length === 2) return equal ? "equal" : rank === 1 ? "better" : "worse";
  return equal ? `${ordinal(rank)}, equal` : ordinal(rank);
}

/** What an answer without a rank would be, were it picked now. */
export function pickWord({ ranks, tying }: Draft): string {
  const rank = last(ranks);
  if (rank === 0) return ranks.length === 2 ? "Better" : "Best";
  return tying ? `also ${ordinal(rank)}?` : `${ordinal(rank + 1)}?`;
}
