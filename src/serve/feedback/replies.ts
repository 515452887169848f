/** What the routes of feedback reply: types alone, which the page reads too. Places are those on the rater's screen. */

/** How far a rater is. */
export interface FeedbackProgress {
  readonly items: number;
  readonly judged: number;
  /** Number of the first item, from 1, that the rater has not judged; null: none is left. */
  readonly open: number | null;
  /** Who has begun, whoever asks. */
  readonly raters: readonly string[];
}

/** What is said of the answers, one entry a place. */
export interface ShownRanking {
  /** 1: the best; equal: a tie; null: below those with a rank, not compared with each other. */
  readonly ranks: readonly (number | null)[];
  readonly wrong: readonly boolean[];
  readonly reason: string;
}

export interface RevealedRanking extends ShownRanking {
  readonly rater: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface FeedbackItem {
  /** From 1. */
  readonly number: number;
  readonly id: string;
  readonly prompt: readonly { readonly role: string; readonly text: string }[];
  readonly answers: readonly string[];
  /** What the rater said. */
  readonly own: ShownRanking | null;
  /** Once the rater has judged and asked for it: who wrote each answer, and what others said. */
  readonly revealed: { readonly by: readonly (string | null)[]; readonly others: readonly RevealedRanking[] } | null;
  /** The next item that the rater has not judged, round the end; null: none. */
  readonly next: number | null;
  readonly progress: FeedbackProgress;
}
