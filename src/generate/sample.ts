/** Greedy search and sampling: one token a row and step, rows that ended leave the batch. */
import { random } from "../tensor/random.ts";
import { type Decoder, createDecoding, pack } from "./decoder.ts";
import type { Settings } from "./options.ts";
import { best, draw } from "./scores.ts";
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

/** Yields every token of every row; rows advance together. */
export async function* sampleTokens(
  decoder: Decoder,
  jobs: readonly Job[],
  settings: Settings,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chosen> {
  const { doSample, numReturnSequences: copies, seed } = settings;
  const capacity = Math.max(...jobs.map(({ limits }) => limits.most)) - 1;
  const decoding = createDecoding(decoder, { rows: jobs.length * copies, capacity, signal });
  const firsts = await decoding.prefill(jobs.map(({ prompt }) => prompt));
  for (let i = jobs.length - 1; i >= 0; i--) {
    for (let copy = 0; copy < copies; copy++) decoding.copy(i, i * copies + copy);
  }
  let rows = jobs.flatMap((job, i) =>
    Array.from({ length: copies }, (_, copy) => {
      const row = i * copies + copy;
      return {
        job,
        row,
        slot: row,
        ids: [...job.prompt],
        score: 0,
        logProbabilities: [] as number[],
        scored: firsts[i]![0]!,
      };
    }),
  );
  for (let step = 0; ; step++) {
    const going: typeof rows = [];
    for (const state of rows) {
      const { job, row, ids } = state;
      const { logits, logSum } = state.scored;
      // Processors write over the scores, so the model's own are kept where they are needed.
      const scores = job.processors.length === 0 ? logits : logits.slice();
      for (const process of job.processors) process(ids, scores);
      const id = doSample ? draw(scores, random(seed, row, step)) : best(scores);
      ids.push(id);
      state.logProbabilities.push(logits[id]! - logSum);
      state.score += logits[id]! - logSum;
      const ended = ids.length >= job.limits.most || job.ends(ids);
      yield { row, id, ids, score: state.score, logProbabilities: state.logProbabilities, ended };
      if (!ended) going.push(state);
    }
    if (going.length === 0) return;
    if (going.length < rows.length) {
      const places = pack(
        decoding,
        going.map(({ slot }) => slot),
      );
      going.forEach((state, i) => (state.slot = places[i]!));
    }
    rows = going;
    const next = Array<number>(rows.length);
    for (const { slot, ids } of rows) next[slot] = ids.at(-1)!;
    const scored = await decoding.step(next);
    for (const state of rows) state.scored = scored[state.slot]!;
  }
}
