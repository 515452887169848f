/** Greedy search and sampling: prompts as rows (`rows.ts`), of which those that ended leave and those that wait follow. */
import type { Decoder } from "./decoder.ts";
import type { LookupCounts } from "./lookup.ts";
import type { GenerateOptions, Settings } from "./options.ts";
import { createQueue } from "./queue.ts";
import { createRows, type Start } from "./rows.ts";
import type { Job } from "./search.ts";

/** One token as it is chosen. */
export interface Chosen {
  /** Index of the sequence: `numReturnSequences` of the first prompt, then of the second. */
  readonly row: number;
  readonly id: number;
  /** All tokens so far, the prompt's and this one included. */
  readonly ids: readonly number[];
  /** Sum of the model's log-probabilities of the new tokens. */
  readonly score: number;
  /** Of each new token. */
  readonly logProbabilities: readonly number[];
  readonly ended: boolean;
}

/** Yields every token of every row; rows advance together. @param counts grow as drafts are tried. */
export async function* sampleTokens(
  decoder: Decoder,
  jobs: readonly Job[],
  settings: Settings,
  { signal, numbers }: Pick<GenerateOptions, "signal" | "numbers">,
  counts?: LookupCounts,
): AsyncGenerator<Chosen> {
  const { numReturnSequences: copies, doSample, seed } = settings;
  const queue = createQueue(jobs, decoder.cache, copies, settings.cacheBytes);
  const groupsOf = (next: readonly { readonly job: Job; readonly index: number }[]): Start<number>[][] =>
    next.map(({ job, index }) =>
      Array.from({ length: copies }, (_, copy) => {
        const owner = index * copies + copy;
        const row = (numbers?.[index] ?? index) * copies + copy;
        return { job, owner, draws: doSample ? { seed, row } : undefined };
      }),
    );
  const first = queue.next([]);
  const capacity = Math.max(...jobs.map(({ limits }) => limits.most)) - 1;
  const lookup = settings.lookup && !doSample;
  const usual = first.length * copies;
  using rows = createRows<number>(decoder, { usual, capacity, signal, lookup, unseen: true, counts });
  await rows.begin(groupsOf(first));
  while (rows.running.length > 0) {
    for (const { row, id } of rows.take()) {
      const { owner, ids, score, logProbabilities, ended } = row;
      yield { row: owner, id, ids, score, logProbabilities, ended };
    }
    rows.leave();
    const next = queue.next(rows.running.map(({ job }) => job));
    if (next.length > 0) await rows.begin(groupsOf(next));
    else if (rows.running.length > 0) await rows.step();
  }
}
