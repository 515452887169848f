/** Which prompts are decoded now and which wait: rows that end make room for the next, as far as memory goes. */
import type { CacheShape } from "../models/family.ts";
import { prefillTokens } from "./decoder.ts";
import { tokenBytes } from "./store.ts";
import type { Job } from "./search.ts";

/** Most prompts that are decoded at once where others may wait. */
const mostPrompts = 64;

export interface Queue {
  /** The jobs that begin now, in order, beside those that run; with none running at least one, until all have begun. */
  next(running: readonly Job[]): { readonly job: Job; readonly index: number }[];
}

/** Whether so many rows may run at once, of which the longest may have so many tokens: each has room for as many. */
export function fitsCache(
  cache: CacheShape,
  { prompts, rows, longest }: { readonly prompts: number; readonly rows: number; readonly longest: number },
  cacheBytes: number,
): boolean {
  return prompts <= mostPrompts && rows * longest * tokenBytes(cache) <= cacheBytes;
}

/** @param rows of each prompt. @param cacheBytes of keys and values in all; undefined: everything begins at once. */
export function createQueue(
  jobs: readonly Job[],
  cache: CacheShape,
  rows: number,
  cacheBytes: number | undefined,
): Queue {
  let begun = 0;
  return {
    next(running): { readonly job: Job; readonly index: number }[] {
      let end = begun;
      let longest = running.reduce((most, { limits }) => Math.max(most, limits.most), 0);
      for (let prompts = running.length; end < jobs.length; end++) {
        longest = Math.max(longest, jobs[end]!.limits.most);
        prompts += 1;
        if (cacheBytes === undefined || prompts === 1) continue;
        if (!fitsCache(cache, { prompts, rows: prompts * rows, longest }, cacheBytes)) break;
      }
      const found = jobs.slice(begun, end);
      const tokens = found.reduce((sum, { prompt }) => sum + prompt.length, 0);
      // A pass over a few tokens costs as much as one over many: short prompts begin together.
      const few = tokens < prefillTokens / 4 && found.length < running.length / 4 && end < jobs.length;
      if (few) return [];
      const first = begun;
      begun = end;
      return found.map((job, i) => ({ job, index: first + i }));
    },
  };
}
