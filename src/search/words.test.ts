/** Words: how texts are cut, folded and stemmed, and that a full text index of LanceDB makes the same of real texts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { readDocuments } from "../corpus/documents.ts";
import { americanSpelling } from "./spelling.ts";
import { stemEnglish } from "./stem.ts";
import { wordRanges, wordsOf, wordsWithBeginning } from "./words.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-words-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const isInstalled = await import("@lancedb/lancedb").then(
  () => true,
  () => false,
);

describe("stems", () => {
  test.each([
    ["consistency", "consist"],
    ["knackeries", "knackeri"],
    ["generously", "generous"],
    ["arsenic", "arsenic"],
    ["succeeding", "succeed"],
    ["dying", "die"],
    ["news", "news"],
    ["gas", "gas"],
    ["gaps", "gap"],
    ["ties", "tie"],
    ["cries", "cri"],
    ["hopping", "hop"],
    ["hoping", "hope"],
    ["luxuriated", "luxuri"],
    ["agreed", "agre"],
    ["feed", "feed"],
    ["biologically", "biolog"],
    ["hypertension", "hypertens"],
    ["usefulness", "use"],
    ["controll", "control"],
    ["saying", "say"],
  ])("of %s is %s", (word, stem) => {
    expect(stemEnglish(word)).toBe(stem);
  });

  test.each(["il", "β", "2019", "co2", "naïve", ""])("%s has none", (word) => {
    expect(stemEnglish(word)).toBe(word);
  });
});

describe("words", () => {
  test.each([
    ["TNF-α in IL-6 studies", ["tnf", "α", "in", "il", "6", "studi"]],
    ["naïve Müller Łódź straße œdema CO₂ ﬁbrosis", ["naiv", "muller", "lodz", "strass", "edema", "co2", "fibrosi"]],
    [`a ${"ACGT".repeat(20)} sequence`, ["a", "sequenc"]],
    ["  … — ", []],
  ])("of %s", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test.each([
    ["oedema", "edema"],
    ["diarrhoea", "diarrhea"],
    ["haemorrhages", "hemorrhage"],
    ["anaemic", "anemic"],
    ["lymphoedema", "lymphedema"],
    ["gastrooesophageal", "gastroesophageal"],
    ["leucocytes", "leukocyte"],
    ["oesophageal", "esophageal"],
    ["behavioural", "behavioral"],
    ["tumour", "tumors"],
    ["randomised", "randomized"],
    ["hospitalisations", "hospitalization"],
    ["organisational", "organizational"],
    ["analysed", "analyzed"],
    ["fibres", "fiber"],
    ["centred", "centered"],
    ["haem", "heme"],
    ["sulphate", "sulfate"],
    ["radiolabelled", "radiolabeled"],
    ["programmes", "programs"],
    // What is spelled alike everywhere stays one word, too.
    ["exercised", "exercise"],
    ["promising", "promise"],
    ["supervised", "supervise"],
    ["diseases", "disease"],
    ["potatoes", "potato"],
    ["controlled", "control"],
    ["tourists", "tourist"],
    ["hours", "hour"],
  ])("%s is %s", (one, other) => {
    expect(wordsOf(one)).toEqual(wordsOf(other));
  });

  test("stand where their ranges say, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const ranges = wordRanges(text);
        expect(ranges.map(({ word }) => word)).toEqual(wordsOf(text));
        let last = 0;
        for (const { word, start, end } of ranges) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(wordsOf(text.slice(start, end))).toEqual([word]);
          last = end;
        }
      }),
      { seed: 13, numRuns: 200 },
    );
  });

  test.each([
    ["mutati", "mutations"],
    ["infectio", "infections"],
    ["hypertensi", "hypertension"],
    ["cardiologi", "cardiological"],
    ["mutations", "mutational"],
    ["studies", "study"],
    ["cardiol", "cardiology"],
    ["therapy", "therapies"],
    ["haem", "haemorrhage"],
    ["haemo", "hemorrhage"],
    ["oed", "oedema"],
    ["diarrhoe", "diarrhea"],
    ["paed", "pediatric"],
    ["apoe", "APOE"],
    ["toe", "toes"],
    ["hour", "hours"],
    ["sour", "source"],
    ["neuro", "neuroendocrine"],
    ["micro", "microelectrode"],
    ["gastro", "gastro-oesophageal"],
    ["upstre", "upstream"],
    ["resour", "resources"],
    ["titre", "titers"],
    ["analyz", "analysed"],
    ["characteri", "characterized"],
    ["sulph", "sulfate"],
    ["leucocyt", "leukocytes"],
    ["angio", "angioedema"],
    ["coeli", "celiac"],
    ["analyzed", "analysed"],
    ["behavioural", "behavioral"],
    ["anaest", "anesthesia"],
    ["gastroe", "gastroesophageal"],
    ["haem", "hematoma"],
    ["diarrho", "diarrhea"],
    ["oesoph", "esophageal"],
    ["tumou", "tumor"],
    ["randomis", "randomized"],
    ["randomiz", "randomised"],
  ])("%s* takes in %s", (beginning, word) => {
    expect(wordsOf(word)[0]!.startsWith(wordsWithBeginning(beginning)[0]!)).toBe(true);
  });
});

describe.skipIf(!isInstalled || !hasShared("data/corpus"))("LanceDB's full text index of real texts", () => {
  test("has these words, as many documents for each", { timeout: 120_000 }, async () => {
    process.env["LANCE_CPU_THREADS"] ??= "8";
    const { connect, Index, MatchQuery } = await import("@lancedb/lancedb");
    const rows: { id: string; words: string; raw: string }[] = [];
    for await (const { text } of readDocuments([shared("data/corpus/abstracts.jsonl.zst")], { limit: 600 })) {
      rows.push({ id: String(rows.length), words: wordsOf(text).join(" "), raw: text });
    }
    const table = await (await connect(join(scratch, "lance"))).createTable("texts", rows);
    const own = { baseTokenizer: "whitespace", lowercase: false, stem: false, asciiFolding: false } as const;
    const theirs = {
      baseTokenizer: "simple",
      lowercase: true,
      stem: true,
      language: "English",
      asciiFolding: true,
    } as const;
    for (const [column, config] of [
      ["words", own],
      ["raw", theirs],
    ] as const) {
      const index = Index.fts({ ...config, removeStopWords: false, maxTokenLength: 256, withPosition: true });
      await table.createIndex(column, { config: index });
    }
    const found = async (column: string, query: string): Promise<string[]> => {
      const search = table.query().fullTextSearch(new MatchQuery(query, column)).select(["id", "_score"]);
      return ((await search.limit(rows.length).toArray()) as { id: string }[]).map(({ id }) => id).sort();
    };
    const having = new Map<string, Set<string>>();
    const spelling = new Map<string, string>();
    for (const { id, raw } of rows) {
      for (const { word, start, end } of wordRanges(raw)) {
        having.set(word, (having.get(word) ?? new Set()).add(id));
        spelling.set(word, raw.slice(start, end));
      }
    }
    const words = [...having.keys()].filter((_, i) => i % 20 === 0);
    expect(words.length).toBeGreaterThan(300);
    const differing: string[] = [];
    const isRespelled = (word: string): boolean => americanSpelling(word) !== word;
    const respelled = new Set(
      rows
        .flatMap(({ raw }) => raw.toLowerCase().match(/[a-z]+/g) ?? [])
        .filter(isRespelled)
        .flatMap(wordsOf),
    );
    expect(respelled.size).toBeLessThan(0.02 * having.size);
    for (const word of words) {
      const ids = [...having.get(word)!].sort();
      expect([word, await found("words", word)]).toEqual([word, ids]);
      // LanceDB's own way of cutting, given the word as a text has it; it tells spellings apart.
      if (!respelled.has(word) && (await found("raw", spelling.get(word)!)).join() !== ids.join()) differing.push(word);
    }
    expect(differing).toEqual([]);
  });
});
