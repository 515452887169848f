/**
 * A batch without an end (Yu et al. 2022, Orca, OSDI): requests join it at any step and leave it when they end or are
 * cancelled, each with its own options. Those that wait take turns by whom they are of, so that one who asks for a thousand
 * does not keep another waiting; a long prompt is computed part by part between the others' steps. Tokens are those that a
 * request gets alone, but where two scores are closer than rounding, which depends on how many rows a pass has; weights
 * whose format rounds across rows (`Decoder.acrossRows`) depend on the other rows by more than that.
 */
import type { Decoder, TokenScores } from "./decoder.ts";
import { fitsCache } from "./queue.ts";
import { createRows, type Row, type Rows, type Start, type Taken } from "./rows.ts";
import type { Job } from "./search.ts";
import { tokenBytes } from "./store.ts";

/** Continuations of one prompt. */
export interface EngineRequest {
  readonly job: Job;
  /** One a sequence: how its tokens are drawn, or undefined for the most likely. None: the prompt alone is computed. */
  readonly draws: readonly Start<unknown>["draws"][];
  /** Who asks: those that wait take turns. */
  readonly owner: object;
  readonly signal?: AbortSignal | undefined;
  /** Told the scores after the prompt's token `at`, which are valid during the call. */
  readonly onPrompt?: ((at: number, scores: TokenScores) => void) | undefined;
  /** Told every token of sequence `index`; what it is given is valid during the call. */
  onToken(index: number, taken: Taken<unknown>): void;
}

export interface EngineOptions {
  /** Most rows at once. */
  readonly rows: number;
  /** Bytes of keys and values. One request that needs more runs alone. */
  readonly cacheBytes: number;
  /** Tokens of prompts that are computed between two steps of the others. Default 256. */
  readonly part?: number | undefined;
}

export interface EngineState {
  /** Sequences that wait, and that have rows. */
  readonly waiting: number;
  readonly running: number;
  /** Bytes that those with rows may come to take. */
  readonly bytes: number;
}

export interface Engine extends AsyncDisposable {
  readonly state: EngineState;
  /**
   * Resolves when all the request's sequences have ended.
   * @throws the signal's reason once it is aborted; what the network throws, to every request with a row.
   */
  run(request: EngineRequest): Promise<void>;
}

/** A request and what is left of it. */
interface Entry {
  readonly request: EngineRequest;
  left: number;
  /** Tokens of its prompt that have been computed, while it is the one whose prompt is. */
  done: number;
  end(error?: unknown): void;
}

interface Owner {
  readonly entry: Entry;
  readonly index: number;
}

/** Numbers of scores that a part of a prompt may give where all are wanted: 32 MB. */
const mostScores = 2 ** 23;

export function createEngine(decoder: Decoder, options: EngineOptions): Engine {
  const { part: partTokens = 256 } = options;
  const waiting = createTurns<Entry>(({ request }) => request.owner);
  const live = new Set<Entry>();
  let rows: Rows<Owner> | undefined;
  let opening: Entry | undefined;
  let working: Promise<void> | undefined;

  /** Whether an entry may begin beside those that run. */
  const fits = ({ request: { job, draws } }: Entry, beside: readonly Entry[]): boolean => {
    const running = [
      ...(rows?.running ?? []).map((row) => row.job),
      ...beside.flatMap(({ request }) => request.draws.map(() => request.job)),
    ];
    const count = running.length + draws.length;
    const longest = running.reduce((most, { limits }) => Math.max(most, limits.most), job.limits.most);
    if (running.length === 0) return true;
    return count <= options.rows && fitsCache(decoder.cache, { prompts: 1, rows: count, longest }, options.cacheBytes);
  };

  const groupOf = (entry: Entry): Start<Owner>[] =>
    entry.request.draws.map((draws, index) => ({ job: entry.request.job, draws, owner: { entry, index } }));

  /** Whether the prompt is computed by itself, in parts. */
  const isLong = ({ request: { job, draws, onPrompt } }: Entry): boolean =>
    onPrompt !== undefined || draws.length === 0 || job.prompt.length > partTokens;

  /** Begins what waits, as far as there is room: short prompts together, or a part of a long one. */
  const admit = async (): Promise<void> => {
    if (opening !== undefined) return open(opening);
    const begun: Entry[] = [];
    let tokens = 0;
    for (let next = waiting.first(); next !== undefined; next = waiting.first()) {
      if (!fits(next, begun)) break;
      if (isLong(next)) {
        if (begun.length > 0) break;
        opening = waiting.take();
        return open(opening!);
      }
      tokens += next.request.job.prompt.length;
      if (begun.length > 0 && tokens > 2 * partTokens) break;
      begun.push(waiting.take()!);
    }
    if (begun.length > 0) await current().begin(begun.map(groupOf));
  };

  const open = async (entry: Entry): Promise<void> => {
    const { job, onPrompt, draws } = entry.request;
    const all = onPrompt !== undefined;
    const most = all ? Math.min(partTokens, Math.max(1, Math.floor(mostScores / decoder.vocabSize))) : partTokens;
    const scores = await current().beginPart(job.prompt, groupOf(entry), { at: entry.done, tokens: most, all });
    if (!live.has(entry)) return; // cancelled meanwhile: `drop` has seen to it
    if (all) scores.forEach((one, i) => onPrompt(entry.done + i, one));
    entry.done += most;
    if (entry.done < job.prompt.length) return;
    opening = undefined;
    if (draws.length === 0) finish(entry);
  };

  const current = (): Rows<Owner> =>
    (rows ??= createRows<Owner>(decoder, { usual: 1, capacity: decoder.cache.maxTokens, lookup: true }));

  const close = (): void => {
    rows?.[Symbol.dispose]();
    rows = undefined;
  };

  const finish = (entry: Entry, error?: unknown): void => {
    if (!live.delete(entry)) return;
    waiting.remove(entry);
    entry.end(error);
  };

  /** Hands out the tokens that are chosen. A listener that throws ends its own request alone. */
  const take = (): void => {
    for (const taken of rows!.take()) {
      const { entry, index } = taken.row.owner;
      if (!live.has(entry)) taken.row.ended = true;
      else {
        try {
          entry.request.onToken(index, taken);
        } catch (error) {
          finish(entry, error);
        }
        if (taken.row.ended && --entry.left === 0) finish(entry);
      }
    }
    drop();
  };

  /** Rows of requests that are over leave. */
  const drop = (): void => {
    for (const row of rows?.running ?? []) if (!live.has(row.owner.entry)) end(row);
    if (opening !== undefined && !live.has(opening)) {
      rows!.leavePart();
      opening = undefined;
    }
    rows?.leave();
  };

  const work = async (): Promise<void> => {
    while (live.size > 0) {
      try {
        await admit();
        drop();
        if (rows !== undefined && rows.running.length > 0) {
          take();
          if (rows.running.length > 0) await rows.step();
          take();
        }
      } catch (error) {
        // What the network refuses, it refuses all that were in its pass; those that wait go on with new rows.
        const failed = [
          ...new Set((rows?.running ?? []).map(({ owner }) => owner.entry)),
          ...(opening ? [opening] : []),
        ];
        close();
        opening = undefined;
        for (const entry of failed) finish(entry, error);
        if (failed.length === 0) for (const entry of live) finish(entry, error);
      }
      if (rows?.running.length === 0 && opening === undefined) close();
    }
    close();
    waiting.clear();
  };

  return {
    get state(): EngineState {
      const running = rows?.running ?? [];
      const longest = running.reduce((most, { job }) => Math.max(most, job.limits.most), 0);
      const inRows = running.length + (opening?.request.draws.length ?? 0);
      const all = [...live].reduce((sum, { left }) => sum + left, 0);
      return {
        waiting: Math.max(0, all - inRows),
        running: inRows,
        bytes: running.length * longest * tokenBytes(decoder.cache),
      };
    },
    async run(request): Promise<void> {
      const { signal } = request;
      signal?.throwIfAborted();
      let onAbort: (() => void) | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          const entry: Entry = {
            request,
            left: request.draws.length,
            done: 0,
            end: (error) => (error === undefined ? resolve() : reject(error)),
          };
          onAbort = () => finish(entry, signal!.reason);
          signal?.addEventListener("abort", onAbort, { once: true });
          live.add(entry);
          waiting.add(entry);
          working ??= work().finally(() => (working = undefined));
        });
      } finally {
        if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const entry of live) finish(entry, new DOMException("the model is being unloaded", "AbortError"));
      await working;
    },
  };
}

const end = (row: Row<Owner>): void => void (row.ended = true);

interface Turns<T> {
  /** Who is next. */
  first(): T | undefined;
  take(): T | undefined;
  add(item: T): void;
  remove(item: T): void;
  clear(): void;
}

/** Items that wait, an owner's in their order, the owners by turns. */
function createTurns<T>(ownerOf: (item: T) => object): Turns<T> {
  const lists = new Map<object, T[]>();
  const first = (): T | undefined => lists.values().next().value?.[0];
  const remove = (item: T): void => {
    const owner = ownerOf(item);
    const left = lists.get(owner)?.filter((one) => one !== item);
    if (left === undefined) return;
    if (left.length === 0) lists.delete(owner);
    else lists.set(owner, left);
  };
  return {
    first,
    take(): T | undefined {
      const item = first();
      if (item === undefined) return undefined;
      const owner = ownerOf(item);
      const list = lists.get(owner)!;
      list.shift();
      lists.delete(owner);
      // Whoever was served goes behind those that wait.
      if (list.length > 0) lists.set(owner, list);
      return item;
    },
    add(item): void {
      const owner = ownerOf(item);
      const list = lists.get(owner);
      if (list === undefined) lists.set(owner, [item]);
      else list.push(item);
    },
    remove,
    clear: () => lists.clear(),
  };
}
