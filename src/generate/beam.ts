/**
 * Beam search in two dialects. "huggingface" is transformers 5's (generation/utils.py, `_beam_search`): a score is the
 * new tokens' log-probability over their number^penalty, and three ways of stopping early. "fairseq" is
 * SequenceGenerator's (Ott et al. 2019, arXiv:1904.01038), which BioGPT's published results were made with: the prompt
 * counts in score and length, the first `numBeams` ends are kept, and at the greatest length only an end may follow.
 * Left out: diverse and constrained beams.
 */
import { random } from "../tensor/random.ts";
import { type Decoder, type Decoding, pack, type TokenScores } from "./decoder.ts";
import type { GenerateOptions, Settings } from "./options.ts";
import { createQueue, type Queue } from "./queue.ts";
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
  /** The prompt's. */
  readonly index: number;
  /** New tokens so far. */
  step: number;
  /** Best first. */
  running: Beam[];
  /** Best first, at most `numBeams`. */
  finished: Finished[];
}

/**
 * For each job its finished sequences, best first: `numReturnSequences` of them, or all if there are fewer. A search that
 * ends makes room for a prompt that waits.
 */
export async function beamSearch(
  decoder: Decoder,
  jobs: readonly Job[],
  settings: Settings,
  { signal, onEnd }: Pick<GenerateOptions, "signal" | "onEnd">,
): Promise<Finished[][]> {
  const { numBeams, numReturnSequences, scoring } = settings;
  const queue = createQueue(jobs, decoder.cache, numBeams, settings.cacheBytes);
  const capacity = Math.max(...jobs.map(({ limits }) => limits.most)) - 1;
  let waiting = queue.next([]);
  using decoding = decoder.start({ rows: waiting.length * numBeams, capacity, signal });
  const results = Array<Finished[]>(jobs.length);
  let searches: Search[] = [];
  for (;;) {
    let advanced = searches;
    let scored: readonly TokenScores[];
    if (waiting.length > 0) {
      const begun = await begin(decoding, waiting, scoring === "fairseq");
      [advanced, scored] = [begun.searches, begun.scored];
      searches = [...searches, ...advanced];
    } else {
      const running = searches.flatMap((search) => search.running);
      const next = Array<number[]>(running.length);
      for (const { ids, slot } of running) next[slot] = [ids.at(-1)!];
      scored = (await decoding.step(next)).map(([scores]) => scores!);
    }
    for (const search of advanced) advance(search, scored, settings);
    for (const { index, running, finished } of advanced) {
      if (running.length > 0) continue;
      results[index] = finished.slice(0, numReturnSequences);
      results[index].forEach(() => onEnd?.(index));
    }
    searches = searches.filter(({ running }) => running.length > 0);
    settle(decoding, searches, searches.length * numBeams);
    waiting = queue.next(searches.map(({ job }) => job));
    if (searches.length === 0 && waiting.length === 0) return results;
  }
}

/** Searches that have their prompts alone, in new rows of the cache, and the scores after these by row. */
async function begin(
  decoding: Decoding,
  next: ReturnType<Queue["next"]>,
  withPrompt: boolean,
): Promise<{ searches: Search[]; scored: TokenScores[] }> {
  const { first, scores } = await decoding.prefill(
    next.map(({ job }) => job.prompt),
    withPrompt,
  );
  const scored: TokenScores[] = [];
  const searches = next.map(({ job, index }, i): Search => {
    scored[first + i] = scores[i]!.at(-1)!;
    const score = withPrompt ? promptScore(job.prompt, scores[i]!) : 0;
    return {
      job,
      index,
      step: 0,
      running: [{ ids: job.prompt, score, logProbabilities: [], slot: first + i }],
      finished: [],
    };
  });
  return { searches, scored };
}

/** One more token for every beam of a search, from the scores of their rows. */
function advance(search: Search, scored: readonly TokenScores[], settings: Settings): void {
  const draws = settings.doSample ? random(settings.seed, search.index, search.step) : undefined;
  search.step += 1;
  const scores = search.running.map(({ ids, slot }) => prepare(scored[slot]!, ids, search.job, settings));
  const wanted = Math.max(2, 1 + settings.eosTokenId.length) * settings.numBeams;
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
  if (settings.scoring === "fairseq") advanceFairseq(search, candidates, settings);
  else advanceHuggingFace(search, candidates, settings);
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
