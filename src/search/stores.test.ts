/** Both stores give the same for the same documents: the exact one is what the other is measured by. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { createExactStore } from "./exact.ts";
import { openLanceStore } from "./lance.ts";
import type { Condition, Found, StoredDocument, StoreWriter, Wanted } from "./store.ts";
import { noMetadata } from "./documents.ts";
import { wordsOf } from "./words.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-stores-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const isInstalled = await import("@lancedb/lancedb").then(
  () => true,
  () => false,
);

const vocabulary = ["aspirin", "asthma", "heart", "failure", "trial", "infection", "infections", "β", "2", "naïve"];
const word = fc.constantFrom(...vocabulary);
const words = (least: number, most: number): fc.Arbitrary<string> =>
  fc.array(word, { minLength: least, maxLength: most }).map((all) => all.join(" "));
/** Nothing of these may be taken for SQL, a pattern, or the end of something. */
const name = fc.constantFrom("Review", "O'Brien 100%", "a_b", "Trial\\", 'x" OR 1=1', "'; DROP TABLE passages --", "Ä");
const date = fc.constantFrom(null, "2018", "2019", "2019-05", "2019-05-07", "2021-12");
const width = 4;

const stored: fc.Arbitrary<StoredDocument> = fc
  .record({
    id: fc.constantFrom("1", "2", "3", "4", "5", "a'b", "C", "%"),
    title: words(0, 4),
    rest: words(0, 12),
    date,
    types: fc.array(name, { maxLength: 2 }),
    authors: fc.array(fc.constantFrom("Smith JA", "Smithson B", "O'Brien K", "The Group"), { maxLength: 2 }),
    retracted: fc.boolean(),
    phase: fc.constantFrom(1, 2),
    vector: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: width, maxLength: width }),
  })
  .map(({ id, title, rest, vector, phase, ...values }) => {
    const text = [title, rest].filter((part) => part !== "").join("\n\n");
    const norm = Math.hypot(...vector);
    return {
      document: {
        id,
        title,
        text,
        sections: [
          ...(title === "" ? [] : [{ label: "TITLE", start: 0, end: title.length }]),
          { label: null, start: text.length - rest.length, end: text.length },
        ],
        ...noMetadata,
        language: "eng",
        year: values.date === null ? null : Number(values.date.slice(0, 4)),
        source: "test",
        fields: { phase },
        ...values,
      },
      // What is empty has no passage, and no vector finds it.
      passages:
        text === ""
          ? []
          : [
              {
                start: 0,
                end: text.length,
                vector: Float32Array.from(vector, (one) => (norm === 0 ? 0.5 : one / norm)),
              },
            ],
    };
  });

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    kind: fc.constant("words" as const),
    field: fc.constantFrom("text" as const, "title" as const, "abstract" as const),
    words: words(1, 2).map((text) => wordsOf(text)),
    prefix: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("value" as const),
    field: fc.constantFrom("type" as const, "author" as const, "id" as const),
    value: fc.oneof(name, fc.constantFrom("smith", "Smith J", "o'brien", "C", "a'b", "%")),
    prefix: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("dates" as const), first: date, last: date }),
  fc.constant({ kind: "everything" } as const),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    leaf,
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("not" as const), of: tie("condition") }),
  ),
}));
const filters = fc.record(
  {
    years: fc.constantFrom([2019, null] as const, [null, 2019] as const, [2018, 2018] as const),
    types: fc.array(name, { minLength: 1, maxLength: 2 }),
    retracted: fc.boolean(),
    fields: fc.constant({ phase: 1 }),
  },
  { requiredKeys: [] },
);

async function answers(store: StoreWriter, query: readonly string[], wanted: Wanted, vector: Float32Array) {
  const shown = (found: readonly Found[]): object[] =>
    found.map(({ score, ...one }) => ({ ...one, score: Math.round(score * 1e4) / 1e4 || 0 }));
  const byVector = await store.byVector(vector, wanted);
  return {
    matching: await store.matching(wanted),
    words: new Set((await store.byWords(query, wanted)).map(({ id }) => id)),
    vector: new Map(shown(byVector).map((one) => [(one as { id: string }).id, one])),
  };
}

describe.skipIf(!isInstalled)("LanceDB's store, beside the exact one", () => {
  test.each([
    ["held in memory", undefined],
    ["asked of LanceDB", 0],
  ])("any conditions over any documents, vectors %s", { timeout: 300_000 }, async (name, held) => {
    await using lance = await openLanceStore(join(scratch, name), width, held);
    await using exact = createExactStore();
    const question = fc.tuple(condition, filters, words(1, 3).map(wordsOf));
    const round = fc.tuple(
      fc.uniqueArray(stored, { selector: ({ document }) => document.id, minLength: 1, maxLength: 6 }),
      fc.array(fc.constantFrom("1", "2", "a'b", "nobody"), { maxLength: 2 }),
      fc.array(question, { minLength: 3, maxLength: 6 }),
    );
    await fc.assert(
      fc.asyncProperty(round, async ([documents, gone, questions]) => {
        await lance.put(documents);
        await exact.put(documents);
        expect(await lance.delete(gone)).toBe(await exact.delete(gone));
        await lance.optimise();
        expect(await lance.count()).toBe(await exact.count());
        for (const [one, filter, query] of questions) {
          const wanted = { condition: one, filters: filter, limit: 20 };
          const vector = documents[0]!.passages[0]?.vector ?? Float32Array.of(1, 0, 0, 0);
          expect(await answers(lance, query, wanted, vector)).toEqual(await answers(exact, query, wanted, vector));
        }
        const ids = [...documents.map(({ document }) => document.id), "nobody"];
        expect(await lance.get(ids)).toEqual(await exact.get(ids));
      }),
      { seed: 13, numRuns: held === 0 ? 15 : 40 },
    );
  });

  test("ranks as BM25 does, and counts what it ranks", async () => {
    await using lance = await openLanceStore(join(scratch, "ranks"), 0);
    await using exact = createExactStore();
    const documents = fc.sample(stored, { seed: 13, numRuns: 300 }).map(({ document }, i): StoredDocument => {
      const half = Math.floor(document.text.length / 2);
      return {
        document: { ...document, id: `d${i}` },
        passages: [
          { start: 0, end: half },
          { start: half, end: document.text.length },
        ],
      };
    });
    await lance.put(documents);
    await exact.put(documents);
    await lance.optimise();
    for (const query of [["heart"], ["infect", "trial"], ["beta", "2", "asthma"], ["heart", "failur", "aspirin"]]) {
      const wanted: Wanted = { condition: { kind: "everything" }, limit: 50 };
      const [ours, theirs] = [await exact.byWords(query, wanted), await lance.byWords(query, wanted)];
      expect(theirs).toHaveLength(ours.length);
      theirs.forEach(({ score }, i) => expect(score).toBeCloseTo(ours[i]!.score, 4));
      const any = query.map((word): Condition => ({ kind: "words", field: "text", words: [word], prefix: false }));
      const all: Wanted = { condition: { kind: "or", of: any }, limit: 0 };
      expect(await lance.matching(all)).toEqual(await exact.matching(all));
    }
  });

  test("of words together none is passed over where a part of the index has never seen it", async () => {
    await using lance = await openLanceStore(join(scratch, "parts"), 0);
    const documentOf = (id: string, text: string): StoredDocument => {
      const document = indexedDocument({ id, abstract: text });
      return { document, passages: [{ start: 0, end: text.length }] };
    };
    const word = (one: string): Condition => ({ kind: "words", field: "text", words: [one], prefix: false });
    const both: Wanted = { condition: { kind: "and", of: [word("alpha"), word("zeta")] }, limit: 9 };
    await lance.put([documentOf("a", "alpha beta"), documentOf("b", "alpha gamma")]);
    await lance.optimise();
    await lance.put([documentOf("c", "alpha zeta"), documentOf("d", "zeta eta")]);
    expect(await lance.matching(both)).toEqual({ total: 1, ids: ["c"] });
    expect((await lance.byWords(["eta"], { ...both, condition: { kind: "everything" } })).map(({ id }) => id)).toEqual([
      "d",
    ]);
    await lance.optimise();
    expect(await lance.matching(both)).toEqual({ total: 1, ids: ["c"] });
    expect(await lance.matching({ ...both, limit: 0 })).toEqual({ total: 1, ids: [] });
  });

  test("who reads while another puts in order sees what is committed, old versions gone or not", async () => {
    const folder = join(scratch, "order");
    await using writer = await openLanceStore(folder, width);
    await using reader = await openLanceStore(folder, width);
    const all = fc.sample(stored, { seed: 7, numRuns: 120 }).map((one, i) => ({
      ...one,
      document: { ...one.document, id: `d${i}` },
    }));
    await writer.put(all.slice(0, 20));
    let least = 20;
    const over = new AbortController();
    const reading = (async (): Promise<number> => {
      let rounds = 0;
      for (; !over.signal.aborted; rounds++) {
        const before = least;
        const wanted: Wanted = { condition: { kind: "everything" }, limit: 200 };
        expect((await reader.matching(wanted)).total).toBeGreaterThanOrEqual(before);
        await reader.byVector(Float32Array.of(1, 0, 0, 0), wanted);
        await reader.byWords(["heart"], wanted);
        expect(await reader.get(["d3"])).toHaveLength(1);
      }
      return rounds;
    })();
    for (let next = 20; next < all.length; next += 20) {
      await writer.put(all.slice(next, next + 20));
      least = next + 20;
      await writer.optimise();
    }
    over.abort();
    expect(await reading).toBeGreaterThan(1);
    expect(await reader.count()).toBe(all.length);
  });
});
