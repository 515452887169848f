/** Results in each format: what stands in them, and that hostile texts stay texts. */
import { describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { formatted, type SearchFormat } from "./formats.ts";
import type { Hit, IndexedDocument, SearchResult } from "./types.ts";

const documentOf = (
  id: string,
  title: string,
  abstract: string,
  more: Partial<IndexedDocument> = {},
): IndexedDocument => indexedDocument({ id, title, abstract, more });

const plain = documentOf(
  "31000001",
  "Aspirin & the heart: 50% of {cases}",
  "BACKGROUND: Aspirin_1 costs $5 ~ #1 ^ back\\slash.",
  {
    date: "2019-03-07",
    year: 2019,
    types: ["Journal Article"],
    journal: "Heart & Lung",
    journalAbbreviation: "Heart Lung",
    volume: "12",
    issue: "3",
    pages: "1123-8",
    authors: ["Smith JA", "van der Berg Ö", "Trial and Error Group"],
    mesh: ["Aspirin", "Heart"],
    keywords: ["Heart"],
    language: "eng",
    doi: "10.1/a_b%c",
  },
);
const retracted = documentOf("31000002", "Aspirin again", "Nothing.", {
  year: 2019,
  date: "2019",
  types: ["Retracted Publication"],
  authors: ["Smith JA"],
  journal: "Lung",
  pages: "e12",
  retracted: true,
});
const hostile = documentOf(
  "x\u001b[2J\n",
  "=cmd|' /C calc'!A0",
  'A "quoted", text\r\nER  - \r\nTY  - JOUR\u202e\u0007 <script>',
  { authors: ["} , @article{x"] },
);

const hitOf = ({
  id,
  title,
  text,
  sections,
  year,
  journal,
  types,
  authors,
  retracted: isRetracted,
}: IndexedDocument): Hit => {
  const { start, end } = sections[1]!;
  return {
    id,
    score: 0.5,
    title,
    passage: text.slice(start, end),
    start,
    end,
    highlights: [[start, start + 4]],
    year,
    journal,
    types,
    authors,
    retracted: isRetracted,
    ranks: { text: 1 },
  };
};
const documents = [plain, retracted, hostile];
const result: SearchResult = {
  hits: documents.map(hitOf),
  total: 1234,
  mode: "text",
  understood: "aspirin",
  notes: [],
};
const written = (format: SearchFormat, options = {}): string => formatted(format, result, documents, options);

describe("text", () => {
  test("has number, title, source, place, passage; retractions are marked", () => {
    const text = written("text", { width: 60 });
    expect(text).toContain("1,234 documents match, 3 shown (text): aspirin\n");
    expect(text).toContain("  1. Aspirin & the heart: 50% of {cases}\n");
    expect(text).toContain("Smith JA, van der Berg Ö, Trial and Error Group · Heart & Lung · 2019 · Journal Article");
    expect(text).toContain("  2. Aspirin again\n     RETRACTED\n");
    expect(text).toContain(`31000001  [${plain.sections[1]!.start}, ${plain.sections[1]!.end})  0.5000`);
    const lines = text.split("\n").filter((line) => line.startsWith("     ") && !/ · |\[/.test(line));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test("marks words in colour, and lets no text command a terminal", () => {
    const text = written("text", { colour: true });
    expect(text).toContain("\u001b[33mBACK\u001b[39mGROUND:");
    expect(text).toContain("\u001b[31mRETRACTED");
    const bare = [1, 22, 31, 33, 39].reduce((rest, code) => rest.replaceAll(`\u001b[${code}m`, ""), text);
    expect(bare.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    expect(written("text")).not.toContain("\u001b");
  });

  test("shows of a long passage what is around its first marked word", () => {
    const long = documentOf("1", "Long", `${"filler ".repeat(300)}needle ${"filler ".repeat(300)}`);
    const at = long.text.indexOf("needle");
    const hit = { ...hitOf(long), highlights: [[at, at + 6]] as const };
    const text = formatted("text", { ...result, hits: [hit] }, [long], {});
    expect(text).toContain("needle");
    expect(text.length).toBeLessThan(900);
    expect(text.match(/…/g)).toHaveLength(2);
  });

  test("does not say the title again where a passage begins with it", () => {
    const { id, title, text, ...rest } = plain;
    const hit = {
      ...hitOf(plain),
      start: 0,
      end: text.length,
      passage: text,
      highlights: [
        [0, 7],
        [title.length + 2, title.length + 12],
      ] as const,
    };
    const shown = formatted("text", { ...result, hits: [hit] }, [{ id, title, text, ...rest }], { colour: true });
    expect(shown.split(title)).toHaveLength(2);
    expect(shown).toContain("\u001b[33mBACKGROUND\u001b[39m:");
  });

  test("ends with facets where there are any", () => {
    const facets = {
      years: [{ value: "2019", count: 2 }],
      types: [],
      journals: [{ value: "Heart\n", count: 1 }],
      mesh: [],
      languages: [],
    };
    expect(formatted("text", { ...result, facets }, documents)).toMatch(
      /\nyears: 2019 \(2\)\njournals: Heart \(1\)\n$/,
    );
  });
});

test("JSON lines are the hits as they are", () => {
  expect(
    written("json")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(result.hits);
});

test("CSV has a line of names and a record a hit; a spreadsheet computes nothing of it", () => {
  const csv = written("csv");
  expect(csv.split("\r\n")[0]).toBe("id,score,title,year,journal,authors,types,doi,retracted,passage,start,end");
  expect(csv).toContain(
    "31000001,0.5,Aspirin & the heart: 50% of {cases},2019,Heart & Lung,Smith JA; van der Berg Ö; Trial and Error Group,",
  );
  expect(csv.includes("'=cmd")).toBe(true);
  expect(csv).toContain('"A ""quoted"", text\r\nER');
});

describe("RIS", () => {
  test("has a record a document, with all that is known of it", () => {
    const [record] = written("ris").split("\r\n\r\n");
    expect(record!.split("\r\n")).toEqual([
      "TY  - JOUR",
      "ID  - 31000001",
      "TI  - Aspirin & the heart: 50% of {cases}",
      "AU  - Smith, J. A.",
      "AU  - van der Berg, Ö.",
      "AU  - Trial and Error Group",
      "PY  - 2019",
      "DA  - 2019/03/07/",
      "T2  - Heart & Lung",
      "J2  - Heart Lung",
      "VL  - 12",
      "IS  - 3",
      "SP  - 1123",
      "EP  - 1128",
      "DO  - 10.1/a_b%c",
      "AN  - 31000001",
      "DB  - PubMed",
      "UR  - https://pubmed.ncbi.nlm.nih.gov/31000001/",
      "LA  - eng",
      "KW  - Aspirin",
      "KW  - Heart",
      "M3  - Journal Article",
      "AB  - BACKGROUND: Aspirin_1 costs $5 ~ #1 ^ back\\slash.",
      "ER  - ",
    ]);
  });

  test("says what is retracted, and takes no field or record out of a text", () => {
    const ris = written("ris");
    expect(ris).toContain("N1  - Retracted publication");
    expect(ris.match(/^TY {2}- /gm)).toHaveLength(3);
    expect(ris.match(/^ER {2}- /gm)).toHaveLength(3);
  });

  test("an identifier of another source is no PMID", () => {
    expect(formatted("ris", result, [documentOf("123", "Own note", "Text.")])).not.toContain("pubmed");
  });
});

describe("BibTeX", () => {
  const bibtex = written("bibtex");

  test("has keys of author, year and title, no two alike", () => {
    expect([...bibtex.matchAll(/^@(\w+)\{([^,]+),$/gm)].map(([, kind, key]) => `${kind} ${key}`)).toEqual([
      "article Smith2019aspirin",
      "article Smith2019aspirina",
      "misc articlexcmd",
    ]);
    const many = formatted(
      "bibtex",
      result,
      Array.from({ length: 60 }, () => plain),
    );
    expect(new Set([...many.matchAll(/^@article\{([^,]+),$/gm)].map(([, key]) => key)).size).toBe(60);
  });

  test("escapes what TeX would read as commands", () => {
    expect(bibtex).toContain(String.raw`title = {{Aspirin \& the heart: 50\% of \{cases\}}}`);
    expect(bibtex).toContain(
      String.raw`Aspirin\_1 costs \$5 \textasciitilde{} \#1 \textasciicircum{} back\textbackslash{}slash.`,
    );
    expect(bibtex).toContain("author = {Smith, J. A. and van der Berg, Ö. and {Trial and Error Group}}");
    expect(bibtex).toContain("pages = {1123--1128}");
    expect(bibtex).toContain("month = mar");
    expect(bibtex).toContain("note = {Retracted publication}");
  });

  test("braces are balanced, whatever the text", () => {
    let depth = 0;
    for (const [mark] of bibtex.replaceAll(/\\[{}]/g, "").matchAll(/[{}]/g)) {
      depth += mark === "{" ? 1 : -1;
      expect(depth).toBeGreaterThanOrEqual(0);
    }
    expect(depth).toBe(0);
  });
});
