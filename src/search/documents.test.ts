import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPubMed } from "../corpus/pubmed/reader.ts";
import { documentOf, type Entry, passagesOf, readEntries } from "./documents.ts";

const sample = new URL("../../samples/pubmed-sample.xml", import.meta.url).pathname;

async function entriesOf(name: string, content: string): Promise<Entry[]> {
  using folder = mkdtempDisposableSync(join(tmpdir(), "galen-documents-"));
  const path = join(folder.path, name);
  writeFileSync(path, content);
  const entries: Entry[] = [];
  for await (const one of readEntries([path])) entries.push(one);
  return entries;
}

const article = (pmid: number, more: string, types = "Journal Article"): string =>
  `<PubmedArticle><MedlineCitation><PMID Version="2">${pmid}</PMID><Article><Journal><JournalIssue><PubDate><Year>2019</Year><Month>Mar</Month></PubDate></JournalIssue><Title>Annals</Title></Journal><ArticleTitle>A title.</ArticleTitle><Abstract><AbstractText Label="AIM">To see.</AbstractText><AbstractText Label="RESULTS">It was seen.</AbstractText></Abstract><AuthorList><Author><LastName>Smith</LastName><ForeName>Jane A</ForeName><Initials>JA</Initials></Author><Author><CollectiveName>The Group</CollectiveName></Author></AuthorList><Language>eng</Language><PublicationTypeList><PublicationType UI="D1">${types}</PublicationType></PublicationTypeList></Article>${more}</MedlineCitation></PubmedArticle>`;
const notice = (type: string, pmid: number): string =>
  `<CommentsCorrectionsList><CommentsCorrections RefType="${type}"><RefSource>Annals</RefSource><PMID Version="1">${pmid}</PMID></CommentsCorrections></CommentsCorrectionsList>`;
const set = (...articles: readonly string[]): string => `<PubmedArticleSet>${articles.join("")}</PubmedArticleSet>`;

describe("records", () => {
  test("title and sections are ranges of one text", async () => {
    const [one] = await entriesOf("a.xml", set(article(7, "")));
    if (one?.kind !== "document") throw new Error("no document");
    const { document, version } = one;
    expect(document.text).toBe("A title.\n\nTo see.\n\nIt was seen.");
    expect(document.sections.map(({ label, start, end }) => [label, document.text.slice(start, end)])).toEqual([
      ["TITLE", "A title."],
      ["AIM", "To see."],
      ["RESULTS", "It was seen."],
    ]);
    expect(document).toMatchObject({
      id: "7",
      date: "2019-03",
      year: 2019,
      journal: "Annals",
      types: ["Journal Article"],
      authors: ["Smith JA", "The Group"],
      language: "eng",
      retracted: false,
    });
    expect(version).toBe(2);
  });

  test("what is retracted says so itself, or a notice says it", async () => {
    const entries = await entriesOf(
      "a.xml",
      set(
        article(1, notice("RetractionIn", 2)),
        article(2, notice("RetractionOf", 1)),
        article(3, "", "Retracted Publication"),
        article(4, notice("CommentOn", 3)),
      ),
    );
    expect(entries.map((one) => (one.kind === "document" ? [one.document.retracted, one.retracts] : one))).toEqual([
      [true, []],
      [false, ["1"]],
      [true, []],
      [false, []],
    ]);
  });

  test("withdrawals come as what they are", async () => {
    const deleted = `<DeleteCitation><PMID Version="1">9</PMID></DeleteCitation>`;
    const entries = await entriesOf("a.xml", set(article(1, ""), deleted));
    expect(entries[1]).toEqual({ kind: "deletion", id: "9", version: 1 });
  });

  test("each record of the sample has its text whole", async () => {
    let count = 0;
    for await (const event of readPubMed([sample])) {
      if (event.kind !== "record") continue;
      const { text, sections } = documentOf(event.record, "sample");
      for (const line of event.record.abstract.split("\n")) expect(text).toContain(line);
      expect(sections.map(({ start, end }) => text.slice(start, end)).join("\n\n")).toBe(text);
      count += 1;
    }
    expect(count).toBe(202);
  });
});

describe("objects", () => {
  test("known fields are taken for what they are, others are the document's own", async () => {
    const line = {
      id: 5,
      title: "T",
      text: "Methods\nWe did it well and said so. Then more.\nAnother line of it.",
      year: 2020,
      types: "Trial; Review",
      phase: 3,
      open: true,
      site: "Bern",
      nested: { a: 1 },
      long: "x".repeat(2000),
    };
    const [one] = await entriesOf("a.jsonl", `${JSON.stringify(line)}\n`);
    if (one?.kind !== "document") throw new Error("no document");
    expect(one.document).toMatchObject({
      id: "5",
      date: "2020",
      year: 2020,
      types: ["Trial", "Review"],
      fields: { phase: 3, open: true, site: "Bern" },
    });
    expect(Object.keys(one.document.fields)).toEqual(["phase", "open", "site"]);
    expect(one.document.sections.map(({ label }) => label)).toEqual(["TITLE", "Methods"]);
    expect(one.document.text).toBe(`T\n\n${line.text}`);
  });

  test("a row without a text is a failure with its line", async () => {
    await expect(entriesOf("a.jsonl", '{"text": "x"}\n{"id": "b"}\n')).rejects.toThrow(/a\.jsonl:2: expected a string/);
  });
});

describe("passages", () => {
  test("a short document is one", () => {
    const text = "A title.\n\nAn abstract.";
    expect(passagesOf({ text, sections: [{ label: null, start: 0, end: text.length }] })).toEqual([[0, text.length]]);
    expect(passagesOf({ text: "  ", sections: [] })).toEqual([]);
  });

  test("of any text all words are in some passage, none is much longer than asked for", () => {
    const word = fc.stringMatching(/^[A-Za-z]{1,12}$/);
    const sentence = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => `${words.join(" ")}.`);
    const texts = fc.array(sentence, { minLength: 1, maxLength: 30 }).map((all) => all.join(" "));
    fc.assert(
      fc.property(texts, fc.integer({ min: 40, max: 400 }), (text, most) => {
        const passages = passagesOf({ text, sections: [{ label: null, start: 0, end: text.length }] }, most);
        let reached = 0;
        for (const [start, end] of passages) {
          expect(text.slice(reached, start).trim()).toBe("");
          expect(end).toBeGreaterThan(reached);
          expect(end - start).toBeLessThanOrEqual(1.25 * most);
          reached = end;
        }
        expect(text.slice(reached).trim()).toBe("");
      }),
      { seed: 13, numRuns: 300 },
    );
  });
});
