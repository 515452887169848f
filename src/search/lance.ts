/**
 * The store on disk: LanceDB, an embedded database (Apache 2.0) with full text, vectors and commits that are whole. Conditions over
 * values and dates are its SQL; conditions over words are answered by its full text index, as sets of identifiers, so that
 * any mixture of both is exact. LanceDB is no dependency: it brings other packages' runtimes with it, and is installed by
 * those who want it.
 */
import type { FullTextQuery, Query, Table } from "@lancedb/lancedb";
import { ConfigError, DataError } from "../errors.ts";
import { inParts } from "../io/streams.ts";
import { type Test, testOf } from "./conditions.ts";
import { bestFirst, newestFirst } from "./exact.ts";
import { anyOf, asksWords, beginningSql, isSingleWord, sqlOf, type Words } from "./lance-sql.ts";
import {
  approximateFrom,
  createTable,
  isMostlyOutside,
  type Lance,
  type Row,
  rowsOf,
  staleIndexes,
  tableName,
} from "./lance-table.ts";
import { type VectorsInMemory, vectorsInMemory } from "./lance-vectors.ts";
import type { Found, Passage, StoredDocument, StoreWriter, Wanted } from "./store.ts";
import type { IndexedDocument } from "./types.ts";

/** Identifiers in a condition; more are compared here. */
const mostInCondition = 2000;
/** Passages that a search looks for first, a document: most have one, and of few documents more are looked for. */
const passagesADocument = 1.25;
/**
 * Partitions of a vector index, of some 4,096 vectors each, that a search looks at. The same recall takes twice as many in an
 * index of four times as many vectors: of 200,000 real passages 32 gave 0.975 of the nearest ten, 16 gave 0.902, and of 50,000
 * 8 gave 0.930 (`bench/index.ts`).
 */
const probesOf = (rows: number): number => Math.max(64, Math.ceil(32 * Math.sqrt(rows / 200_000)));
/**
 * Candidates whose exact distance is computed, a hit and at least; each is a vector read from disk. Of the nearest hundred of
 * 200,000 passages 3 a hit gave 0.965, 8 gave 0.995 and took three times as long.
 */
const [refined, leastRefined] = [4, 128];

async function load(folder: string): Promise<Lance> {
  // With fewer threads than this its full text index never ends being built on two cores (lancedb issue 3568).
  process.env["LANCE_CPU_THREADS"] ??= "8";
  process.env["LANCE_LOG"] ??= "error";
  try {
    return await import("@lancedb/lancedb");
  } catch (cause) {
    throw new ConfigError(`${folder}: expected LanceDB, which keeps this index, got none installed`, {
      hint: "npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0, or keep indexes with --store exact",
      cause,
    });
  }
}

/** Identifiers that are in, or all but these. */
interface Ids {
  readonly out: boolean;
  readonly ids: ReadonlySet<string>;
}

const has = ({ out, ids }: Ids, id: string): boolean => ids.has(id) !== out;

function union(a: Ids, b: Ids): Ids {
  if (a.out && b.out) return { out: true, ids: new Set([...a.ids].filter((id) => b.ids.has(id))) };
  if (!a.out && !b.out) return { out: false, ids: new Set([...a.ids, ...b.ids]) };
  const [without, within] = a.out ? [a, b] : [b, a];
  return { out: true, ids: new Set([...without.ids].filter((id) => !within.ids.has(id))) };
}

const not = ({ out, ids }: Ids): Ids => ({ out: !out, ids });
const intersection = (a: Ids, b: Ids): Ids => not(union(not(a), not(b)));

/** What of a wanted condition SQL answers, and the identifiers that words leave. */
interface Narrowed {
  readonly where: string;
  readonly ids: Ids | undefined;
}

interface Scored {
  readonly id: string;
  readonly score: number;
}

/** What readers of a table have in common. */
interface Shared {
  readonly vectors: VectorsInMemory;
  /** Questions of words that have just been asked. */
  readonly asked: Map<string, Promise<readonly Scored[]>>;
}

/** The words of a test that asks for any of them, and nothing else. */
function anyWords(test: Test): string[] | undefined {
  const all = test.kind === "or" ? test.of : [test];
  return all.length > 0 && all.every(isSingleWord) ? all.flatMap(({ words }) => words) : undefined;
}

/** What of a test SQL answers, and what is asked of words. */
function parted(test: Test): { readonly where: string; readonly worded: Test | undefined } {
  const all = test.kind === "and" ? test.of : [test];
  const worded = all.filter(asksWords);
  const where = sqlOf({ kind: "and", of: all.filter((one) => !asksWords(one)) });
  return { where, worded: worded.length > 1 ? { kind: "and", of: worded } : worded[0] };
}

class Reader {
  readonly #lance: Lance;
  readonly #table: Table;
  readonly #shared: Shared;

  constructor(lance: Lance, table: Table, shared: Shared) {
    this.#lance = lance;
    this.#table = table;
    this.#shared = shared;
  }

  async #idsWhere(where: string): Promise<ReadonlySet<string>> {
    const rows = (await this.#table.query().where(`place = 0 AND ${where}`).select(["id"]).toArray()) as Row[];
    return new Set(rows.map(({ id }) => id));
  }

  #byText(query: FullTextQuery, columns: string[], where = "true"): ReturnType<Query["toArrow"]> {
    const found = this.#table.query().fullTextSearch(query);
    return (where === "true" ? found : found.where(where)).select(columns).limit(mostRows).toArrow();
  }

  async #idsByText(query: FullTextQuery): Promise<ReadonlySet<string>> {
    return new Set<string>((await this.#byText(query, ["id", "_score"])).getChild("id") ?? []);
  }

  /** What the full text index answers in one look: a word or a phrase, one of many words, or all of them. */
  #textQuery(test: Test): FullTextQuery | undefined {
    const { BooleanQuery, MatchQuery, Occur, PhraseQuery } = this.#lance;
    if (test.kind === "words") {
      const { words, field, prefix } = test;
      if (prefix || field === "abstract" || words.length === 0) return undefined;
      const column = field === "title" ? "title" : "words";
      return words.length === 1 ? new MatchQuery(words[0]!, column) : new PhraseQuery(words.join(" "), column);
    }
    if ((test.kind !== "and" && test.kind !== "or") || test.of.length < 2) return undefined;
    const words = test.of.flatMap((one) => (isSingleWord(one) ? one.words : []));
    if (words.length < test.of.length) return undefined;
    if (test.kind === "or") return new MatchQuery(words.join(" "), "words");
    // A match with the operator AND passes over words that a part of the index has never seen, and gives what lacks them.
    return new BooleanQuery(words.map((word) => [Occur.Must, new MatchQuery(word, "words")]));
  }

  async #idsOfWords({ words, field, prefix }: Words): Promise<ReadonlySet<string>> {
    if (words.length === 0) return new Set();
    // A beginning is found by looking at all; so is what stands behind the title, among few.
    if (prefix) return this.#idsWhere(beginningSql(words, field));
    const found = await this.#idsByText(this.#textQuery({ kind: "words", words, field: "text", prefix })!);
    const behind = new Set<string>();
    for (const ids of inParts(found, mostInCondition)) {
      for (const id of await this.#idsWhere(`(${anyOf(ids)}) AND ${beginningSql([...words, ""], field)}`))
        behind.add(id);
    }
    return behind;
  }

  async ids(test: Test): Promise<Ids> {
    if (!asksWords(test)) {
      return test.kind === "everything"
        ? { out: true, ids: new Set() }
        : { out: false, ids: await this.#idsWhere(sqlOf(test)) };
    }
    const query = this.#textQuery(test);
    if (query !== undefined) return { out: false, ids: await this.#idsByText(query) };
    if (test.kind === "words") return { out: false, ids: await this.#idsOfWords(test) };
    if (test.kind === "not") return not(await this.ids(test.of));
    const { kind, of } = test as Extract<Test, { kind: "and" | "or" }>;
    const single = of.filter(isSingleWord);
    const parts = single.length < 2 ? of : [{ kind, of: single }, ...of.filter((one) => !isSingleWord(one))];
    const all = await Promise.all(parts.map((one) => this.ids(one)));
    return all.reduce(kind === "and" ? intersection : union);
  }

  async #split(test: Test): Promise<Narrowed> {
    const { where, worded } = parted(test);
    return { where, ids: worded && (await this.ids(worded)) };
  }

  async narrowed({ condition, filters }: Wanted): Promise<Narrowed> {
    const { where, ids } = await this.#split(testOf(condition, filters));
    const few = ids !== undefined && ids.ids.size <= mostInCondition;
    if (!few) return { where, ids };
    const named = ids.ids.size === 0 ? "false" : anyOf(ids.ids);
    return { where: `(${where}) AND ${ids.out ? "NOT " : ""}(${named})`, ids: undefined };
  }

  async byWords(words: readonly string[], wanted: Wanted): Promise<Found[]> {
    if (words.length === 0) return [];
    const { where, ids } = await this.narrowed(wanted);
    // Which of many are in is known only afterwards; then all are read. Of a small table all cost as much as few.
    if ((where === "true" && this.#shared.vectors.isSmall()) || ids !== undefined) {
      const all = await this.#scored(words, where, mostRows);
      return bestFirst(ids === undefined ? [...all] : all.filter(({ id }) => has(ids, id)), wanted.limit);
    }
    return bestFirst([...(await this.#scored(words, where, Math.max(1, wanted.limit)))], wanted.limit);
  }

  /** Documents with any of these words; those who ask the same at once are given the same. */
  #scored(words: readonly string[], where: string, limit: number): Promise<readonly Scored[]> {
    const text = [...new Set(words)].sort().join(" ");
    const key = `${limit} ${text}\n${where}`;
    const begun = this.#shared.asked.get(key);
    if (begun !== undefined) return begun;
    const query = this.#table.query().fullTextSearch(new this.#lance.MatchQuery(text, "words"));
    const rows = (where === "true" ? query : query.where(where)).select(["id", "_score"]).limit(limit).toArrow();
    const scored = rows.then((found) => {
      const [ids, scores] = [found.getChild("id")!, found.getChild("_score")!];
      return Array.from({ length: found.numRows }, (_, i): Scored => ({ id: ids.get(i), score: scores.get(i) }));
    });
    this.#shared.asked.set(key, scored);
    // No longer: what is committed meanwhile is seen by those who ask then.
    setImmediate(() => this.#shared.asked.delete(key));
    return scored;
  }

  async byVector(vector: Float32Array, wanted: Wanted): Promise<Found[]> {
    const { where, ids } = await this.narrowed(wanted);
    const held = await this.#shared.vectors.of(this.#table);
    if (held !== undefined) {
      if (where === "true" && ids === undefined) return held.nearest(vector, wanted.limit);
      const met = where === "true" ? undefined : await this.#idsWhere(where);
      const isWanted = (id: string): boolean => met?.has(id) !== false && (ids === undefined || has(ids, id));
      return held.nearest(vector, wanted.limit, isWanted);
    }
    let most = Math.max(1, Math.ceil(wanted.limit * passagesADocument));
    // Until there are enough documents among the nearest passages, or no more passages.
    for (;;) {
      const query = this.#table
        .query()
        .nearestTo(vector)
        .distanceType("cosine")
        .nprobes(probesOf(this.#shared.vectors.rows()))
        .refineFactor(Math.max(refined, Math.ceil(leastRefined / most)))
        .select(["id", "start", "end", "_distance"])
        .limit(most);
      // Rows without a vector have no distance, and are left out by themselves: to ask for it would read every vector.
      const rows = where === "true" ? query : query.where(where);
      const found = (await rows.toArray()) as (Row & { _distance: number })[];
      const best = new Map<string, Found>();
      for (const { id, start, end, _distance } of found) {
        if (ids !== undefined && !has(ids, id)) continue;
        const score = 1 - _distance;
        if ((best.get(id)?.score ?? -Infinity) < score) best.set(id, { id, score, passage: { start, end } });
      }
      if (best.size >= wanted.limit || found.length < most) {
        return bestFirst([...best.values()], wanted.limit);
      }
      most *= 4;
    }
  }

  async #total(test: Test): Promise<number> {
    const any = anyWords(test);
    if (any !== undefined && this.#shared.vectors.isSmall()) return (await this.#scored(any, "true", mostRows)).length;
    const { where: plain, worded } = parted(test);
    const query = worded && this.#textQuery(worded);
    if (query !== undefined) return (await this.#byText(query, ["_score"], plain)).numRows;
    const { where, ids } = await this.#split(test);
    if (ids === undefined) return this.#table.countRows(`place = 0 AND ${where}`);
    if (where === "true") return ids.out ? (await this.#table.countRows("place = 0")) - ids.ids.size : ids.ids.size;
    return [...(await this.#idsWhere(where))].filter((id) => has(ids, id)).length;
  }

  async matching(wanted: Wanted): Promise<{ total: number; ids: string[] }> {
    if (wanted.limit <= 0) return { total: await this.#total(testOf(wanted.condition, wanted.filters)), ids: [] };
    const { where, ids } = await this.narrowed(wanted);
    const rows = (await this.#table.query().where(`place = 0 AND ${where}`).select(["id", "date"]).toArray()) as {
      id: string;
      date: string | null;
    }[];
    const found = rows.filter(({ id }) => ids === undefined || has(ids, id)).map(({ id, date }) => ({ id, date }));
    return { total: found.length, ids: newestFirst(found, wanted.limit) };
  }

  async get(ids: readonly string[], vectors = true): Promise<(StoredDocument | undefined)[]> {
    const found = new Map<string, { document?: IndexedDocument; count: number; passages: Passage[] }>();
    const columns = ["id", "place", "start", "end", "passages", "data", ...(vectors ? ["vector"] : [])];
    for (const some of inParts(new Set(ids), mostInCondition)) {
      const rows = (await this.#table.query().where(anyOf(some)).select(columns).toArray()) as Row[];
      for (const { id, place, start, end, passages, data, vector } of rows) {
        const one = found.get(id) ?? { count: 0, passages: [] };
        found.set(id, one);
        one.passages[place] =
          vectors && vector != null ? { start, end, vector: Float32Array.from(vector) } : { start, end };
        one.count = passages;
        if (data !== null) one.document = parsed(data, id);
      }
    }
    return ids.map((id) => {
      const one = found.get(id);
      return one?.document && { document: one.document, passages: one.passages.slice(0, one.count) };
    });
  }

  async allIds(): Promise<ReadonlySet<string>> {
    return this.#idsWhere("true");
  }
}

/** LanceDB wants a limit with full text; no index has more rows. */
const mostRows = 100_000_000;

function parsed(data: string, id: string): IndexedDocument {
  try {
    return JSON.parse(data) as IndexedDocument;
  } catch (cause) {
    throw new DataError(`document ${id}: expected one that can be read, got a damaged one`, {
      hint: "the index is damaged: make it again with galen index",
      cause,
    });
  }
}

/**
 * @param width numbers in a vector; 0: passages have none.
 * @param held rows of a table whose vectors are held in memory.
 * @throws ConfigError where LanceDB is not installed.
 */
export async function openLanceStore(folder: string, width: number, held = approximateFrom): Promise<StoreWriter> {
  const lance = await load(folder);
  // Every read looks for a newer version first.
  const db = await lance.connect(folder, { readConsistencyInterval: 0 });
  let opened: Table | undefined;
  const table = async (): Promise<Table | undefined> => {
    if (opened === undefined && (await db.tableNames()).includes(tableName)) opened = await db.openTable(tableName);
    return opened;
  };
  const shared: Shared = { vectors: vectorsInMemory(Math.max(1, width), held), asked: new Map() };
  const read = async <T>(ask: (reader: Reader) => Promise<T>, signal?: AbortSignal): Promise<T | undefined> => {
    signal?.throwIfAborted();
    const there = await table();
    if (there === undefined) return undefined;
    const reader = new Reader(lance, there, shared);
    return ask(reader).catch(() => {
      // A writer may have removed the version that was read: it is asked of the next.
      signal?.throwIfAborted();
      return ask(reader);
    });
  };
  const writable = async (): Promise<Table> => (opened = (await table()) ?? (await createTable(lance, db, width)));
  const get = async (ids: readonly string[], vectors?: boolean): Promise<(StoredDocument | undefined)[]> =>
    (await read((one) => one.get(ids, vectors))) ?? ids.map(() => undefined);
  const optimise = async (onProgress?: (text: string) => void): Promise<void> => {
    const there = await table();
    if (there === undefined) return;
    const stale = await staleIndexes(there, width);
    if (stale === undefined) return;
    for (const [column, config] of stale) {
      onProgress?.(`making the index of ${column}`);
      await there.createIndex(column, { config: config(lance.Index) });
    }
    onProgress?.("joining what was added");
    // Nobody looks at an old version for longer than a call, which is asked again where its files are gone.
    await there.optimize();
    await there.optimize({ cleanupOlderThan: new Date() });
  };
  return {
    count: async () => (await (await table())?.countRows("place = 0")) ?? 0,
    byWords: async (words, wanted) => (await read((one) => one.byWords(words, wanted), wanted.signal)) ?? [],
    byVector: async (vector, wanted) => (await read((one) => one.byVector(vector, wanted), wanted.signal)) ?? [],
    matching: async (wanted) => (await read((one) => one.matching(wanted), wanted.signal)) ?? { total: 0, ids: [] },
    get,
    async *all(signal) {
      const ids = (await read((one) => one.allIds(), signal)) ?? new Set<string>();
      for (const some of inParts(ids, mostInCondition)) {
        signal?.throwIfAborted();
        for (const one of await get(some)) if (one !== undefined) yield one;
      }
    },
    async put(documents) {
      if (documents.length === 0) return;
      const there = await writable();
      const latest = [...new Map(documents.map((one) => [one.document.id, one])).values()];
      const rows = latest.flatMap(rowsOf) as unknown as Record<string, unknown>[];
      const ids = latest.map(({ document }) => document.id);
      let known = 0;
      for (const some of inParts(ids, mostInCondition)) known += await there.countRows(anyOf(some));
      if (known === 0) await there.add(rows);
      else {
        // What is replaced goes, and what replaces it comes, in one commit.
        await there
          .mergeInsert(["id", "place"])
          .whenMatchedUpdateAll()
          .whenNotMatchedInsertAll()
          .whenNotMatchedBySourceDelete({ where: anyOf(ids) })
          .execute(rows);
      }
      if (await isMostlyOutside(there)) await optimise();
    },
    async delete(ids) {
      const there = await table();
      if (there === undefined || ids.length === 0) return 0;
      const all = [...new Set(ids)];
      let count = 0;
      const present: string[] = [];
      for (const some of inParts(all, mostInCondition)) {
        const found = await there.countRows(`place = 0 AND ${anyOf(some)}`);
        if (found > 0) present.push(...some);
        count += found;
      }
      // In one commit, however many they are; a list of all that PubMed ever took out names few that are here.
      if (count > 0) await there.delete(anyOf(present));
      return count;
    },
    optimise,
    async [Symbol.asyncDispose]() {
      opened?.close();
      db.close();
    },
  };
}
