/**
 * What stores compare, the same for each: a document's values in lower case, its words by field, and a condition with its
 * filters as one tree of few kinds.
 */
import { titleOf } from "./passages.ts";
import type { Filters, IndexedDocument } from "./types.ts";
import type { Condition, Passage, ValueField, WordField } from "./store.ts";
import { wordsOf } from "./words.ts";

/** What a value is compared with: the fields of conditions, and what only filters name. */
export type StoredField = ValueField | "retracted" | "field";
export const storedFields = [
  "id",
  "type",
  "journal",
  "mesh",
  "keyword",
  "language",
  "author",
  "doi",
  "source",
  "retracted",
  "field",
] as const satisfies readonly StoredField[];

/** A condition as stores take it: values are lower case, filters are part of it. */
export type Test =
  | { readonly kind: "everything" }
  | { readonly kind: "words"; readonly field: WordField; readonly words: readonly string[]; readonly prefix: boolean }
  | { readonly kind: "value"; readonly field: StoredField; readonly value: string; readonly prefix: boolean }
  /** Both inclusive and partial ISO; a document's date is all the days that it may be. */
  | { readonly kind: "dates"; readonly first: string | null; readonly last: string | null }
  | { readonly kind: "and" | "or"; readonly of: readonly Test[] }
  | { readonly kind: "not"; readonly of: Test };

/** Values compare without case, and without the white space around them. */
const lower = (value: string): string => value.trim().toLowerCase();
const fieldValue = (name: string, value: string | number | boolean): string =>
  `${name}\n${typeof value === "string" ? lower(value) : value}`.toLowerCase();

/** A condition and filters as one. */
export function testOf(condition: Condition, filters: Filters = {}): Test {
  const any = (field: StoredField, values: readonly string[] | undefined): Test[] =>
    values === undefined
      ? []
      : [{ kind: "or", of: values.map((value) => ({ kind: "value", field, value: lower(value), prefix: false })) }];
  const { years, retracted, fields = {} } = filters;
  const year = (value: number | null | undefined): string | null => value?.toString().padStart(4, "0") ?? null;
  const all: Test[] = [
    plain(condition),
    ...(years === undefined || (years[0] === null && years[1] === null)
      ? []
      : [{ kind: "dates", first: year(years[0]), last: year(years[1]) } as const]),
    ...any("type", filters.types),
    ...any("journal", filters.journals),
    ...any("mesh", filters.mesh),
    ...any("language", filters.languages),
    ...any("source", filters.sources),
    ...any("retracted", retracted === undefined ? undefined : [String(retracted)]),
    ...Object.entries(fields).map(([name, value]): Test => ({
      kind: "value",
      field: "field",
      value: fieldValue(name, value),
      prefix: false,
    })),
  ].filter(({ kind }) => kind !== "everything");
  return all.length === 0 ? { kind: "everything" } : all.length === 1 ? all[0]! : { kind: "and", of: all };
}

function plain(condition: Condition): Test {
  switch (condition.kind) {
    case "value":
      return { ...condition, value: lower(condition.value) };
    case "and":
    case "or":
      return { kind: condition.kind, of: condition.of.map(plain) };
    case "not":
      return { kind: "not", of: plain(condition.of) };
    default:
      return condition;
  }
}

/** A name by itself, and with each beginning of its initials: "smith", "smith j", "smith ja". */
function beginningsOf(author: string): string[] {
  const parts = /^(.+) (\p{Lu}{1,4})( .{1,4})?$/u.exec(author.trim());
  if (parts === null) return [lower(author)];
  const [, last, initials] = parts;
  const letters = [...initials!];
  return [last!, ...letters.map((_, i) => `${last} ${letters.slice(0, i + 1).join("")}`), author].map(lower);
}

/** The values of a document that a condition is compared with, in lower case, each once. */
export function valuesOf(document: IndexedDocument, field: StoredField): string[] {
  return [...new Set(rawValues(document, field))].filter((value) => value !== "");
}

function rawValues(document: IndexedDocument, field: StoredField): string[] {
  const one = (value: string | null): string[] => (value === null ? [] : [lower(value)]);
  switch (field) {
    case "id":
      return [lower(document.id)];
    case "type":
      return document.types.map(lower);
    case "journal":
      return [...one(document.journal), ...one(document.journalAbbreviation)];
    case "mesh":
      return document.mesh.map(lower);
    case "keyword":
      return document.keywords.map(lower);
    case "language":
      return one(document.language);
    case "author":
      return document.authors.flatMap(beginningsOf);
    case "doi":
      return one(document.doi);
    case "source":
      return [lower(document.source)];
    case "retracted":
      return [String(document.retracted)];
    case "field":
      return Object.entries(document.fields).map(([name, value]) => fieldValue(name, value));
  }
}

/** The words of a document: those of its title, and the others. */
export function wordFields(document: IndexedDocument): { readonly title: string[]; readonly rest: string[] } {
  const { text } = document;
  const end = titleOf(document)?.end ?? 0;
  return { title: wordsOf(text.slice(0, end)), rest: wordsOf(text.slice(end)) };
}

/** Whether a document's date meets a range: dates that are less exact meet it if one of their days may. */
export function datesMeet(date: string | null, first: string | null, last: string | null): boolean {
  if (date === null) return false;
  return (first === null || date >= first || first.startsWith(date)) && (last === null || date <= `${last}~`);
}

/**
 * The passage of a document that has most of these words, by BM25 among its passages; the first of equals.
 * @returns its place, from 0.
 */
export function bestPassage(text: string, passages: readonly Passage[], words: readonly string[]): number {
  if (passages.length < 2) return 0;
  const counts = passages.map(({ start, end }) => {
    const found = new Map<string, number>();
    const all = wordsOf(text.slice(start, end));
    for (const word of all) found.set(word, (found.get(word) ?? 0) + 1);
    return { found, length: all.length };
  });
  const mean = counts.reduce((sum, { length }) => sum + length, 0) / counts.length;
  const scores = counts.map(() => 0);
  for (const word of new Set(words)) {
    const having = counts.filter(({ found }) => found.has(word)).length;
    for (const [i, { found, length }] of counts.entries()) {
      scores[i]! += bm25(found.get(word) ?? 0, length, mean, rarity(counts.length, having));
    }
  }
  return scores.indexOf(Math.max(...scores));
}

/** Lucene's inverse document frequency, of a word that `having` of so many documents have. */
export function rarity(documents: number, having: number): number {
  return Math.log(1 + (documents - having + 0.5) / (having + 0.5));
}

const k1 = 1.2;
const b = 0.75;

/** A word's part of a BM25 score, as Lucene and LanceDB have it: k1 1.2, b 0.75. */
export function bm25(count: number, length: number, meanLength: number, rare: number): number {
  if (count === 0) return 0;
  return (rare * count * (k1 + 1)) / (count + k1 * (1 - b + (b * length) / meanLength));
}
