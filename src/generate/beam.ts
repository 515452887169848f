/**
 * Beam search in two dialects. "huggingface" is transformers 5's (generation/utils.py, `_beam_search`): a score is the
 * new tokens' log-probability over their number^penalty, and three ways of stopping early. "fairseq" is
 * SequenceGenerator's (Ott et al. 2019, arXiv:1904.01038), which BioGPT's published results were made with: the prompt
 * counts in score and length, the first `numBeams` ends are kept, and at the greatest length only an end may follow.
 * Left out: diverse and constrained beams.
 */
import { random } from "../tensor/random.ts";
import { type Decoder, type Decoding, createDecoding, pack, type TokenScores } from "./decoder.ts";
import type { Settings } from "./options.ts";
import { bestContinuations } from "./scores.ts";
import type { Finished, Job } from "./search.ts";

interface Beam {
  readonly ids: readonly number[];
  /** Sum of log-probabilities: of the new tokens, or with fairseq's scoring of all but the first. */
  readonly score: number;
  /** Of each new token. */
  readonly logProbabilities: readonly number[];
  /** Row of the cache that holds all tokens but the last. */
  readonly slot: number;
}

interface Search {
  readonly job: Job;
  /** Best first. */
  running: Beam[];
  /** Best first, at most `numBeams`. */
  finished: Finished[];
}

/** For each job its finished sequences, best first: `numReturnSequences` of them, or all if there are fewer. */
export async function beamSearch(
  decoder: Decoder,
  jobs: readonly Job[],
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<Finished[][]> {
  const { numBeams, numReturnSequences, scoring, seed } = settings;
  const rows = jobs.length * numBeams;
  const capacity = Math.max(...jobs.map(({ limits }) => limits.most)) - 1;
  const decoding = createDecoding(decoder, { rows, capacity, signal });
  const withPrompt = scoring === "fairseq";
  const prompts = await decoding.prefill(
    jobs.map(({ prompt }) => prompt),
    withPrompt,
  );
  const searches: Search[] = jobs.map((job, slot) => {
    const score = withPrompt ? promptScore(job.prompt, prompts[slot]!) : 0;
    return { job, running: [{ ids: job.prompt, score, logProbabilities: [], slot }], finished: [] };
  });
  let scored: readonly TokenScores[] = prompts.map((tokens) => tokens.at(-1)!);
  for (let step = 0; ; step++) {
    searches.forEach((search, index) => {
      if (search.running.length === 0) return;
      const draws = settings.doSample ? random(seed, index, step) : undefined;
      const scores = search.running.map(({ ids, slot }) => prepare(scored[slot]!, ids, search.job, settings));
      const wanted = Math.max(2, 1 + settings.eosTokenId.length) * numBeams;
      const found = bestContinuations(
        scores,
        search.running.map(({ score }) => score),
        wanted,
        draws,
      );
      const candidates = found.map(({ row, id, score }) => {
        const { ids, slot, score: before, logProbabilities } = search.running[row]!;
        return { ids: [...ids, id], score, logProbabilities: [...logProbabilities, score - before], slot };
      });
      if (withPrompt) advanceFairseq(search, candidates, settings);
      else advanceHuggingFace(search, candidates, settings);
    });
    if (searches.every(({ running }) => running.length === 0)) break;
    settle(decoding, searches, rows);
    const running = searches.flatMap(({ running }) => running);
    const next = Array<number>(running.length);
    for (const { ids, slot } of running) next[slot] = ids.at(-1)!;
    scored = await decoding.step(next);
  }
  return searches.map(({ finished }) => finished.slice(0, numReturnSequences));
}

/** Σ log p of a prompt's tokens after the first, from the scores after each token. */
function promptScore(prompt: readonly number[], scored: readonly TokenScores[]): number {
  let sum = 0;
  for (let i = 1; i < prompt.length; i++) {
    const { logits, logSum } = scored[i - 1]!;
    sum += logits[prompt[i]!]! - logSum;
  }
  return sum;
}

/** Log-probabilities after processing, in place of the logits. */
function prepare(
  { logits: scores, logSum }: TokenScores,
  ids: readonly number[],
  job: Job,
  settings: Settings,
): Float32Array {
  for (let i = 0; i < scores.length; i++) scores[i]! -= logSum;
  for (const process of job.processors) process(ids, scores);
  if (settings.scoring !== "fairseq") return scores;
  if (settings.padTokenId !== undefined) scores[settings.padTokenId] = -Infinity;
  if (ids.length === job.limits.most - 1) {
    const ends = settings.eosTokenId.map((id) => [id, scores[id]!] as const);
    scores.fill(-Infinity);
    for (const [id, score] of ends) scores[id] = score;
  }
  return scores;
}

function advanceHuggingFace(search: Search, candidates: readonly Beam[], settings: Settings): void {
  const { numBeams, lengthPenalty, earlyStopping } = settings;
  const { job } = search;
  const prompt = job.prompt.length;
  const going: Beam[] = [];
  const finished = [...search.finished];
  candidates.forEach((beam, rank) => {
    const { ids, score, logProbabilities } = beam;
    if (ids.length < job.limits.most && !job.ends(ids)) going.push(beam);
    // Lower ranks only keep the search supplied with beams that go on.
    else if (rank < numBeams)
      finished.push({ ids: [...ids], score: score / (ids.length - prompt) ** lengthPenalty, logProbabilities });
  });
  search.finished = finished.sort((a, b) => b.score - a.score).slice(0, numBeams);
  search.running = going.sort((a, b) => b.score - a.score).slice(0, numBeams);
  const first = search.running[0];
  if (first === undefined || search.finished.length < numBeams) return;
  const length = earlyStopping === "never" && lengthPenalty > 0 ? job.limits.most : first.ids.length;
  const hope = first.score / (length - prompt) ** lengthPenalty;
  if (earlyStopping === true || hope <= search.finished.at(-1)!.score) search.running = [];
}

function advanceFairseq(search: Search, candidates: readonly Beam[], settings: Settings): void {
  const { numBeams, lengthPenalty } = settings;
  const going: Beam[] = [];
  candidates.forEach((beam, rank) => {
    const { ids, score, logProbabilities } = beam;
    if (!search.job.ends(ids)) going.push(beam);
    else if (rank < numBeams && search.finished.length < numBeams) {
      search.finished.push({ ids: [...ids], score: score / (ids.length - 1) ** lengthPenalty, logProbabilities });
    }
  });
  const complete = search.finished.length === numBeams;
  search.running = complete ? [] : going.slice(0, numBeams);
  if (search.running.length === 0) search.finished.sort((a, b) => b.score - a.score);
}

/** Gives every running beam a row of its own, the first rows of the cache, holding what its parent's row holds. */
function settle(decoding: Decoding, searches: readonly Search[], rows: number): void {
  const parents = searches.flatMap(({ running }) => running.map(({ slot }) => slot));
  const kept = new Set(parents);
  const free = Array.from({ length: rows }, (_, i) => i).filter((slot) => !kept.has(slot));
  // A parent's first child stays in its row, so no row is overwritten before it is copied.
  const slots = parents.map((slot) => {
    if (kept.delete(slot)) return slot;
    const target = free.shift()!;
    decoding.copy(slot, target);
    return target;
  });
  const packed = pack(decoding, slots);
  let next = 0;
  for (const search of searches) search.running = search.running.map((beam) => ({ ...beam, slot: packed[next++]! }));
}
