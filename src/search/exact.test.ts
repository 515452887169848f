/** The exact store: what it finds in documents of which the answer is known. What its files survive: index-documents.test.ts. */
import { describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { createExactStore } from "./exact.ts";
import type { Condition, StoredDocument, WordField } from "./store.ts";
import type { IndexedDocument } from "./types.ts";
import { wordsOf } from "./words.ts";

/** A document that is one passage. */
function stored(
  id: string,
  title: string,
  abstract: string,
  more: Partial<IndexedDocument>,
  vector: readonly number[],
): StoredDocument {
  const document = indexedDocument({ id, title, abstract, more });
  return { document, passages: [{ start: 0, end: document.text.length, vector: Float32Array.from(vector) }] };
}

const everything: Condition = { kind: "everything" };
const phrase = (field: WordField, text: string): Condition => ({
  kind: "words",
  field,
  words: wordsOf(text),
  prefix: false,
});

const three = [
  stored(
    "1",
    "Aspirin and stroke",
    "Aspirin reduces stroke. Heart failure was rare.",
    { date: "2019-03", mesh: ["Aspirin"] },
    [1, 0],
  ),
  stored("2", "Heart failure", "Failing hearts were studied in mice.", { date: "2021", authors: ["Smith JA"] }, [0, 1]),
  stored("3", "Mice", "Nothing else.", { authors: ["Smithson B"], retracted: true }, [Math.SQRT1_2, Math.SQRT1_2]),
];

describe("searching", () => {
  test("words are ranked by BM25, those of other documents left out", async () => {
    const store = createExactStore();
    await store.put(three);
    const found = await store.byWords(["heart", "failur"], { condition: everything, limit: 10 });
    expect(found.map(({ id }) => id)).toEqual(["2", "1"]);
  });

  test.each([
    ["a phrase in the title", phrase("title", "heart failure"), ["2"]],
    ["a phrase outside the title", phrase("abstract", "heart failure"), ["1"]],
    ["a phrase anywhere", phrase("text", "heart failure"), ["2", "1"]],
    ["no phrase across the title's end", phrase("text", "stroke aspirin"), []],
    ["a beginning", { kind: "words", field: "text", words: ["aspirin", "red"], prefix: true }, ["1"]],
    ["an author's last name", { kind: "value", field: "author", value: "Smith", prefix: false }, ["2"]],
    ["an author's first initial", { kind: "value", field: "author", value: "smith j", prefix: false }, ["2"]],
    ["an author's beginning", { kind: "value", field: "author", value: "smith", prefix: true }, ["2", "3"]],
    ["a year", { kind: "dates", first: "2019", last: "2019" }, ["1"]],
    ["a month of a year that is all we know", { kind: "dates", first: "2021-05", last: "2021-05" }, ["2"]],
    ["what is not so", { kind: "not", of: { kind: "dates", first: null, last: null } }, ["3"]],
    ["nothing of no word", { kind: "words", field: "text", words: [], prefix: false }, []],
  ] as const)("finds %s, newest first", async (_, condition, ids) => {
    const store = createExactStore();
    await store.put(three);
    expect(await store.matching({ condition, limit: 10 })).toEqual({ total: ids.length, ids });
  });

  test("filters hold without case, and vectors are compared exactly", async () => {
    const store = createExactStore();
    await store.put(three);
    const filters = { mesh: ["ASPIRIN"], years: [2019, null], retracted: false } as const;
    expect((await store.matching({ condition: everything, filters, limit: 9 })).ids).toEqual(["1"]);
    const found = await store.byVector(Float32Array.of(0, 1), { condition: everything, limit: 2 });
    expect(found.map(({ id, score }) => [id, score])).toEqual([
      ["2", 1],
      ["3", Math.fround(Math.SQRT1_2)],
    ]);
  });

  test("a document that is put again or deleted leaves no word behind", async () => {
    const store = createExactStore();
    await store.put(three);
    await store.put([stored("2", "Kidneys", "Renal.", {}, [1, 0])]);
    expect(await store.delete(["1", "1", "none"])).toBe(1);
    expect(await store.count()).toBe(2);
    expect(await store.byWords(["heart", "stroke"], { condition: everything, limit: 10 })).toEqual([]);
    expect((await store.byWords(["renal"], { condition: everything, limit: 10 })).map(({ id }) => id)).toEqual(["2"]);
    expect(await store.get(["2", "1"])).toEqual([stored("2", "Kidneys", "Renal.", {}, [1, 0]), undefined]);
  });
});
