/**
 * Search over any store: a query's words and vectors ranked, fused and reranked, with highlights, totals and facets. Knows
 * neither files nor models, so that it runs in browsers too.
 */
import { ConfigError, DataError, UsageError } from "../errors.ts";
import { norm, unit } from "../retrieval/vector-similarity.ts";
import { bestPassage } from "./conditions.ts";
import { facetsOf } from "./facets.ts";
import { type Fused, fuse } from "./fusion.ts";
import { highlightsOf, type Marked } from "./highlights.ts";
import { titleOf } from "./passages.ts";
import { allOf, anyOf, type ParsedQuery, parseQuery } from "./query.ts";
import { understood } from "./spell.ts";
import type { Condition, Found, Passage, Store, StoredDocument, Wanted } from "./store.ts";
import { tellingWords } from "./telling.ts";
import { wordsOf, wordsWithBeginning } from "./words.ts";
import type { Filters, Hit, IndexedDocument, SearchIndex, SearchMode, SearchOptions, SearchResult } from "./types.ts";

export interface SearchParts {
  readonly folder: string;
  readonly store: Store;
  /** Of the index's own model; absent where there are no vectors. */
  readonly embed?: SearchIndex["embed"] | undefined;
  readonly rerank?: SearchIndex["rerank"];
  /** Of the first hits so many are reranked. Default 100. */
  readonly reranked?: number | undefined;
}

/** Documents that each list gives to be fused, and documents whose values are counted. */
const [listDepth, facetDepth] = [100, 1000];
const mostHits = 10_000;

type Place = Pick<Passage, "start" | "end">;

interface Ranking {
  readonly fused: readonly Fused[];
  /** Which list is which in `ranks`. */
  readonly lists: readonly ("text" | "dense")[];
  /** Stems that say which passage of a document was found, where its list does not. */
  readonly words: readonly string[];
  readonly reranked?: ReadonlyMap<string, number> | undefined;
}

type Read = (ids: readonly string[]) => Promise<(StoredDocument | undefined)[]>;

/** Documents of one search, each read once. */
function readOnce(store: Store): Read {
  const known = new Map<string, StoredDocument | undefined>();
  return async (ids) => {
    const missing = ids.filter((id) => !known.has(id));
    const read = missing.length === 0 ? [] : await store.get(missing, false);
    missing.forEach((id, i) => known.set(id, read[i]));
    return ids.map((id) => known.get(id));
  };
}

interface Search {
  readonly parsed: ParsedQuery;
  readonly mode: SearchMode;
  readonly filters: Filters;
  /** How many documents each list gives. */
  readonly depths: { readonly text: number; readonly dense: number };
  readonly signal: AbortSignal | undefined;
}

/** An index over a store that is open; closing the one closes the other. */
export function searchStore(parts: SearchParts): SearchIndex {
  const { folder, store, embed, rerank } = parts;
  const dense = embed !== undefined;
  return {
    folder,
    dense,
    rerank,
    count: () => store.count(),
    search: (query, options = {}) => search(parts, query, options),
    similar: (id, options = {}) => similar(parts, id, options),
    documents: async (ids) => (await store.get(ids, false)).map((one) => one?.document),
    async *all({ signal } = {}) {
      for await (const { document } of store.all(signal)) yield document;
    },
    async embed(role, texts) {
      if (embed !== undefined) return embed(role, texts);
      throw new ConfigError(`${folder}: expected an index with vectors, got one with words alone`, {
        hint: "galen index with --model makes one",
      });
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** @throws UsageError for numbers that make no sense. */
function window({ limit = 10, offset = 0 }: SearchOptions): { limit: number; offset: number } {
  for (const [name, value, least] of [
    ["limit", limit, 1],
    ["offset", offset, 0],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least || limit + offset > mostHits) {
      const most = `at most ${mostHits} hits with offset and limit together`;
      throw new UsageError(`${name}: expected a whole number from ${least}, ${most}, got ${value}`);
    }
  }
  return { limit, offset };
}

async function search(parts: SearchParts, query: string, options: SearchOptions): Promise<SearchResult> {
  const { limit, offset } = window(options);
  const parsed = parseQuery(query);
  const notes = [...parsed.notes];
  const mode = modeOf(parts, options.mode, notes);
  const { signal } = options;
  const filters = { ...options.filters, fields: joinedFields(options.filters?.fields, parsed.fields) };
  // Lists that are fused or reranked are deeper than what is shown of them.
  const isDeep = mode === "hybrid" || (parts.rerank !== undefined && options.rerank !== false);
  const dense = isDeep ? Math.max(listDepth, offset + limit) : offset + limit;
  const text = options.facets === true ? Math.max(dense, facetDepth) : dense;
  const one: Search = { parsed, mode, filters, depths: { text, dense }, signal };
  const isCounted = options.total !== false && (mode !== "dense" || parsed.text === "");
  const [ranking, total] = await Promise.all([rank(parts, one), isCounted ? totalOf(parts.store, one) : null]);
  signal?.throwIfAborted();
  const read = readOnce(parts.store);
  const again = options.rerank === false ? ranking : await reranked(parts, read, ranking, parsed.text);
  if (parsed.text === "" && ranking.fused.length > 0) notes.push("no words to rank by: newest first");
  const marked = { words: parsed.words, prefixes: parsed.prefixes };
  const shown = { limit, offset, marked, facets: options.facets === true };
  return resultOf(read, again, shown, { total, mode, understood: understood(parsed), notes });
}

/** The mode that is asked for, or what the index can do; a note where it is another. */
function modeOf({ embed }: SearchParts, asked: SearchMode | undefined, notes: string[]): SearchMode {
  if (embed !== undefined) return asked ?? "hybrid";
  if (asked !== undefined && asked !== "text") {
    notes.push(`the index has no vectors: searched by words, not ${asked}`);
  }
  return "text";
}

/** @throws UsageError where query and filters ask for different values. */
function joinedFields(filters: Filters["fields"] = {}, query: ParsedQuery["fields"]): NonNullable<Filters["fields"]> {
  for (const [name, value] of Object.entries(query)) {
    if (Object.hasOwn(filters, name) && filters[name] !== value) {
      throw new UsageError(`field ${name}: expected one value, got "${String(filters[name])}" and "${String(value)}"`);
    }
  }
  return Object.fromEntries([...Object.entries(filters), ...Object.entries(query)]);
}

/** With words as stores have them: stems, where queries have words as they were written. */
function stemmed(condition: Condition): Condition {
  switch (condition.kind) {
    case "words": {
      const text = condition.words.join(" ");
      return { ...condition, words: condition.prefix ? wordsWithBeginning(text) : wordsOf(text) };
    }
    case "and":
    case "or":
      return { kind: condition.kind, of: condition.of.map(stemmed) };
    case "not":
      return { kind: "not", of: stemmed(condition.of) };
    default:
      return condition;
  }
}

/** Stems, each once. */
const stems = (words: readonly string[]): string[] => [...new Set(words.flatMap(wordsOf))];

/** What the words of a query match; of words that stand by themselves one is enough. */
function matchOf({ any: loose, condition }: ParsedQuery): Condition {
  if (loose.length === 0) return condition;
  const words = loose.map((word): Condition => ({ kind: "words", field: "text", words: [word], prefix: false }));
  return condition.kind === "everything" ? anyOf(words) : allOf([anyOf(words), condition]);
}

async function totalOf(store: Store, { parsed, filters, signal }: Search): Promise<number> {
  return (await store.matching({ condition: stemmed(matchOf(parsed)), filters, limit: 0, signal })).total;
}

/** The lists of the mode, fused. */
async function rank(
  { store, embed }: SearchParts,
  { parsed, mode, filters, depths, signal }: Search,
): Promise<Ranking> {
  const wanted: Wanted = { condition: stemmed(parsed.condition), filters, limit: depths.text, signal };
  if (parsed.text === "" || (parsed.words.length === 0 && mode === "text")) {
    const fused = fuse([await newest(store, wanted)]).map((one) => ({ ...one, score: 0 }));
    return { fused, lists: [], words: [] };
  }
  const own = stems(parsed.words);
  const byWords = async (): Promise<Found[]> => {
    const found = await store.byWords(own, wanted);
    if (parsed.any.length > 0 || found.length >= depths.text) return found;
    // Documents that meet the condition without any of its words, "asthma OR smith[au]".
    const known = new Set(found.map(({ id }) => id));
    return [...found, ...(await newest(store, wanted)).filter(({ id }) => !known.has(id))].slice(0, depths.text);
  };
  const byVector = async (): Promise<Found[]> => {
    const [vector] = await embed!("query", [parsed.text]);
    return store.byVector(vector!, { ...wanted, limit: depths.dense });
  };
  if (mode === "text") return alone(await byWords(), "text", own);
  if (mode === "dense") return alone(await byVector(), "dense", own);
  const [vectors, words] = await Promise.all([byVector(), byWords()]);
  return { fused: fuse([words, vectors]), lists: ["text", "dense"], words: own };
}

/** One list keeps its own scores. */
function alone(found: readonly Found[], list: "text" | "dense", words: readonly string[]): Ranking {
  return { fused: found.map((one, place) => ({ ...one, ranks: [place + 1] })), lists: [list], words };
}

async function newest(store: Store, wanted: Wanted): Promise<Found[]> {
  return (await store.matching(wanted)).ids.map((id) => ({ id, score: 0 }));
}

/** Where a document was found: the first passage where nothing says another. */
function placeOf({ document, passages }: StoredDocument, { passage }: Found, words: readonly string[]): Place {
  return passage ?? passages[bestPassage(document.text, passages, words)] ?? { start: 0, end: 0 };
}

/** The first hits in the order of the reranker, the others behind them. */
async function reranked(
  { rerank, reranked: most = 100 }: SearchParts,
  read: Read,
  ranking: Ranking,
  query: string,
): Promise<Ranking> {
  const first = ranking.fused.slice(0, most);
  if (rerank === undefined || query === "" || first.length === 0) return ranking;
  const documents = await read(first.map(({ id }) => id));
  const texts = first.map((one, i) => {
    const stored = documents[i];
    return stored === undefined ? "" : textOf(stored.document, placeOf(stored, one, ranking.words));
  });
  const scores = await rerank(query, texts);
  const best = first
    .map((one, i) => ({ ...one, score: scores[i]! }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  const least = best.at(-1)!.score;
  // A reranker's scores have no common scale with those of the lists: the others only have to stand below.
  const others = ranking.fused.slice(most).map((one, i) => ({ ...one, score: least - 1 - i }));
  return { ...ranking, fused: [...best, ...others], reranked: new Map(best.map(({ id, score }) => [id, score])) };
}

/** A passage with the title before it, which says what it is about. */
function textOf(document: IndexedDocument, { start, end }: Place): string {
  const passage = document.text.slice(start, end);
  return document.title === "" || passage.startsWith(document.title) ? passage : `${document.title}\n\n${passage}`;
}

interface Shown {
  readonly limit: number;
  readonly offset: number;
  readonly marked: Marked;
  readonly facets: boolean;
}

async function resultOf(
  read: Read,
  ranking: Ranking,
  { limit, offset, marked, facets }: Shown,
  about: Omit<SearchResult, "hits" | "facets">,
): Promise<SearchResult> {
  const page = ranking.fused.slice(offset, offset + limit);
  const counted = facets ? ranking.fused.slice(0, facetDepth) : [];
  await read([...new Set([...page, ...counted].map(({ id }) => id))]);
  const documents = await read(page.map(({ id }) => id));
  // One that was deleted since it was found is no hit.
  const hits = page.flatMap((one, i) =>
    documents[i] === undefined ? [] : [hitOf(documents[i], one, ranking, marked)],
  );
  const notes = [...about.notes, ...retractions(hits)];
  if (!facets) return { ...about, notes, hits };
  const all = await read(counted.map(({ id }) => id));
  return { ...about, notes, hits, facets: facetsOf(all.flatMap((one) => one?.document ?? [])) };
}

function retractions(hits: readonly Hit[]): string[] {
  const ids = hits.flatMap(({ id, retracted }) => (retracted ? [id] : []));
  if (ids.length === 0) return [];
  return [`${ids.length === 1 ? "one hit is" : `${ids.length} hits are`} retracted: ${ids.join(", ")}`];
}

function hitOf(stored: StoredDocument, found: Fused, ranking: Ranking, marked: Marked): Hit {
  const { document } = stored;
  const { score, ranks } = found;
  const { start, end } = placeOf(stored, found, ranking.words);
  const { id, title, text, year, journal, types, authors, retracted } = document;
  const first = titleOf(document);
  const rank = (list: "text" | "dense"): number | undefined => ranks[ranking.lists.indexOf(list)];
  return {
    id,
    score,
    title,
    passage: text.slice(start, end),
    start,
    end,
    highlights: highlightsOf(
      text,
      [
        [first?.start ?? 0, first?.end ?? 0],
        [start, end],
      ],
      marked,
    ),
    year,
    journal,
    types,
    authors,
    retracted,
    ranks: withoutUndefined({ text: rank("text"), dense: rank("dense"), rerank: ranking.reranked?.get(id) }),
  };
}

function withoutUndefined(ranks: Hit["ranks"]): Hit["ranks"] {
  return Object.fromEntries(Object.entries(ranks).filter(([, rank]) => rank !== undefined));
}

/** By the document's vectors where there are any, else by its most telling words; "hybrid" fuses both. */
async function similar(parts: SearchParts, id: string, options: SearchOptions): Promise<SearchResult> {
  const { store, embed, folder } = parts;
  const { limit, offset } = window(options);
  const { signal, filters } = options;
  const [stored] = await store.get([id]);
  if (stored === undefined) {
    throw new DataError(`${folder}: expected a document with the id "${id}", got none`, {
      hint: "ids are PMIDs, or those of the files that were indexed",
    });
  }
  const notes: string[] = [];
  const vector = embed === undefined ? undefined : meanVector(stored);
  const mode = modeOf(vector === undefined ? { folder, store } : parts, options.mode ?? (vector && "dense"), notes);
  const others: Condition = { kind: "not", of: { kind: "value", field: "id", value: id, prefix: false } };
  const depth = Math.max(listDepth, offset + limit);
  const wanted: Wanted = { condition: others, filters, limit: depth, signal };
  const words = mode === "dense" ? [] : await tellingWords(store, stored.document, signal);
  const own = stems(words);
  const [byWords, byVector] = await Promise.all([
    mode === "dense" ? undefined : store.byWords(own, wanted),
    mode === "text" ? undefined : store.byVector(vector!, wanted),
  ]);
  const both: Ranking["lists"] = ["text", "dense"];
  const ranking =
    byWords !== undefined && byVector !== undefined
      ? { fused: fuse([byWords, byVector]), lists: both, words: own }
      : alone((byWords ?? byVector)!, byWords === undefined ? "dense" : "text", own);
  const by = words.length === 0 ? "" : ` by the words ${words.join(", ")}`;
  const about = { total: null, mode, understood: `documents like ${id}${by}`, notes };
  const shown = { limit, offset, marked: { words, prefixes: [] }, facets: options.facets === true };
  const read = readOnce(store);
  const ranked = options.rerank === true ? await reranked(parts, read, ranking, stored.document.title) : ranking;
  return resultOf(read, ranked, shown, about);
}

/** Of unit length. */
function meanVector({ passages }: StoredDocument): Float32Array | undefined {
  const vectors = passages.flatMap(({ vector }) => vector ?? []);
  if (vectors.length === 0) return undefined;
  const sum = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  return norm(sum) === 0 ? undefined : unit(sum);
}
