import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import { readSources } from "./open.ts";

const record = (
  pmid: number,
  more = "",
): string => `<PubmedArticle><MedlineCitation><PMID Version="1">${pmid}</PMID><Article>
<Journal><JournalIssue><PubDate><Year>2001</Year><Month>Mar</Month></PubDate></JournalIssue><Title>J Test</Title></Journal><ArticleTitle>T ${pmid}</ArticleTitle>
<Abstract><AbstractText Label="AIM">One.</AbstractText><AbstractText Label="RESULT">Two.</AbstractText></Abstract>
<AuthorList><Author><LastName>Roe</LastName><ForeName>Ann</ForeName></Author><Author><CollectiveName>A Group</CollectiveName></Author></AuthorList>
<Language>fre</Language><PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList></Article>
<MeshHeadingList><MeshHeading><DescriptorName UI="D1">Heart</DescriptorName></MeshHeading></MeshHeadingList>${more}</MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="doi">10.1/x</ArticleId><ArticleId IdType="pmc">PMC5</ArticleId></ArticleIdList></PubmedData></PubmedArticle>`;
const set = (...records: string[]): string => `<PubmedArticleSet>${records.join("\n")}</PubmedArticleSet>`;
const retraction = `<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>J</RefSource></CommentsCorrections></CommentsCorrectionsList>`;

describe("PubMed records", () => {
  test("are documents of their title and abstract, with what selects them; withdrawn ones are deletions", async () => {
    const xml = set(
      record(1),
      "<PubmedArticle><PMID>0</PMID></PubmedArticle>",
      record(2, retraction),
      "<DeleteCitation><PMID>9</PMID></DeleteCitation>",
    );
    const { documents, deletions, failures } = await readAs("p.xml", xml);
    expect(documents[0]).toEqual({
      id: "pmid:1",
      source: "p.xml",
      kind: "pubmed",
      title: "T 1",
      sections: [
        { title: "AIM", kind: "abstract", text: "One." },
        { title: "RESULT", kind: "abstract", text: "Two." },
      ],
      date: "2001-03",
      language: "fr",
      licence: null,
      metadata: {
        journal: "J Test",
        doi: "10.1/x",
        pmcid: "PMC5",
        mesh: ["Heart"],
        publicationTypes: ["Journal Article"],
        authors: ["Ann Roe", "A Group"],
      },
    });
    expect(documents[1]!.metadata["retracted"]).toBe("true");
    expect(deletions).toEqual(["pmid:9"]);
    expect(failures).toEqual(["p.xml: PubmedArticle expected MedlineCitation with Article, got neither or one"]);
  });

  test("before the damage of a compressed file are read", async () => {
    const packed = gzipSync(
      set(...Array.from({ length: 3000 }, (_, i) => record(i + 1, `<X>${(i * 7919) % 3001}</X>`))),
    );
    const { documents, failures } = await readAs("p.xml.gz", packed.subarray(0, packed.length >> 1));
    expect(documents.length).toBeGreaterThan(500);
    expect(failures.at(-1)).toBe("p.xml.gz: cannot be read on: the gzip file is cut short");
  });

  test.runIf(hasShared("data/pubmed-xml"))("of real exports have texts, dates and languages", async () => {
    const { documents, failures } = await collect(readSources([shared("data/pubmed-xml")]));
    expect(failures).toEqual([]);
    expect(new Set(documents.map(({ id }) => id)).size).toBe(314);
    expect(
      documents.every((one) => one.title !== "" && one.date !== null && /^[a-z]{2}$/.test(one.language ?? "")),
    ).toBe(true);
    expect(documents.filter((one) => outline(one).length > 0).length).toBeGreaterThan(250);
  });
});
