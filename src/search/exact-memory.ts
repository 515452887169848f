/**
 * What the exact store has in memory: documents by number, an inverted index of their words, their values, and which of them
 * meet a test. Words that were cut before (`CutWords`) are taken as they are: cutting is most of what opening an index costs.
 */
import { datesMeet, storedFields, type Test, valuesOf, wordFields } from "./conditions.ts";
import type { StoredDocument } from "./store.ts";
import type { IndexedDocument } from "./types.ts";

/** A document's words by their numbers in a list: those of the title, 0, the others. The list's first is no word. */
export interface CutWords {
  readonly list: readonly string[];
  readonly numbers: Uint32Array;
}

interface Postings {
  readonly documents: number[];
  readonly counts: number[];
  /** Of these documents, how many are there still. */
  live: number;
}

/** Documents by number; one that is deleted leaves its number empty. */
export interface Memory {
  readonly numbers: Map<string, number>;
  readonly documents: (StoredDocument | undefined)[];
  /** Numbers of words: those of the title, 0, the others. */
  readonly sequences: Uint32Array[];
  /** Words by number, from 1. */
  readonly list: string[];
  readonly vocabulary: Map<string, number>;
  readonly postings: Postings[];
  /** Documents by field and value. */
  readonly values: Map<string, number[]>;
  /** Numbers here of the words of other lists. */
  readonly others: WeakMap<readonly string[], Uint32Array>;
  /** Words in all documents, and the 0 of each. */
  words: number;
  /** How often each word stands in the document that is being added; zeros between. */
  counts: Uint32Array;
}

export function emptyMemory(): Memory {
  return {
    numbers: new Map(),
    documents: [],
    sequences: [],
    list: [""],
    vocabulary: new Map(),
    postings: [{ documents: [], counts: [], live: 0 }],
    values: new Map(),
    others: new WeakMap(),
    words: 0,
    counts: new Uint32Array(1024),
  };
}

function numberOf(memory: Memory, word: string): number {
  let found = memory.vocabulary.get(word);
  if (found === undefined) {
    found = memory.list.push(word) - 1;
    memory.vocabulary.set(word, found);
    memory.postings.push({ documents: [], counts: [], live: 0 });
  }
  return found;
}

/** The words of a document, by the numbers that they have here. */
export function cut(memory: Memory, document: IndexedDocument): CutWords {
  const { title, rest } = wordFields(document);
  const number = (word: string): number => numberOf(memory, word);
  return { list: memory.list, numbers: Uint32Array.from([...title.map(number), 0, ...rest.map(number)]) };
}

function sequenceOf(memory: Memory, { list, numbers }: CutWords): Uint32Array {
  if (list === memory.list) return numbers;
  let here = memory.others.get(list);
  if (here === undefined) {
    here = Uint32Array.from(list, (word, i) => (i === 0 ? 0 : numberOf(memory, word)));
    memory.others.set(list, here);
  }
  return numbers.map((number) => here[number]!);
}

const keyOf = (field: string, value: string): string => `${field}\n${value}`;

/** Puts a document in, in the place of the one with its id. */
export function add(memory: Memory, stored: StoredDocument, words: CutWords = cut(memory, stored.document)): void {
  remove(memory, stored.document.id);
  const number = memory.documents.push(stored) - 1;
  memory.numbers.set(stored.document.id, number);
  const sequence = sequenceOf(memory, words);
  memory.sequences.push(sequence);
  memory.words += sequence.length;
  addPostings(memory, number, sequence);
  for (const field of storedFields) {
    for (const value of valuesOf(stored.document, field)) {
      const list = memory.values.get(keyOf(field, value));
      if (list === undefined) memory.values.set(keyOf(field, value), [number]);
      else list.push(number);
    }
  }
}

function addPostings(memory: Memory, number: number, sequence: Uint32Array): void {
  if (memory.counts.length < memory.list.length) memory.counts = new Uint32Array(2 * memory.list.length);
  const { counts, postings } = memory;
  const different: number[] = [];
  for (const word of sequence) {
    if (word !== 0 && counts[word]!++ === 0) different.push(word);
  }
  for (const word of different) {
    const own = postings[word]!;
    own.documents.push(number);
    own.counts.push(counts[word]!);
    own.live += 1;
    counts[word] = 0;
  }
}

/** @returns whether there was one. */
export function remove(memory: Memory, id: string): boolean {
  const number = memory.numbers.get(id);
  if (number === undefined) return false;
  const sequence = memory.sequences[number]!;
  for (const word of new Set(sequence)) memory.postings[word]!.live -= 1;
  memory.words -= sequence.length;
  memory.sequences[number] = new Uint32Array(0);
  memory.documents[number] = undefined;
  memory.numbers.delete(id);
  return true;
}

/** 1 for each document that a test holds for, by number; of numbers that are empty it says nothing. */
export function maskOf(memory: Memory, test: Test): Uint8Array {
  const mask = new Uint8Array(memory.documents.length);
  switch (test.kind) {
    case "everything":
      return mask.fill(1);
    case "words":
      return phraseMask(memory, test, mask);
    case "value": {
      const key = keyOf(test.field, test.value);
      if (!test.prefix) mark(mask, memory.values.get(key) ?? []);
      else for (const [one, numbers] of memory.values) if (one.startsWith(key)) mark(mask, numbers);
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
      if (test.kind === "and") mask.fill(1);
      for (const part of test.of) {
        const own = maskOf(memory, part);
        for (let i = 0; i < mask.length; i++) mask[i] = test.kind === "and" ? mask[i]! & own[i]! : mask[i]! | own[i]!;
      }
      return mask;
    }
  }
}

function mark(mask: Uint8Array, numbers: readonly number[]): void {
  for (const number of numbers) mask[number] = 1;
}

function phraseMask(
  memory: Memory,
  { words, field, prefix }: Extract<Test, { kind: "words" }>,
  mask: Uint8Array,
): Uint8Array {
  const sets = words.map((word, i): ReadonlySet<number> => {
    if (!prefix || i < words.length - 1) return new Set([memory.vocabulary.get(word) ?? -1]);
    return new Set([...memory.vocabulary].flatMap(([one, number]) => (one.startsWith(word) ? [number] : [])));
  });
  if (sets.length === 0) return mask;
  const sizeOf = (set: ReadonlySet<number>): number =>
    [...set].reduce((sum, word) => sum + (memory.postings[word]?.live ?? 0), 0);
  const rarest = sets.toSorted((one, other) => sizeOf(one) - sizeOf(other))[0]!;
  const isAnywhere = sets.length === 1 && field === "text";
  for (const word of rarest) {
    const documents = memory.postings[word]?.documents ?? [];
    if (isAnywhere) {
      mark(mask, documents);
      continue;
    }
    for (const number of documents) {
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
