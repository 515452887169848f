/** Documents of an index for tests, with only what a test is about. */
import type { Condition, StoredDocument, WordField } from "../../src/search/store.ts";
import type { IndexedDocument } from "../../src/search/types.ts";
import { wordsOf } from "../../src/search/words.ts";

export function documentOf(
  id: string,
  title: string,
  abstract: string,
  fields: Partial<IndexedDocument> = {},
): IndexedDocument {
  const text = [title, abstract].filter((part) => part !== "").join("\n\n");
  const start = title === "" ? 0 : title.length + 2;
  const sections = [
    ...(title === "" ? [] : [{ label: "TITLE", start: 0, end: title.length }]),
    ...(abstract === "" ? [] : [{ label: null, start, end: text.length }]),
  ];
  const date = fields.date ?? null;
  return {
    id,
    title,
    text,
    sections,
    date,
    year: date === null ? null : Number(date.slice(0, 4)),
    types: [],
    journal: null,
    journalAbbreviation: null,
    volume: null,
    issue: null,
    pages: null,
    authors: [],
    mesh: [],
    keywords: [],
    language: null,
    doi: null,
    pmcid: null,
    retracted: false,
    source: "test",
    fields: {},
    ...fields,
  };
}

/** A document that is one passage. */
export function stored(
  id: string,
  title: string,
  abstract: string,
  fields: Partial<IndexedDocument> = {},
  vector?: readonly number[],
): StoredDocument {
  const document = documentOf(id, title, abstract, fields);
  const passage = { start: 0, end: document.text.length };
  const passages = [vector === undefined ? passage : { ...passage, vector: Float32Array.from(vector) }];
  return { document, passages };
}

export const everything: Condition = { kind: "everything" };

export const phrase = (field: WordField, text: string): Condition => ({
  kind: "words",
  field,
  words: wordsOf(text),
  prefix: false,
});
