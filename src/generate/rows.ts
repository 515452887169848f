/**
 * Rows that are decoded together, a token a row and step, or in greedy search several where a draft that stands in the text
 * already comes true (`lookup.ts`). Each has its own prompt, limits and way of choosing. They come at any step, the prompt of
 * one part by part if it is long, and leave when they end: what a row gets does not depend on the others, rounding aside.
 */
import { random } from "../tensor/random.ts";
import { type Decoder, pack, type TokenScores } from "./decoder.ts";
import { createLookup, type Draft, draftFor, type LookupCounts } from "./lookup.ts";
import { best, draw, isClose } from "./scores.ts";
import type { Job } from "./search.ts";

/** What a row begins with. */
export interface Start<Owner> {
  readonly job: Job;
  readonly owner: Owner;
  /** Draws are a function of the seed, this number and the step; undefined: the most likely token is taken. */
  readonly draws: { readonly seed: number; readonly row: number } | undefined;
}

export interface Row<Owner> extends Start<Owner> {
  /** Tokens so far, the prompt's included. */
  readonly ids: number[];
  /** Sum of the new tokens' log-probabilities. */
  score: number;
  readonly logProbabilities: number[];
  ended: boolean;
  /** What is to be chosen from: after the last token, and after each drafted one. */
  scored: readonly TokenScores[];
  /** The tokens that `scored` took for granted. */
  tried: readonly number[];
}

/** A token as it is chosen, with the scores that it was chosen by, valid until the next step. */
export interface Taken<Owner> {
  readonly row: Row<Owner>;
  readonly id: number;
  readonly scores: TokenScores;
}

export interface RowsOptions {
  /** Rows that there will be as a rule. */
  readonly usual: number;
  /** Most tokens of a row. */
  readonly capacity: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether greedy rows try drafts. */
  readonly lookup: boolean;
  /** Whether nobody looks at the scores that `take` gives. */
  readonly unseen?: boolean | undefined;
  /** Grow as drafts are tried. */
  readonly counts?: LookupCounts | undefined;
}

export interface Rows<Owner> extends Disposable {
  readonly running: readonly Row<Owner>[];
  /** Computes prompts; the rows of one group have the same. */
  begin(groups: readonly (readonly Start<Owner>[])[]): Promise<void>;
  /**
   * Computes the next `tokens` of a prompt, from `at` on: the group's rows, which may be none, are there after the last. One
   * prompt at a time. Gives the scores after the last token, or after each with `all`.
   */
  beginPart(
    prompt: readonly number[],
    group: readonly Start<Owner>[],
    { at, tokens, all }: { readonly at: number; readonly tokens: number; readonly all: boolean },
  ): Promise<TokenScores[]>;
  /** Every row's next token, or several. */
  take(): Generator<Taken<Owner>>;
  /** Drops rows that have ended. */
  leave(): void;
  /** Drops what `beginPart` has computed. */
  leavePart(): void;
  /** Computes the scores after every row's last token. */
  step(): Promise<void>;
}

/** Sequences that ended, whose tokens later ones may repeat: so many are remembered. */
const remembered = 2;
/** Of their prompts so many tokens, which may say what an answer begins with. */
const promptEnd = 4;

/** No rows yet. */
export function createRows<Owner>(decoder: Decoder, options: RowsOptions): Rows<Owner> {
  const { usual, capacity, signal, counts = { tried: 0, kept: 0 } } = options;
  const decoding = decoder.start({ rows: usual, capacity, signal });
  const lookup = options.lookup && decoder.acrossRows !== true ? createLookup(decoder) : undefined;
  const past: number[][] = [];
  /** Row i of the cache is the i-th. */
  let rows: Row<Owner>[] = [];
  /** Whether behind them is one whose prompt is not all there. */
  let part = false;
  let drafts: readonly Draft[] = [];
  let narrow = false;

  const rowsOf = (group: readonly Start<Owner>[], scored: readonly TokenScores[]): Row<Owner>[] =>
    group.map((start) => ({
      ...start,
      ids: [...start.job.prompt],
      score: 0,
      logProbabilities: [],
      ended: false,
      scored,
      tried: [],
    }));

  /** Puts the groups' copies beside their first rows, which stand one behind another from `first` on. */
  const spread = (
    first: number,
    groups: readonly (readonly Start<Owner>[])[],
    scored: readonly TokenScores[][],
  ): void => {
    let end = first + groups.reduce((sum, { length }) => sum + length, 0);
    for (let i = groups.length - 1; i >= 0; i--) {
      for (const _ of groups[i]!) decoding.copy(first + i, --end);
    }
    groups.forEach((group, i) => rows.push(...rowsOf(group, scored[i]!)));
    drafts = [];
  };

  const learn = (row: Row<Owner>, at: number, before: number): void => {
    if (lookup === undefined || drafts[at] === undefined) return;
    lookup.learn(drafts[at], row.ids.slice(before));
    counts.tried += row.tried.length;
    counts.kept += Math.min(row.tried.length, Math.max(0, row.ids.length - before - 1));
  };

  return {
    get running(): readonly Row<Owner>[] {
      return rows;
    },
    async begin(groups): Promise<void> {
      const { first, scores } = await decoding.prefill(groups.map(([start]) => start!.job.prompt));
      spread(first, groups, scores);
    },
    async beginPart(prompt, group, { at, tokens, all }): Promise<TokenScores[]> {
      const ids = prompt.slice(at, at + tokens);
      const place = rows.length;
      const scores =
        at === 0 ? (await decoding.prefill([ids], all)).scores[0]! : await decoding.extend(place, ids, all);
      part = at + tokens < prompt.length;
      if (part) return scores;
      if (group.length === 0) decoding.keepRows(place);
      else spread(place, [group], [scores.slice(-1)]);
      return scores;
    },
    *take(): Generator<Taken<Owner>> {
      const wide = rows.some(({ tried }) => tried.length > 0);
      for (const [at, row] of rows.entries()) {
        if (row.scored.length === 0) continue;
        const before = row.ids.length;
        for (let taken = choose(row, wide); taken !== undefined; taken = choose(row, wide)) {
          yield taken;
          if (row.scored.length > 0) signal?.throwIfAborted();
        }
        learn(row, at, before);
        narrow ||= !row.ended && row.scored.length > 0;
        [row.scored, row.tried] = [[], []];
        decoding.cut(at, row.ids.length - 1);
        if (row.ended && lookup !== undefined) past.unshift(row.ids.slice(row.job.prompt.length - promptEnd));
      }
      past.length = Math.min(past.length, remembered);
    },
    leave(): void {
      const going = rows.flatMap((row, slot) => (row.ended ? [] : [{ row, slot }]));
      if (going.length === rows.length) return;
      const slots = going.map(({ slot }) => slot);
      const places = pack(decoding, slots, part ? rows.length : undefined);
      const kept = Array<Row<Owner>>(going.length);
      going.forEach(({ row }, i) => (kept[places[i]!] = row));
      rows = kept;
    },
    leavePart(): void {
      decoding.keepRows(rows.length);
      part = false;
    },
    async step(): Promise<void> {
      const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
      drafts =
        lookup === undefined
          ? []
          : rows.map(({ ids, draws, job }) =>
              draws === undefined ? draftFor(ids, past, job.limits.most - 1 - ids.length) : { tokens: [], matched: 0 },
            );
      const tried = lookup === undefined || narrow ? [] : lookup.choose(drafts, longest);
      narrow = false;
      const scored = await decoding.step(
        rows.map(({ ids }, i) => [ids.at(-1)!, ...(tried[i] ?? [])]),
        rows.map(({ draws, job }) => options.unseen === true && draws === undefined && job.processors.length === 0),
      );
      rows.forEach((row, i) => ([row.scored, row.tried] = [scored[i]!, tried[i] ?? []]));
    },
    [Symbol.dispose]: () => decoding[Symbol.dispose](),
  };
}

/**
 * A row's next token, from the first of its scores; undefined where none are left, or where two are so close in a pass of
 * several tokens, which rounds otherwise than one of a single token, that the latter has to say.
 */
function choose<Owner>(row: Row<Owner>, wide: boolean): Taken<Owner> | undefined {
  const [first, ...rest] = row.scored;
  if (first === undefined || row.ended) return undefined;
  const { job, ids, tried, draws } = row;
  const { logits, logSum } = first;
  // Processors write over the scores, so the model's own are kept where they are needed.
  const scores = job.processors.length === 0 ? logits : logits.slice();
  for (const process of job.processors) process(ids, scores);
  const step = ids.length - job.prompt.length;
  const id = draws === undefined ? best(scores) : draw(scores, random(draws.seed, draws.row, step));
  if (wide && draws === undefined && isClose(scores, id)) return undefined;
  ids.push(id);
  row.logProbabilities.push(logits[id]! - logSum);
  row.score += logits[id]! - logSum;
  row.ended = ids.length >= job.limits.most || job.ends(ids);
  // What follows was computed for the drafted token, and holds for no other.
  row.scored = id === tried[tried.length - rest.length] ? rest : [];
  return { row, id, scores: first };
}
