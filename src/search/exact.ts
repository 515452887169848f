/**
 * The exact store: an inverted index and all vectors in memory, BM25 and cosines of every document. For sets of some tens
 * of thousands, browsers and tests; nothing here is approximate. What keeps its documents is given to it (`ExactLog`);
 * without it they live as long as the store.
 */
import { dot } from "../retrieval/vector-similarity.ts";
import {
  bestPassage,
  bm25,
  datesMeet,
  rarity,
  storedFields,
  type Test,
  testOf,
  valuesOf,
  wordFields,
} from "./conditions.ts";
import type { Found, StoredDocument, StoreWriter, Wanted } from "./store.ts";

export type Change =
  | { readonly kind: "put"; readonly stored: StoredDocument }
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

interface Postings {
  readonly documents: number[];
  readonly counts: number[];
  /** Of these documents, how many are there still. */
  live: number;
}

/** Documents by number; one that is deleted leaves its number empty. */
interface Memory {
  readonly numbers: Map<string, number>;
  readonly documents: (StoredDocument | undefined)[];
  /** Numbers of words: those of the title, 0, the others. */
  readonly sequences: Uint32Array[];
  /** Numbers of words, from 1. */
  readonly vocabulary: Map<string, number>;
  readonly postings: Postings[];
  /** Documents by field and value. */
  readonly values: Map<string, number[]>;
  /** Words in all documents, and the 0 of each. */
  words: number;
}

function emptyMemory(): Memory {
  return {
    numbers: new Map(),
    documents: [],
    sequences: [],
    vocabulary: new Map(),
    postings: [{ documents: [], counts: [], live: 0 }],
    values: new Map(),
    words: 0,
  };
}

function countsOf(sequence: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const word of sequence) if (word !== 0) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const keyOf = (field: string, value: string): string => `${field}\n${value}`;

function add(memory: Memory, stored: StoredDocument): void {
  remove(memory, stored.document.id);
  const number = memory.documents.push(stored) - 1;
  memory.numbers.set(stored.document.id, number);
  const { title, rest } = wordFields(stored.document);
  const numberOf = (word: string): number => {
    let found = memory.vocabulary.get(word);
    if (found === undefined) {
      memory.vocabulary.set(word, (found = memory.postings.length));
      memory.postings.push({ documents: [], counts: [], live: 0 });
    }
    return found;
  };
  const sequence = Uint32Array.from([...title.map(numberOf), 0, ...rest.map(numberOf)]);
  memory.sequences.push(sequence);
  memory.words += sequence.length;
  for (const [word, count] of countsOf(sequence)) {
    const postings = memory.postings[word]!;
    postings.documents.push(number);
    postings.counts.push(count);
    postings.live += 1;
  }
  for (const field of storedFields) {
    for (const value of valuesOf(stored.document, field)) {
      const list = memory.values.get(keyOf(field, value));
      if (list === undefined) memory.values.set(keyOf(field, value), [number]);
      else list.push(number);
    }
  }
}

function remove(memory: Memory, id: string): boolean {
  const number = memory.numbers.get(id);
  if (number === undefined) return false;
  const sequence = memory.sequences[number]!;
  for (const word of countsOf(sequence).keys()) memory.postings[word]!.live -= 1;
  memory.words -= sequence.length;
  memory.sequences[number] = new Uint32Array(0);
  memory.documents[number] = undefined;
  memory.numbers.delete(id);
  return true;
}

/** 1 for each document that a test holds for, by number. */
function maskOf(memory: Memory, test: Test): Uint8Array {
  const size = memory.documents.length;
  const mask = new Uint8Array(size);
  const mark = (numbers: readonly number[]): void => {
    for (const number of numbers) mask[number] = 1;
  };
  switch (test.kind) {
    case "everything":
      return mask.fill(1);
    case "words":
      return phraseMask(memory, test);
    case "value": {
      const key = keyOf(test.field, test.value);
      if (!test.prefix) mark(memory.values.get(key) ?? []);
      else for (const [one, numbers] of memory.values) if (one.startsWith(key)) mark(numbers);
      return mask;
    }
    case "dates":
      memory.documents.forEach((stored, number) => {
        mask[number] = Number(datesMeet(stored?.document.date ?? null, test.first, test.last));
      });
      return mask;
    case "not":
      return maskOf(memory, test.of).map((one) => 1 - one);
    default: {
      const parts = test.of.map((one) => maskOf(memory, one));
      if (test.kind === "and") return mask.map((_, number) => Number(parts.every((part) => part[number] === 1)));
      return mask.map((_, number) => Number(parts.some((part) => part[number] === 1)));
    }
  }
}

function phraseMask(memory: Memory, { words, field, prefix }: Extract<Test, { kind: "words" }>): Uint8Array {
  const mask = new Uint8Array(memory.documents.length);
  const sets = words.map((word, i): ReadonlySet<number> => {
    if (!prefix || i < words.length - 1) return new Set([memory.vocabulary.get(word) ?? -1]);
    return new Set([...memory.vocabulary].flatMap(([one, number]) => (one.startsWith(word) ? [number] : [])));
  });
  if (sets.length === 0) return mask;
  const sizeOf = (set: ReadonlySet<number>): number =>
    [...set].reduce((sum, word) => sum + (memory.postings[word]?.live ?? 0), 0);
  const rarest = sets.toSorted((one, other) => sizeOf(one) - sizeOf(other))[0]!;
  for (const word of rarest) {
    for (const number of memory.postings[word]?.documents ?? []) {
      const sequence = memory.sequences[number]!;
      const border = sequence.indexOf(0);
      const [start, end] = field === "title" ? [0, border] : [field === "abstract" ? border : 0, sequence.length];
      if (hasPhrase(sequence, sets, start, end)) mask[number] = 1;
    }
  }
  return mask;
}

function hasPhrase(sequence: Uint32Array, sets: readonly ReadonlySet<number>[], start: number, end: number): boolean {
  for (let i = start; i + sets.length <= end; i++) {
    if (sets.every((set, j) => set.has(sequence[i + j]!))) return true;
  }
  return false;
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

/** The greatest cosine of a document's passages with a vector, both of unit length; undefined where none has one. */
export function bestCosine({ document, passages }: StoredDocument, vector: Float32Array): Found | undefined {
  let best: Found | undefined;
  for (const passage of passages) {
    if (passage.vector === undefined) continue;
    const score = dot(vector, passage.vector);
    const { start, end } = passage;
    if (best === undefined || score > best.score) best = { id: document.id, start, end, score };
  }
  return best;
}

function byWords(memory: Memory, words: readonly string[], { condition, filters, limit }: Wanted): Found[] {
  const mask = maskOf(memory, testOf(condition, filters));
  const count = memory.numbers.size;
  const mean = memory.words / Math.max(1, count);
  const scores = new Map<number, number>();
  for (const word of new Set(words)) {
    const postings = memory.postings[memory.vocabulary.get(word) ?? -1];
    if (postings === undefined) continue;
    const rare = rarity(count, postings.live);
    postings.documents.forEach((number, i) => {
      if (mask[number] !== 1 || memory.documents[number] === undefined) return;
      const score = bm25(postings.counts[i]!, memory.sequences[number]!.length, mean, rare);
      scores.set(number, (scores.get(number) ?? 0) + score);
    });
  }
  const found = [...scores].map(([number, score]) => ({ id: memory.documents[number]!.document.id, number, score }));
  return bestFirst(found, limit).map(({ id, number, score }) => {
    const { document, passages } = memory.documents[number]!;
    const { start, end } = passages[bestPassage(document.text, passages, words)] ?? { start: 0, end: 0 };
    return { id, start, end, score };
  });
}

/** Documents that meet what is wanted. */
function* meeting(memory: Memory, { condition, filters }: Wanted): Generator<StoredDocument> {
  const mask = maskOf(memory, testOf(condition, filters));
  for (const [number, stored] of memory.documents.entries()) {
    if (stored !== undefined && mask[number] === 1) yield stored;
  }
}

function* putsOf(memory: Memory): Generator<Change> {
  for (const stored of memory.documents) if (stored !== undefined) yield { kind: "put", stored };
}

/** So many numbers may be empty before they are given out anew. */
const spare = 1000;

/** An exact store over what `log` keeps; without it, an empty one in memory. */
export function createExactStore(log?: ExactLog): StoreWriter {
  let memory = emptyMemory();
  const pack = (): void => {
    const packed = emptyMemory();
    for (const stored of memory.documents) if (stored !== undefined) add(packed, stored);
    memory = packed;
  };
  const apply = (change: Change): void => {
    if (change.kind === "clear") memory = emptyMemory();
    else if (change.kind === "delete") remove(memory, change.id);
    else add(memory, change.stored);
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
    async byVector(vector, wanted) {
      const found = [...meeting(await now(wanted.signal), wanted)].flatMap((one) => bestCosine(one, vector) ?? []);
      return bestFirst(found, wanted.limit);
    },
    async matching(wanted) {
      const found = [...meeting(await now(wanted.signal), wanted)].map(({ document }) => document);
      return { total: found.length, ids: newestFirst(found, wanted.limit) };
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
      await change(() => documents.map((stored) => ({ kind: "put", stored })));
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
