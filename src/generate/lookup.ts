/**
 * Drafts from texts that are there already (Yang et al. 2023, arXiv:2304.04487; transformers' prompt_lookup_num_tokens):
 * where the last tokens of a sequence stood before, what followed them is tried, several tokens in one pass of the
 * network, and kept as far as the search would have chosen the same. How many are tried follows from how often drafts
 * came true and from what a pass costs: none where that does not pay.
 */
import type { Decoder } from "./decoder.ts";

/** Tokens that may follow a sequence. */
export interface Draft {
  readonly tokens: readonly number[];
  /** How many tokens before them are those that the sequence ends with, at most `classes`. */
  readonly matched: number;
}

/** Tokens that were tried in passes of several, and those of them that the search would have chosen. */
export interface LookupCounts {
  tried: number;
  kept: number;
}

/** Most tokens of a draft. */
const mostTokens = 15;
/** Most tokens of a pass beyond one a row: what is scored is as wide as the vocabulary. */
const mostDrafted = 128;
/** Lengths of a match that are told apart. */
const classes = 5;
/** Drafts that are remembered, about. */
const memory = 32;
/** Share of drafted tokens that come true, assumed at first, as if seen in so many. */
const prior = { share: 0.6, weight: 4 };

/** What followed the longest match of a sequence's end, in the sequence itself or else in `others`; the last of several. */
export function draftFor(ids: readonly number[], others: readonly (readonly number[])[], most: number): Draft {
  let best = { text: ids, end: 0, matched: 0 };
  const length = ids.length;
  for (const text of [ids, ...others]) {
    const from = text === ids ? length - 2 : text.length - 2;
    for (let end = from; end >= 0 && best.matched < classes; end--) {
      let matched = 0;
      while (matched < classes && matched <= end && text[end - matched] === ids[length - 1 - matched]) matched++;
      if (matched > best.matched) best = { text, end, matched };
    }
  }
  const { text, end, matched } = best;
  return { tokens: matched === 0 ? [] : text.slice(end + 1, end + 1 + Math.min(most, mostTokens)), matched };
}

export interface Lookup {
  /** Of each row's draft the first tokens, those that are worth a try in the next pass; `tokens`: in a row's cache. */
  choose(drafts: readonly Draft[], tokens: number): number[][];
  /** Learns from what was chosen where `draft` was expected, tried or not. */
  learn(draft: Draft, chosen: readonly number[]): void;
}

/** Arithmetic operations that a processor does while it reads four bytes. */
const operationsPerNumber = 32;

export function createLookup({ cache, weights }: Pick<Decoder, "cache" | "weights">): Lookup {
  const seen = Array.from({ length: classes + 1 }, () => ({ kept: prior.share * prior.weight, tried: prior.weight }));
  const classOf = ({ matched }: Draft, i: number): number => Math.min(classes, matched + i);
  /** Costs are counted in what one token of one row takes in the layers: two operations a weight. */
  const unit = 2 * weights;
  const readingWeights = (operationsPerNumber * weights) / unit / 2; // half: a pass reads them faster than a cache
  const cacheNumbers = 2 * cache.layers * cache.keyHeads * cache.headWidth;

  return {
    choose(drafts, tokens): number[][] {
      const rows = drafts.length;
      const reading = (operationsPerNumber * cacheNumbers * tokens) / unit;
      const plain = readingWeights + rows * (1 + reading);
      const hopes = drafts.map(() => 1);
      const most = Math.min(Math.floor(mostDrafted / rows), Math.max(...drafts.map((one) => one.tokens.length)));
      let best = { tokens: 0, gain: 0 };
      let expected = 0;
      for (let i = 0; i < most; i++) {
        drafts.forEach((draft, row) => {
          const { kept, tried } = seen[classOf(draft, i)]!;
          hopes[row]! *= i < draft.tokens.length ? kept / tried : 0;
          expected += hopes[row]!;
        });
        // Tokens that come for nothing, less the work on all; a pass of several reads the cache half as fast.
        const gain = expected * (plain / rows) - rows * (i + 1) - rows * reading;
        if (gain > best.gain) best = { tokens: i + 1, gain };
      }
      return drafts.map((draft) => draft.tokens.slice(0, best.tokens));
    },
    learn(draft, chosen): void {
      for (const [i, id] of draft.tokens.slice(0, chosen.length).entries()) {
        const one = seen[classOf(draft, i)]!;
        const kept = id === chosen[i];
        one.kept = one.kept * (1 - 1 / memory) + (kept ? 1 : 0);
        one.tried = one.tried * (1 - 1 / memory) + 1;
        if (!kept) return;
      }
    },
  };
}
