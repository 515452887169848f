/**
 * Goes on learning byte pair encoding from where a vocabulary ended: the most frequent neighbours among the pieces that it
 * cuts words into become new tokens, whose merges stand behind its own. Both halves of a merge are tokens, so that every
 * new token can be made, and old merges come first, so that a text without new tokens has the ids that it had. Only
 * letters merge, behind at most one mark that begins a word: nothing across digits, punctuation or words.
 */
import { DataError } from "../../errors.ts";
import type { Merge } from "./bpe.ts";
import { learnBpe, type LearnBpeOptions, type LearnedMerges } from "./learn.ts";

/** What a piece may merge with: letters with both neighbours; what begins a word not with the one before it. */
export type Standing = "inside" | "first" | "apart";

const letters = /^[\p{L}\p{M}]+$/u;
const marked = /^ [\p{L}\p{M}]*$/u;

/** How the text of a piece, its mark being a space, may merge. */
export function standingOf(text: string): Standing {
  return letters.test(text) ? "inside" : marked.test(text) ? "first" : "apart";
}

/** Between the pieces of a run; no piece holds it. */
const BORDER = "\n";

export interface Runs {
  /** Counts a word that is cut into these pieces. */
  add(pieces: readonly string[], count: number): void;
  /** Two or more pieces that may merge, joined, and how often they stand side by side. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Collects what may merge of words; `standing` is asked once for every piece. */
export function runsOf(standing: (piece: string) => Standing): Runs {
  const counts = new Map<string, number>();
  const known = new Map<string, Standing>();
  const look = (piece: string): Standing => {
    let found = known.get(piece);
    if (found === undefined) known.set(piece, (found = standing(piece)));
    return found;
  };
  return {
    counts,
    add(pieces, count) {
      for (let start = 0, end = 1; start < pieces.length; start = end, end = start + 1) {
        if (look(pieces[start]!) === "apart") continue;
        while (end < pieces.length && look(pieces[end]!) === "inside") end++;
        if (end - start < 2) continue;
        const run = pieces.slice(start, end).join(BORDER);
        counts.set(run, (counts.get(run) ?? 0) + count);
      }
    },
  };
}

/** The next `count` merges of runs, or fewer: what occurs once is no reason for a token. */
export function learnNext(
  { counts }: Runs,
  count: number,
  options: Pick<LearnBpeOptions, "join" | "allows" | "closed">,
): LearnedMerges {
  return learnBpe(counts, count, { ...options, minCount: 2, split: (run) => run.split(BORDER) });
}

/** For texts that hold fewer pairs which occur twice. */
export function tooFew(asked: number, found: number): DataError {
  return new DataError(`texts: expected enough to learn ${asked} tokens from, got ${found}`, {
    hint: "give more text, or ask for fewer tokens",
  });
}

export interface Continuation {
  readonly tokens: readonly string[];
  /** How many tokens each saved in the texts when it was learned. */
  readonly saved: readonly number[];
  /** Every pair of tokens that makes a new one, in order of rank. */
  readonly merges: readonly Merge[];
}

/**
 * `count` new tokens behind the vocabulary `known`. All pairs that make one are its merges, as SentencePiece finds them
 * without a list; and no token is taken of which one that was there before could now be made otherwise, for then that one
 * would come up where it did not.
 * @throws DataError where the texts have fewer.
 */
export function continueBpe(runs: Runs, known: Iterable<string>, count: number): Continuation {
  const tokens = new Set(known);
  const refused = new Set<string>();
  const remakes = (product: string): boolean => {
    const completes = (rest: string): boolean => rest === product || tokens.has(rest);
    for (const token of tokens) {
      if (token.length <= product.length) continue;
      if (token.startsWith(product) && completes(token.slice(product.length))) return true;
      if (token.endsWith(product) && completes(token.slice(0, -product.length))) return true;
    }
    return false;
  };
  const merges: Merge[] = [];
  const allows = (product: string): boolean => {
    if (tokens.has(product) || refused.has(product)) return false;
    if (remakes(product)) {
      refused.add(product);
      return false;
    }
    for (let cut = product.length - 1; cut > 0; cut--) {
      const [left, right] = [product.slice(0, cut), product.slice(cut)];
      if (tokens.has(left) && tokens.has(right)) merges.push([left, right]);
    }
    tokens.add(product);
    return true;
  };
  const learned = learnNext(runs, count, { allows, closed: true });
  if (learned.merges.length < count) throw tooFew(count, learned.merges.length);
  return { tokens: learned.merges.map(([left, right]) => left + right), saved: learned.counts, merges };
}
