/**
 * Greedy search and sampling: a token a row and step, or in greedy search several, where a draft that stands in the text
 * already comes true (`lookup.ts`). Rows that ended leave the batch, and prompts that wait take their place.
 */
import { random } from "../tensor/random.ts";
import { type Decoder, type Decoding, createDecoding, pack, type TokenScores } from "./decoder.ts";
import { createLookup, type Draft, draftFor, type LookupCounts } from "./lookup.ts";
import type { Settings } from "./options.ts";
import { createQueue } from "./queue.ts";
import { best, draw, isClose } from "./scores.ts";
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

interface Row {
  readonly job: Job;
  /** As in `Chosen`. */
  readonly row: number;
  readonly ids: number[];
  score: number;
  readonly logProbabilities: number[];
  ended: boolean;
  /** What is to be chosen from: after the last token, and after each drafted one. */
  scored: readonly TokenScores[];
  /** The tokens that `scored` took for granted. */
  tried: readonly number[];
}

/** Sequences that ended, whose tokens later ones may repeat: so many are remembered. */
const remembered = 2;
/** Of their prompts so many tokens, which may say what an answer begins with. */
const promptEnd = 4;

/** Yields every token of every row; rows advance together. @param counts grow as drafts are tried. */
export async function* sampleTokens(
  decoder: Decoder,
  jobs: readonly Job[],
  settings: Settings,
  signal: AbortSignal | undefined,
  counts: LookupCounts = { tried: 0, kept: 0 },
): AsyncGenerator<Chosen> {
  const { numReturnSequences: copies } = settings;
  const queue = createQueue(jobs, decoder.cache, copies, settings.cacheBytes);
  const first = queue.next([]);
  const capacity = Math.max(...jobs.map(({ limits }) => limits.most)) - 1;
  const decoding = createDecoding(decoder, { rows: first.length * copies, capacity, signal });
  const drafting = settings.lookup && !settings.doSample && decoder.acrossRows !== true;
  const lookup = drafting ? createLookup(decoder) : undefined;
  const past: number[][] = [];
  /** Row i of the cache is the i-th. */
  let rows = await begin(decoding, first, copies);
  let drafts: readonly Draft[] = [];
  let narrow = false;
  while (rows.length > 0) {
    const wide = rows.some(({ tried }) => tried.length > 0);
    for (const [at, row] of rows.entries()) {
      if (row.scored.length === 0) continue;
      const before = row.ids.length;
      for (let chosen = choose(row, settings, wide); chosen !== undefined; chosen = choose(row, settings, wide)) {
        yield chosen;
        if (row.scored.length > 0) signal?.throwIfAborted();
      }
      if (lookup !== undefined && drafts[at] !== undefined) {
        lookup.learn(drafts[at], row.ids.slice(before));
        counts.tried += row.tried.length;
        counts.kept += Math.min(row.tried.length, Math.max(0, row.ids.length - before - 1));
      }
      narrow ||= !row.ended && row.scored.length > 0;
      [row.scored, row.tried] = [[], []];
      decoding.cut(at, row.ids.length - 1);
      if (row.ended && lookup !== undefined) past.unshift(row.ids.slice(row.job.prompt.length - promptEnd));
    }
    past.length = Math.min(past.length, remembered);
    rows = leave(decoding, rows);
    const next = queue.next(rows.map(({ job }) => job));
    if (next.length > 0) {
      rows.push(...(await begin(decoding, next, copies)));
      drafts = [];
      continue;
    }
    if (rows.length === 0) return;
    drafts =
      lookup === undefined ? [] : rows.map((row) => draftFor(row.ids, past, row.job.limits.most - 1 - row.ids.length));
    const tried = lookup === undefined || narrow ? [] : lookup.choose(drafts, longest(rows));
    narrow = false;
    const scored = await decoding.step(rows.map(({ ids }, i) => [ids.at(-1)!, ...(tried[i] ?? [])]));
    rows.forEach((row, i) => ([row.scored, row.tried] = [scored[i]!, tried[i] ?? []]));
  }
}

const longest = (rows: readonly Row[]): number => rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);

/** New rows behind those of the cache. */
async function begin(
  decoding: Decoding,
  next: readonly { readonly job: Job; readonly index: number }[],
  copies: number,
): Promise<Row[]> {
  const { first, scores } = await decoding.prefill(next.map(({ job }) => job.prompt));
  for (let i = next.length - 1; i >= 0; i--) {
    for (let copy = 0; copy < copies; copy++) decoding.copy(first + i, first + i * copies + copy);
  }
  return next.flatMap(({ job, index }, i) =>
    Array.from({ length: copies }, (_, copy) => ({
      job,
      row: index * copies + copy,
      ids: [...job.prompt],
      score: 0,
      logProbabilities: [],
      ended: false,
      scored: scores[i]!,
      tried: [],
    })),
  );
}

/**
 * A row's next token, from the first of its scores; undefined where none are left, or where two are so close in a pass of
 * several tokens, which rounds otherwise than one of a single token, that the latter has to say.
 */
function choose(row: Row, { doSample, seed }: Settings, wide: boolean): Chosen | undefined {
  const [first, ...rest] = row.scored;
  if (first === undefined || row.ended) return undefined;
  const { job, ids, tried } = row;
  const { logits, logSum } = first;
  // Processors write over the scores, so the model's own are kept where they are needed.
  const scores = job.processors.length === 0 ? logits : logits.slice();
  for (const process of job.processors) process(ids, scores);
  const step = ids.length - job.prompt.length;
  const id = doSample ? draw(scores, random(seed, row.row, step)) : best(scores);
  if (wide && isClose(scores, id)) return undefined;
  ids.push(id);
  row.logProbabilities.push(logits[id]! - logSum);
  row.score += logits[id]! - logSum;
  row.ended = ids.length >= job.limits.most || job.ends(ids);
  // What follows was computed for the drafted token, and holds for no other.
  row.scored = id === tried[tried.length - rest.length] ? rest : [];
  return { row: row.row, id, ids, score: row.score, logProbabilities: row.logProbabilities, ended: row.ended };
}

/** The rows that go on, moved to the front of the cache. */
function leave(decoding: Decoding, rows: readonly Row[]): Row[] {
  const going = rows.flatMap((row, slot) => (row.ended ? [] : [{ row, slot }]));
  if (going.length === rows.length) return [...rows];
  const places = pack(
    decoding,
    going.map(({ slot }) => slot),
  );
  const kept = Array<Row>(going.length);
  going.forEach(({ row }, i) => (kept[places[i]!] = row));
  return kept;
}
