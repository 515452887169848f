/** Search over a store: modes, fusion, reranking, totals, facets, highlights, similar documents, and what is said of them. */
import { describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { ConfigError, DataError, UsageError } from "../errors.ts";
import { createExactStore } from "./exact.ts";
import { searchStore, type SearchParts } from "./over-store.ts";
import type { IndexedDocument } from "./types.ts";

const documentOf = (
  id: string,
  title: string,
  abstract: string,
  more: Partial<IndexedDocument> = {},
): IndexedDocument => indexedDocument({ id, title, abstract, more });

const documents: IndexedDocument[] = [
  documentOf("1", "Metformin and heart failure", "Metformin lowered mortality in heart failure.", {
    date: "2019-03",
    year: 2019,
    types: ["Randomized Controlled Trial"],
    journal: "Heart",
    authors: ["Smith JA"],
    language: "eng",
    mesh: ["Heart Failure", "Metformin"],
  }),
  documentOf("2", "Statins after stroke", "Statins reduced recurrence of stroke. Mortality did not change.", {
    date: "2021-05-02",
    year: 2021,
    types: ["Review"],
    journal: "Stroke",
    authors: ["Jones B"],
    language: "eng",
    mesh: ["Stroke"],
    retracted: true,
  }),
  documentOf("3", "Insulin in children", "Insulin pumps in children with diabetes.", {
    date: "2015",
    year: 2015,
    journal: "Heart",
    language: "ger",
    fields: { arm: "a" },
  }),
  documentOf("4", "Aspirin", "Aspirin and heart attacks; failures of the heart.", {
    date: "2022",
    year: 2022,
    authors: ["Smith B"],
    fields: { arm: "b" },
  }),
];
/** A vector says how much a text is of hearts, of children and of the rest. */
const vectorOf = (text: string): Float32Array => {
  const count = (form: RegExp): number => text.toLowerCase().match(form)?.length ?? 0;
  const [x, y, z] = [count(/heart|cardi/g), count(/child|paediatric/g), 0.5];
  const norm = Math.hypot(x, y, z);
  return Float32Array.of(x / norm, y / norm, z / norm);
};
const store = createExactStore();
await store.put(
  documents.map((document) => ({
    document,
    passages: document.sections.map(({ start, end }) => ({
      start,
      end,
      vector: vectorOf(document.text.slice(start, end)),
    })),
  })),
);
const words: SearchParts = { folder: "index", store };
const dense: SearchParts = { ...words, embed: async (_, texts) => texts.map(vectorOf) };
const idsOf = ({ hits }: { readonly hits: readonly { readonly id: string }[] }): string[] => hits.map(({ id }) => id);

describe("modes", () => {
  test("what matches is not counted where nobody asks", async () => {
    const { hits, total } = await searchStore(words).search("metformin mortality", { total: false });
    expect([hits.length, total]).toEqual([2, null]);
  });

  test("of a long document the passage with the words is shown, and the first where there are none", async () => {
    const long = createExactStore();
    const document = documentOf("1", "", "Nothing here. Nothing there. Aspirin is here.", { authors: ["Smith JA"] });
    const passages = [
      { start: 0, end: 13 },
      { start: 14, end: 28 },
      { start: 29, end: 45 },
    ];
    await long.put([{ document, passages }]);
    await using index = searchStore({ folder: "index", store: long });
    expect((await index.search("aspirin")).hits).toMatchObject([{ start: 29, passage: "Aspirin is here." }]);
    expect((await index.search("smith[au]")).hits).toMatchObject([{ start: 0, passage: "Nothing here." }]);
  });

  test("text ranks documents with any of the words, and counts them", async () => {
    const result = await searchStore(words).search("metformin mortality");
    expect(result.mode).toBe("text");
    expect(idsOf(result)).toEqual(["1", "2"]);
    expect(result.total).toBe(2);
    expect(result.hits[0]!.ranks).toEqual({ text: 1 });
    expect(result.understood).toBe("any of: metformin, mortality");
  });

  test("dense finds what shares no word, and has no total", async () => {
    const result = await searchStore(dense).search("paediatric", { mode: "dense", limit: 1 });
    expect(idsOf(result)).toEqual(["3"]);
    expect(result.total).toBeNull();
    expect(result.hits[0]!.ranks).toEqual({ dense: 1 });
  });

  test("hybrid is the default with vectors, by reciprocal ranks", async () => {
    const result = await searchStore(dense).search("cardiac mortality");
    expect(result.mode).toBe("hybrid");
    for (const { ranks, score } of result.hits) {
      const sum = [ranks.text, ranks.dense].reduce<number>(
        (all, rank) => all + (rank === undefined ? 0 : 1 / (10 + rank)),
        0,
      );
      expect(score).toBeCloseTo(sum, 12);
    }
    expect(idsOf(result)).toHaveLength(4);
    expect(result.total).toBe(2);
  });

  test("without vectors a dense search is one by words, and says so", async () => {
    const result = await searchStore(words).search("metformin", { mode: "dense" });
    expect(result.mode).toBe("text");
    expect(result.notes.join()).toContain("no vectors");
    await expect(searchStore(words).embed("query", ["a"])).rejects.toThrow(ConfigError);
  });
});

describe("conditions and filters", () => {
  test.each([
    ["heart AND failure", ["1", "4"]],
    ['"heart failure"[ti] AND 2019:2024[dp]', ["1"]],
    ["heart NOT metformin", ["4"]],
    ["smith[au]", ["4", "1"]],
    ["metformin OR jones b[au]", ["1", "2"]],
    ["mortality AND stroke[mh]", ["2"]],
    ["a[field:arm]", ["3"]],
    ["insul*", ["3"]],
    ["", ["4", "2", "1", "3"]],
  ])("%s", async (query, ids) => {
    const result = await searchStore(words).search(query);
    expect(idsOf(result)).toEqual(ids);
    expect(result.total).toBe(ids.length);
    expect(new Set(idsOf(await searchStore(dense).search(query)))).toEqual(new Set(ids));
  });

  test("filters hold beside the query", async () => {
    const index = searchStore(dense);
    expect(idsOf(await index.search("heart", { filters: { years: [2020, null] } }))).toEqual(["4", "2"]);
    expect(idsOf(await index.search("mortality", { filters: { retracted: false }, mode: "text" }))).toEqual(["1"]);
    await expect(index.search("a[field:arm]", { filters: { fields: { arm: "b" } } })).rejects.toThrow(UsageError);
  });

  test("a query without words to rank by comes newest first, and says so", async () => {
    const { notes, hits } = await searchStore(dense).search("smith[au]");
    expect(notes).toContain("no words to rank by: newest first");
    expect(hits.map(({ score }) => score)).toEqual([0, 0]);
  });

  test.each([[{ limit: 0 }], [{ limit: 1.5 }], [{ offset: -1 }], [{ limit: 10_001 }], [{ limit: Number.NaN }]])(
    "%j is refused",
    async (options) => expect(searchStore(words).search("a", options)).rejects.toThrow(UsageError),
  );

  test("a search that is no longer wanted ends", async () => {
    await expect(searchStore(words).search("heart", { signal: AbortSignal.abort() })).rejects.toThrow("abort");
  });
});

describe("hits", () => {
  test("have highlights in title and passage alone, where words of the query stand in any form", async () => {
    const { hits } = await searchStore(words).search("heart failures");
    for (const { id, highlights, start, end } of hits) {
      const { text, title } = documents.find((one) => one.id === id)!;
      expect(highlights.length).toBeGreaterThan(0);
      for (const [from, to] of highlights) {
        expect(text.slice(from, to).toLowerCase()).toMatch(/^(?:heart|failures?)$/);
        expect(to <= title.length || (from >= start && to <= end)).toBe(true);
      }
    }
    const marked = (await searchStore(words).search("insul*")).hits[0]!;
    expect(marked.highlights.map(([from, to]) => documents[2]!.text.slice(from, to))).toContain("Insulin");
  });

  test("pages follow one another without overlap", async () => {
    const index = searchStore(dense);
    const whole = idsOf(await index.search("heart mortality"));
    const parts = [];
    for (let offset = 0; offset < 4; offset++)
      parts.push(...idsOf(await index.search("heart mortality", { offset, limit: 1 })));
    expect(parts).toEqual(whole);
  });

  test("that are retracted are marked and named", async () => {
    const { hits, notes } = await searchStore(words).search("stroke");
    expect(hits[0]!.retracted).toBe(true);
    expect(notes).toContain("one hit is retracted: 2");
  });

  test("are counted by value where that is asked for", async () => {
    const { facets } = await searchStore(words).search("heart OR stroke OR insulin", { facets: true, limit: 1 });
    expect(facets!.years).toEqual([2015, 2019, 2021, 2022].map((year) => ({ value: String(year), count: 1 })));
    expect(facets!.journals).toEqual([
      { value: "Heart", count: 2 },
      { value: "Stroke", count: 1 },
    ]);
    expect(facets!.languages[0]).toEqual({ value: "eng", count: 2 });
    expect((await searchStore(words).search("heart")).facets).toBeUndefined();
  });
});

describe("reranking", () => {
  /** Prefers children, whatever the words. */
  const rerank: SearchParts["rerank"] = async (_, texts) => Float64Array.from(texts, (text) => vectorOf(text)[1]! - 5);

  test("orders the first hits by the reranker, with titles before passages", async () => {
    const seen: string[] = [];
    const spy: SearchParts["rerank"] = async (query, texts) => {
      seen.push(query, ...texts);
      return rerank(query, texts);
    };
    const result = await searchStore({ ...dense, rerank: spy }).search("heart");
    expect(idsOf(result)[0]).toBe("3");
    expect(result.hits[0]!.ranks.rerank).toBeCloseTo(result.hits[0]!.score);
    expect(seen[0]).toBe("heart");
    expect(seen.slice(1).every((text) => documents.some(({ title }) => text.startsWith(title)))).toBe(true);
  });

  test("leaves the rest behind the first N, with scores that go down", async () => {
    const { hits } = await searchStore({ ...dense, rerank, reranked: 2 }).search("heart");
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(hits.map(({ ranks }) => ranks.rerank !== undefined)).toEqual([true, true, false, false]);
  });

  test("can be left out", async () => {
    const { hits } = await searchStore({ ...dense, rerank }).search("heart", { rerank: false });
    expect(hits.every(({ ranks }) => ranks.rerank === undefined)).toBe(true);
  });
});

describe("similar documents", () => {
  test("by vectors, without the document itself", async () => {
    const result = await searchStore(dense).similar("1");
    expect(idsOf(result)).toEqual(["4", "2", "3"]);
    expect(result.mode).toBe("dense");
  });

  test("by the most telling words where there are no vectors", async () => {
    const result = await searchStore(words).similar("1");
    expect(result.mode).toBe("text");
    expect(idsOf(result)[0]).toBe("4");
    expect(idsOf(result)).not.toContain("1");
    expect(result.understood).toContain("metformin");
    expect(result.hits[0]!.highlights.length).toBeGreaterThan(0);
  });

  test("by both, fused", async () => {
    const result = await searchStore(dense).similar("1", { mode: "hybrid" });
    expect(result.hits[0]!.ranks).toEqual({ text: 1, dense: 1 });
  });

  test("of a document that is not there are refused, whatever its id", async () => {
    await expect(searchStore(dense).similar("9'; --")).rejects.toThrow(DataError);
  });
});

test("documents come in the order of their ids, and all of them", async () => {
  const index = searchStore(words);
  expect((await index.documents(["3", "x", "1"])).map((one) => one?.id)).toEqual(["3", undefined, "1"]);
  const all: string[] = [];
  for await (const { id } of index.all()) all.push(id);
  expect(all.toSorted()).toEqual(["1", "2", "3", "4"]);
  expect(await index.count()).toBe(4);
});
