/**
 * The exact store: an inverted index and all vectors in memory, BM25 and cosines of every document. For sets of some tens
 * of thousands, browsers and tests; nothing here is approximate. What keeps its documents is given to it (`ExactLog`);
 * without it they live as long as the store.
 */
import { dot } from "../retrieval/vector-similarity.ts";
import { bm25, rarity, testOf } from "./conditions.ts";
import { add, type CutWords, cut, emptyMemory, maskOf, type Memory, remove } from "./exact-memory.ts";
import type { Found, Passage, StoredDocument, StoreWriter, Wanted } from "./store.ts";

export type Change =
  | { readonly kind: "put"; readonly stored: StoredDocument; readonly words?: CutWords | undefined }
  | { readonly kind: "delete"; readonly id: string }
  /** What follows is everything. */
  | { readonly kind: "clear" };

/** Keeps changes where they outlive the process; each call is whole or not at all. */
export interface ExactLog extends AsyncDisposable {
  /** What was committed since the last call, by whomever; at the first call everything. */
  read(): AsyncIterable<Change>;
  append(changes: readonly Change[]): Promise<void>;
  /** Puts these in the place of everything, unless all is in order as it is. */
  rewrite(changes: Iterable<Change>): Promise<void>;
}

const byId = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** The best by score, ties by id. */
export function bestFirst<T extends { readonly id: string; readonly score: number }>(found: T[], limit: number): T[] {
  return found.sort((one, other) => other.score - one.score || byId(one.id, other.id)).slice(0, Math.max(0, limit));
}

/** Newest first, those without a date last; ties by id. */
export function newestFirst(found: { readonly id: string; readonly date: string | null }[], limit: number): string[] {
  const sorted = found.sort((one, other) => byId(other.date ?? "", one.date ?? "") || byId(one.id, other.id));
  return sorted.slice(0, Math.max(0, limit)).map(({ id }) => id);
}

interface Numbered {
  readonly number: number;
  readonly score: number;
}

interface Best {
  offer(number: number, score: number): void;
  best(): readonly Numbered[];
}

/** Keeps the best of numbered documents, ties by id; twice as many at most, so that few are ever sorted. */
export function createBest(idOf: (number: number) => string, limit: number): Best {
  const kept: Numbered[] = [];
  let least = -Infinity;
  const best = (): Numbered[] => {
    kept.sort((one, other) => other.score - one.score || byId(idOf(one.number), idOf(other.number)));
    kept.length = Math.min(kept.length, Math.max(0, limit));
    if (kept.length === limit) least = kept.at(-1)?.score ?? Infinity;
    return kept;
  };
  const offer = (number: number, score: number): void => {
    if (score < least) return;
    kept.push({ number, score });
    if (kept.length > 2 * limit) best();
  };
  return { offer, best };
}

const bestOf = (memory: Memory, limit: number): Best =>
  createBest((number) => memory.documents[number]!.document.id, limit);

/** Documents by the greatest cosine of a passage with a vector, both of unit length; those without a vector are left out. */
function byVector(memory: Memory, vector: Float32Array, { condition, filters, limit }: Wanted): Found[] {
  const mask = maskOf(memory, testOf(condition, filters));
  const { offer, best } = bestOf(memory, limit);
  const cosine = (passage: Passage): number => (passage.vector === undefined ? -Infinity : dot(vector, passage.vector));
  for (let number = 0; number < mask.length; number++) {
    const stored = memory.documents[number];
    if (mask[number] !== 1 || stored === undefined) continue;
    let score = -Infinity;
    for (const passage of stored.passages) score = Math.max(score, cosine(passage));
    if (score > -Infinity) offer(number, score);
  }
  return best().map(({ number, score }) => {
    const { document, passages } = memory.documents[number]!;
    const { start, end } = passages.find((passage) => cosine(passage) === score)!;
    return { id: document.id, passage: { start, end }, score };
  });
}

function byWords(memory: Memory, words: readonly string[], { condition, filters, limit }: Wanted): Found[] {
  const mask = maskOf(memory, testOf(condition, filters));
  const count = memory.numbers.size;
  const mean = memory.words / Math.max(1, count);
  const scores = new Float64Array(mask.length);
  const { offer, best } = bestOf(memory, limit);
  for (const word of new Set(words)) {
    const postings = memory.postings[memory.vocabulary.get(word) ?? -1];
    if (postings === undefined) continue;
    const rare = rarity(count, postings.live);
    postings.documents.forEach((number, i) => {
      if (mask[number] !== 1 || memory.documents[number] === undefined) return;
      scores[number]! += bm25(postings.counts[i]!, memory.sequences[number]!.length, mean, rare);
    });
  }
  scores.forEach((score, number) => {
    if (score > 0) offer(number, score);
  });
  return best().map(({ number, score }) => ({ id: memory.documents[number]!.document.id, score }));
}

/** Documents that meet what is wanted. */
function* meeting(memory: Memory, { condition, filters }: Wanted): Generator<StoredDocument> {
  const mask = maskOf(memory, testOf(condition, filters));
  for (const [number, stored] of memory.documents.entries()) {
    if (stored !== undefined && mask[number] === 1) yield stored;
  }
}

function* putsOf(memory: Memory): Generator<Extract<Change, { kind: "put" }>> {
  for (const [number, stored] of memory.documents.entries()) {
    if (stored === undefined) continue;
    yield { kind: "put", stored, words: { list: memory.list, numbers: memory.sequences[number]! } };
  }
}

/** So many numbers may be empty before they are given out anew. */
const spare = 1000;

/** An exact store over what `log` keeps; without it, an empty one in memory. */
export function createExactStore(log?: ExactLog): StoreWriter {
  let memory = emptyMemory();
  const pack = (): void => {
    const packed = emptyMemory();
    for (const { stored, words } of putsOf(memory)) add(packed, stored, words);
    memory = packed;
  };
  const apply = (change: Change): void => {
    if (change.kind === "clear") memory = emptyMemory();
    else if (change.kind === "delete") remove(memory, change.id);
    else add(memory, change.stored, change.words);
  };
  const read = async (): Promise<void> => {
    for await (const change of log?.read() ?? []) apply(change);
    if (memory.documents.length > 2 * memory.numbers.size + spare) pack();
  };
  // Calls that begin while others read wait for them: no change is applied twice.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work, work);
    turn = next.catch(() => {});
    return next;
  };
  const now = async (signal?: AbortSignal): Promise<Memory> => {
    signal?.throwIfAborted();
    await inTurn(read);
    signal?.throwIfAborted();
    return memory;
  };
  const change = (changesOf: () => readonly Change[]): Promise<number> =>
    inTurn(async () => {
      await read();
      const changes = changesOf();
      if (changes.length === 0) return 0;
      await log?.append(changes);
      for (const one of changes) apply(one);
      return changes.length;
    });
  return {
    count: async () => (await now()).numbers.size,
    byWords: async (words, wanted) => byWords(await now(wanted.signal), words, wanted),
    byVector: async (vector, wanted) => byVector(await now(wanted.signal), vector, wanted),
    async matching(wanted) {
      const found = [...meeting(await now(wanted.signal), wanted)].map(({ document }) => document);
      return { total: found.length, ids: wanted.limit > 0 ? newestFirst(found, wanted.limit) : [] };
    },
    async get(ids) {
      const { documents, numbers } = await now();
      return ids.map((id) => documents[numbers.get(id) ?? -1]);
    },
    async *all(signal) {
      for (const { document } of [...(await now(signal)).documents].filter((one) => one !== undefined)) {
        signal?.throwIfAborted();
        const number = memory.numbers.get(document.id);
        if (number !== undefined) yield memory.documents[number]!;
      }
    },
    async put(documents) {
      await change(() => documents.map((stored) => ({ kind: "put", stored, words: cut(memory, stored.document) })));
    },
    delete: (ids) =>
      change(() => [...new Set(ids)].filter((id) => memory.numbers.has(id)).map((id) => ({ kind: "delete", id }))),
    optimise: () =>
      inTurn(async () => {
        await read();
        if (memory.documents.length > memory.numbers.size) pack();
        await log?.rewrite(putsOf(memory));
      }),
    async [Symbol.asyncDispose]() {
      await turn;
      await log?.[Symbol.asyncDispose]();
    },
  };
}
