import { afterEach, describe, expect, test, vi } from "vitest";
import * as fc from "fast-check";
import { UsageError } from "../errors.ts";
import { type Given, indexedDocument, memoryIndex } from "../../test/support/memory-index.ts";
import { answer, ask } from "./ask.ts";
import type { Answer, AnswerEvent } from "./types.ts";

const filler: Given[] = Array.from({ length: 60 }, (_, i) => ({
  id: `9${i}`,
  title: `Soil sample ${i} of a meadow`,
  abstract: `The meadow ${i} was mown in summer. Grasses of field ${i} were counted by hand and dried afterwards.`,
}));
const given: Given[] = [
  {
    id: "101",
    title: "Apixaban and intracranial bleeding in atrial fibrillation",
    abstract: [
      ["BACKGROUND", "We aimed to assess whether apixaban lowers intracranial bleeding in atrial fibrillation."],
      ["METHODS", "A total of 900 patients with atrial fibrillation were randomised to apixaban or warfarin."],
      ["RESULTS", "Apixaban reduced intracranial bleeding by 42 % in atrial fibrillation."],
      ["CONCLUSIONS", "Does apixaban reduce intracranial bleeding in atrial fibrillation?"],
    ],
  },
  { id: "102", abstract: "Apixaban reduced intracranial bleeding by 42 % in atrial fibrillation." },
  {
    id: "103",
    title: "Apixaban raises intracranial bleeding in atrial fibrillation",
    abstract: "Apixaban did not reduce intracranial bleeding in atrial fibrillation, but raised it tenfold.",
    more: { retracted: true },
  },
  {
    id: `104"'<b>`,
    abstract: "Warfarin and apixaban did not reduce intracranial bleeding in atrial fibrillation.",
  },
];
const index = await memoryIndex([...given, ...filler].map(indexedDocument));
const question = "Does apixaban reduce intracranial bleeding in atrial fibrillation?";
const idsOf = ({ sentences }: Answer): string[] => sentences.flatMap(({ citations }) => citations.map(({ id }) => id));
afterEach(() => vi.restoreAllMocks());

describe("an answer of quotations", () => {
  test("quotes sentences as they stand, each with its place", async () => {
    const found = await answer(index, question);
    expect(found.found).toBe(true);
    expect(found.sentences[0]!.text).toBe("Apixaban reduced intracranial bleeding by 42 % in atrial fibrillation.");
    for (const { text, citations } of found.sentences) {
      for (const { id, start, end, quote } of citations) {
        const [document] = await index.documents([id]);
        expect(document!.text.slice(start, end)).toBe(quote);
      }
      expect(citations[0]!.quote).toBe(text);
    }
  });

  test("what several documents say is said once, with all of them", async () => {
    const { sentences } = await answer(index, question);
    const places = sentences[0]!.citations.map(({ id }) => id).sort();
    expect(places).toEqual(["101", "102"]);
  });

  test("an aim and a question are no answer, however many words they share", async () => {
    const { sentences } = await answer(index, question, { sentences: 20 });
    expect(sentences.map(({ text }) => text).filter((text) => /aimed|\?$/.test(text))).toEqual([]);
  });

  test("what a study will ask, a supposition and a pointer elsewhere are no answer", async () => {
    const texts = [
      "The trial tests whether apixaban reduces intracranial bleeding in atrial fibrillation.",
      "If it were so, apixaban would reduce intracranial bleeding in atrial fibrillation.",
      "See the pages on apixaban that is given in atrial fibrillation for intracranial bleeding.",
      "This summary is about apixaban and intracranial bleeding in atrial fibrillation.",
    ];
    const own = await memoryIndex(
      [...texts.map((abstract, i) => ({ id: `a${i}`, abstract })), ...filler].map(indexedDocument),
    );
    expect(await answer(own, question)).toMatchObject({ found: false, sentences: [] });
  });

  test("a third sentence of one document waits for those of others", async () => {
    const many = (...who: readonly string[]): string =>
      who.map((one) => `Apixaban reduces intracranial bleeding in atrial fibrillation ${one}.`).join(" ");
    const own = await memoryIndex(
      [
        {
          id: "a",
          abstract: many(
            "among retired farmers, yearly",
            "after hip surgery at night",
            "when taken before breakfast daily",
          ),
        },
        {
          id: "b",
          abstract: many("of young sailors abroad", "where warfarin costs too much", "if kidneys work poorly"),
        },
        ...filler,
      ].map(indexedDocument),
    );
    const { sentences } = await answer(own, question, { sentences: 4 });
    expect(sentences.map(({ citations }) => citations[0]!.id).sort()).toEqual(["a", "a", "b", "b"]);
  });

  test("of a full text what stands far from its best passage is read, too", async () => {
    const asks = "We asked whether apixaban reduces intracranial bleeding in atrial fibrillation.";
    const finding = "Apixaban reduced intracranial bleeding by half in patients with atrial fibrillation.";
    const methods = Array.from(
      { length: 150 },
      (_, i) => `Ward ${i} kept its own list of the visits that were missed.`,
    );
    const article = { id: "full", title: "Bleeding", abstract: [asks, ...methods, finding].join(" ") };
    const own = await memoryIndex([article, ...filler].map(indexedDocument));
    expect(article.abstract.length).toBeGreaterThan(8000);
    expect((await answer(own, question)).sentences[0]!.text).toBe(finding);
  });

  test("a retracted document is left out and named, unless it is asked for", async () => {
    const without = await answer(index, question, { sentences: 20 });
    expect(idsOf(without)).not.toContain("103");
    expect(without.notes.join()).toMatch(/retracted, left out: 103/);
    const withIt = await answer(index, question, { sentences: 20, retracted: true });
    const cited = withIt.sentences.flatMap(({ citations }) => citations).find(({ id }) => id === "103");
    expect(cited?.retracted).toBe(true);
    expect(idsOf(await answer(index, question, { filters: { retracted: true } }))).toEqual(
      expect.arrayContaining(["103"]),
    );
  });

  test("what the index does not hold is not found, and the nearest are named", async () => {
    const found = await answer(index, "What is the role of SDE2 in bleeding of zebrafish?");
    expect(found).toMatchObject({ found: false, sentences: [], documents: 64 });
    expect(found.notes).toContain("not found in these 64 documents; the nearest are listed");
    expect(found.nearest.length).toBeGreaterThan(0);
  });

  test("every sentence that is shown has a citation", async () => {
    const { sentences } = await answer(index, question, { sentences: 50 });
    for (const { citations } of sentences) expect(citations.length).toBeGreaterThan(0);
  });

  test("sides of a question that asks whether stand apart", async () => {
    const { verdict, notes } = await answer(index, question, { sentences: 5 });
    expect(verdict!.yes.map(({ text }) => text)).toContain(
      "Apixaban reduced intracranial bleeding by 42 % in atrial fibrillation.",
    );
    expect(verdict!.no.map(({ text }) => text)).toEqual([
      "Warfarin and apixaban did not reduce intracranial bleeding in atrial fibrillation.",
    ]);
    const { yes, no, maybe } = verdict!.shares!;
    expect(yes + no + maybe).toBeCloseTo(1);
    expect(notes).toContain("the evidence disagrees");
    expect((await answer(index, "Which drug reduces intracranial bleeding?")).verdict).toBeUndefined();
  });

  test("events come in order, and the last has them all", async () => {
    const events: AnswerEvent[] = [];
    for await (const event of ask(index, question)) events.push(event);
    expect(events[0]!.type).toBe("nearest");
    const last = events.at(-1)!;
    if (last.type !== "done") throw new Error(`expected done, got ${last.type}`);
    expect(events.filter((one) => one.type === "sentence").map((one) => one.sentence)).toEqual(last.answer.sentences);
  });

  test("a reranker puts what passes in order, and lets nothing else in", async () => {
    const rerank = async (_: string, texts: readonly string[]) =>
      Float64Array.from(texts, (text) => (text.startsWith("Warfarin") ? 1 : 0));
    const reranked = await memoryIndex([...given, ...filler].map(indexedDocument), { rerank });
    const [plain, ordered] = [await answer(index, question), await answer(reranked, question)];
    expect(ordered.sentences[0]!.text).toMatch(/^Warfarin/);
    expect(new Set(idsOf(ordered))).toEqual(new Set(idsOf(plain)));
  });

  test("marks and operators in a question mean nothing", async () => {
    const odd = await answer(index, `(("apixaban"[ti] AND) NOT: intracranial* bleeding in atrial fibrillation?]`);
    expect(odd.found).toBe(true);
  });

  test("a question without words, or too long, is refused", async () => {
    await expect(answer(index, " ?! ")).rejects.toThrow(UsageError);
    await expect(answer(index, "a".repeat(2001))).rejects.toThrow(/at most 2000 characters/);
  });

  test("an answer that is stopped ends with the reason", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(answer(index, question, { signal: stop.signal })).rejects.toThrow("enough");
  });

  test("no connection is opened", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    await answer(index, question);
    expect(fetched).not.toHaveBeenCalled();
  });
});

describe("an answer that a model writes", () => {
  test("what is supported is shown; what is not is withheld with its reason, and the evidence stands", async () => {
    const good = await answer(index, question, {
      writer: { write: async () => "Apixaban reduced intracranial bleeding by 42 %." },
      sentences: 1,
    });
    expect(good.kind).toBe("written");
    expect(good.sentences[0]!.text).toBe("Apixaban reduced intracranial bleeding by 42 %.");
    const bad = await answer(index, question, {
      writer: { write: async () => "Apixaban reduced intracranial bleeding by 90 %." },
      sentences: 1,
    });
    expect(bad.withheld[0]!.reason).toBe("the passage does not say 90 %");
    expect(bad.sentences[0]!.text).toBe(bad.sentences[0]!.citations[0]!.quote);
  });

  test("whatever a decoder writes, it cites only what is there, and its identifiers are never shown", async () => {
    const known = new Set([...given, ...filler].map(({ id }) => id));
    const hostile = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.nat(99_999_999).map((pmid) => `Apixaban reduced intracranial bleeding (PMID: ${pmid}).`),
      fc.nat(99_999_999).map((pmid) => `Apixaban reduced bleeding by 42 % https://pubmed.ncbi.nlm.nih.gov/${pmid}`),
      fc.nat(99_999_999).map((pmid) => `Apixaban reduced intracranial bleeding ${pmid}.`),
      fc.constant("Apixaban reduced intracranial bleeding [3], as Smith et al showed (doi 10.1000/182)."),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const found = await answer(index, question, { writer: { write: async () => text } });
        for (const { text: shown, citations } of [...found.sentences, ...found.withheld]) {
          expect(citations.length).toBeGreaterThan(0);
          for (const { id, start, end, quote } of citations) {
            expect(known.has(id)).toBe(true);
            expect((await index.documents([id]))[0]!.text.slice(start, end)).toBe(quote);
          }
          if (found.sentences.some((one) => one.text === shown))
            expect(shown).not.toMatch(/pmid|https?:|doi|\d{5}|\[3\]/i);
        }
      }),
      { seed: 13, numRuns: 200 },
    );
  });
});
