/** A store of a few documents in memory, scanned as a whole: what search is tested over. */
import type { Condition, Found, Store, StoredDocument, Wanted } from "../../src/search/store.ts";
import type { IndexedDocument } from "../../src/search/types.ts";
import { createBm25 } from "../../src/retrieval/bm25.ts";
import { wordsOf } from "../../src/search/words.ts";

/** A document with a title and an abstract. */
export function documentOf(
  id: string,
  title: string,
  abstract: string,
  more: Partial<IndexedDocument> = {},
): IndexedDocument {
  const text = `${title}\n\n${abstract}`;
  return {
    id,
    title,
    text,
    sections: [
      { label: "TITLE", start: 0, end: title.length },
      { label: null, start: title.length + 2, end: text.length },
    ],
    date: null,
    year: null,
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
    ...more,
  };
}

const fieldText = ({ title, text }: IndexedDocument, field: "text" | "title" | "abstract"): string =>
  field === "title" ? title : field === "text" ? text : text.slice(title.length);

function meets(document: IndexedDocument, condition: Condition): boolean {
  switch (condition.kind) {
    case "everything":
      return true;
    case "and":
      return condition.of.every((one) => meets(document, one));
    case "or":
      return condition.of.some((one) => meets(document, one));
    case "not":
      return !meets(document, condition.of);
    case "dates":
      return (
        document.date !== null &&
        (condition.first ?? "") <= document.date &&
        document.date.slice(0, condition.last?.length) <= (condition.last ?? "9")
      );
    case "words": {
      const words = wordsOf(fieldText(document, condition.field));
      const isWord = (word: string | undefined, i: number): boolean =>
        condition.prefix && i === condition.words.length - 1
          ? word?.startsWith(condition.words[i]!) === true
          : word === condition.words[i];
      return words.some((_, at) => condition.words.every((__, i) => isWord(words[at + i], i)));
    }
    case "value": {
      const { id, types, journal, mesh, keywords, language, authors, doi, source } = document;
      const of = {
        id: [id],
        type: types,
        journal: [journal],
        mesh,
        keyword: keywords,
        language: [language],
        author: authors,
        doi: [doi],
        source: [source],
      };
      const wanted = condition.value.toLowerCase();
      return of[condition.field].some((value) => {
        const own = value?.toLowerCase();
        const begins = condition.prefix || condition.field === "author";
        return begins ? own?.startsWith(wanted) === true : own === wanted;
      });
    }
  }
}

export function smallStore(stored: readonly StoredDocument[]): Store {
  const matching = ({ condition, filters = {} }: Wanted): StoredDocument[] =>
    stored.filter(({ document }) => {
      const [first, last] = filters.years ?? [null, null];
      const { year } = document;
      return (
        meets(document, condition) &&
        (first === null || (year ?? -1) >= first) &&
        (last === null || (year ?? 9999) <= last) &&
        (filters.types?.some((type) => document.types.includes(type)) ?? true) &&
        (filters.retracted ?? document.retracted) === document.retracted &&
        Object.entries(filters.fields ?? {}).every(([name, value]) => document.fields[name] === value)
      );
    });
  const best = (found: Found[], limit: number): Found[] =>
    found.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).slice(0, limit);
  return {
    count: async () => stored.length,
    async byWords(words, wanted) {
      const passages = stored.flatMap(({ document, passages: own }) => own.map((one) => ({ document, ...one })));
      const scores = createBm25(
        passages.map(({ document, start, end }) => wordsOf(document.text.slice(start, end)).join(" ")),
      ).score(words.join(" "));
      const right = new Set(matching(wanted).map(({ document }) => document.id));
      const found = new Map<string, Found>();
      for (const [i, score] of scores) {
        const {
          document: { id },
          start,
          end,
        } = passages[i]!;
        if (right.has(id) && score > (found.get(id)?.score ?? 0)) found.set(id, { id, start, end, score });
      }
      return best([...found.values()], wanted.limit);
    },
    async byVector(vector, wanted) {
      const found = matching(wanted).map(({ document, passages }): Found => {
        const scores = passages.map((one) => one.vector!.reduce((sum, value, i) => sum + value * vector[i]!, 0));
        const score = Math.max(...scores);
        const { start, end } = passages[scores.indexOf(score)]!;
        return { id: document.id, start, end, score };
      });
      return best(found, wanted.limit);
    },
    async matching(wanted) {
      const found = matching(wanted).sort((a, b) => ((a.document.date ?? "") < (b.document.date ?? "") ? 1 : -1));
      return { total: found.length, ids: found.slice(0, wanted.limit).map(({ document }) => document.id) };
    },
    get: async (ids) => ids.map((id) => stored.find(({ document }) => document.id === id)),
    async *all() {
      yield* stored;
    },
    async [Symbol.asyncDispose]() {},
  };
}
