import { describe, expect, test } from "vitest";
import { DataError } from "../../errors.ts";
import { parseRecord } from "./parse.ts";
import type { PubMedRecord } from "./record.ts";

function record(xml: string): PubMedRecord {
  const parsed = parseRecord(xml);
  if (parsed.kind !== "record") throw new Error("expected a record");
  return parsed.record;
}

interface Parts {
  citation?: string;
  article?: string;
  pubDate?: string;
  data?: string;
}

function article({ citation = "", article: body = "", pubDate = "<Year>2015</Year>", data = "" }: Parts): PubMedRecord {
  return record(`<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">7</PMID>
    <Article><Journal><ISSN>1234-5678</ISSN><JournalIssue><Volume>3</Volume><Issue>2</Issue><PubDate>${pubDate}</PubDate>
    </JournalIssue><Title>Journal of  Tests</Title><ISOAbbreviation>J Tests</ISOAbbreviation></Journal>${body}</Article>
    ${citation}</MedlineCitation><PubmedData>${data}</PubmedData></PubmedArticle>`);
}

describe("an article", () => {
  test("has its identity and journal", () => {
    expect(article({ article: "<Pagination><MedlinePgn>1-9</MedlinePgn></Pagination>" })).toMatchObject({
      pmid: 7,
      version: 1,
      kind: "article",
      status: "MEDLINE",
      title: "",
      abstract: "",
      journal: "Journal of Tests",
      journalAbbreviation: "J Tests",
      issn: "1234-5678",
      volume: "3",
      issue: "2",
      pages: "1-9",
    });
  });

  test("gives inline markup no spaces and keeps those that are there", () => {
    const title =
      "<ArticleTitle>H<sub>2</sub>O and <i>E. coli</i>\n   10<sup>-3</sup>; <b>a</b> <i>b</i></ArticleTitle>";
    expect(article({ article: title }).title).toBe("H2O and E. coli 10-3; a b");
  });

  test("reads MathML, CDATA, comments, entities and character references as text", () => {
    const title =
      "<ArticleTitle>a<mml:math><mml:mi>x</mml:mi><mml:mo>=</mml:mo></mml:math> &lt;b&gt; &amp; " +
      "&#945;&#x1F9EC;<![CDATA[<c>]]><!-- no -->&quot;&apos;</ArticleTitle>";
    expect(article({ article: title }).title).toBe("ax= <b> & α🧬<c>\"'");
  });

  test("keeps a no-break space and joins lines with one space", () => {
    expect(article({ article: "<ArticleTitle> 5\u00A0mg\r\n\tdaily </ArticleTitle>" }).title).toBe("5\u00A0mg daily");
  });

  test("has labelled sections and their text", () => {
    const abstract = `<Abstract><AbstractText Label="AIM" NlmCategory="OBJECTIVE">Why.</AbstractText>
      <AbstractText Label="RESULT"/><AbstractText>So.</AbstractText>
      <CopyrightInformation>© 2015</CopyrightInformation></Abstract>`;
    const { sections, abstract: text, copyright } = article({ article: abstract });
    expect(sections).toEqual([
      { label: "AIM", category: "OBJECTIVE", text: "Why." },
      { label: null, category: null, text: "So." },
    ]);
    expect(text).toBe("Why.\nSo.");
    expect(copyright).toBe("© 2015");
  });

  test("repeats an unlabelled abstract in no section", () => {
    const read = article({ article: "<Abstract><AbstractText>All.</AbstractText></Abstract>" });
    expect(read).toMatchObject({ abstract: "All.", sections: [] });
  });

  test("has other abstracts, vernacular title, languages and conflicts", () => {
    const read = article({
      article: "<Language>eng</Language><Language>fre</Language><VernacularTitle>Titre</VernacularTitle>",
      citation: `<OtherAbstract Type="Publisher" Language="fre"><AbstractText>Un.</AbstractText>
        <AbstractText>Deux.</AbstractText></OtherAbstract><CoiStatement>None.</CoiStatement>`,
    });
    expect(read.otherAbstracts).toEqual([{ type: "Publisher", language: "fre", text: "Un.\nDeux." }]);
    expect(read).toMatchObject({ languages: ["eng", "fre"], vernacularTitle: "Titre", conflicts: "None." });
  });

  test("has people and groups as authors", () => {
    const list = `<AuthorList><Author><LastName>Roe</LastName><ForeName>Ann B</ForeName><Initials>AB</Initials>
      <Suffix>Jr</Suffix><Identifier Source="ORCID">https://orcid.org/0000-0001-2345-678x</Identifier>
      <AffiliationInfo><Affiliation>One.</Affiliation></AffiliationInfo>
      <AffiliationInfo><Affiliation>Two.</Affiliation></AffiliationInfo></Author>
      <Author><CollectiveName>The <i>X</i> Group</CollectiveName></Author>
      <Author><LastName>Old</LastName><Affiliation>Before 2015.</Affiliation></Author></AuthorList>`;
    const { authors } = article({ article: list });
    expect(authors[0]).toEqual({
      last: "Roe",
      fore: "Ann B",
      initials: "AB",
      suffix: "Jr",
      collective: null,
      orcid: "0000-0001-2345-678X",
      affiliations: ["One.", "Two."],
    });
    expect(authors[1]).toMatchObject({ last: null, collective: "The X Group" });
    expect(authors[2]).toMatchObject({ last: "Old", affiliations: ["Before 2015."], orcid: null });
  });

  test("has MeSH, chemicals, publication types and keywords with their identifiers", () => {
    const read = article({
      article: `<PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList>
        <GrantList><Grant><GrantID>G1</GrantID><Acronym>HL</Acronym><Agency>NHLBI</Agency><Country>US</Country></Grant></GrantList>`,
      citation: `<ChemicalList><Chemical><RegistryNumber>50-78-2</RegistryNumber>
        <NameOfSubstance UI="D001241">Aspirin</NameOfSubstance></Chemical></ChemicalList>
        <MeshHeadingList><MeshHeading><DescriptorName UI="D006801" MajorTopicYN="N">Humans</DescriptorName></MeshHeading>
        <MeshHeading><DescriptorName UI="D001241" MajorTopicYN="N">Aspirin</DescriptorName>
        <QualifierName UI="Q000009" MajorTopicYN="Y">adverse effects</QualifierName></MeshHeading></MeshHeadingList>
        <KeywordList><Keyword>one</Keyword><Keyword> </Keyword><Keyword>two</Keyword></KeywordList>`,
    });
    expect(read.publicationTypes).toEqual([{ ui: "D016428", name: "Journal Article" }]);
    expect(read.chemicals).toEqual([{ ui: "D001241", name: "Aspirin", registryNumber: "50-78-2" }]);
    expect(read.mesh).toEqual([
      { ui: "D006801", name: "Humans", major: false, qualifiers: [] },
      {
        ui: "D001241",
        name: "Aspirin",
        major: false,
        qualifiers: [{ ui: "Q000009", name: "adverse effects", major: true }],
      },
    ]);
    expect(read.keywords).toEqual(["one", "two"]);
    expect(read.grants).toEqual([{ id: "G1", acronym: "HL", agency: "NHLBI", country: "US" }]);
  });

  test("takes identifiers from PubmedData, else from ELocationID, never from references", () => {
    const references = `<ReferenceList><Reference><Citation>Roe A. Tests. 2001.</Citation><ArticleIdList>
      <ArticleId IdType="pubmed">11</ArticleId><ArticleId IdType="doi">10.1/ref</ArticleId></ArticleIdList></Reference>
      <ReferenceList><Reference><Citation>Inner.</Citation></Reference></ReferenceList></ReferenceList>`;
    const location = `<ELocationID EIdType="doi" ValidYN="N">10.1/bad</ELocationID>
      <ELocationID EIdType="doi" ValidYN="Y">10.1/good</ELocationID>`;
    const bare = article({ article: location, data: references });
    expect(bare).toMatchObject({ doi: "10.1/good", pmcid: null });
    expect(bare.references).toEqual([
      { citation: "Roe A. Tests. 2001.", pmid: "11", doi: "10.1/ref", pmcid: null },
      { citation: "Inner.", pmid: null, doi: null, pmcid: null },
    ]);
    const ids = `<ArticleIdList><ArticleId IdType="doi">10.1/main</ArticleId><ArticleId IdType="pmc">PMC5</ArticleId>
      <ArticleId IdType="pii">S1</ArticleId></ArticleIdList>`;
    expect(article({ article: location, data: ids })).toMatchObject({ doi: "10.1/main", pmcid: "PMC5", pii: "S1" });
  });

  test("has retractions and other corrections", () => {
    const { corrections } = article({
      citation: `<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>J. 2016</RefSource>
        <PMID Version="1">99</PMID><Note>why</Note></CommentsCorrections></CommentsCorrectionsList>`,
    });
    expect(corrections).toEqual([{ type: "RetractionIn", source: "J. 2016", pmid: 99, note: "why" }]);
  });

  test.each([
    ["<Year>2015</Year>", { published: "2015", year: 2015 }],
    ["<Year>2015</Year><Month>Mar</Month>", { published: "2015-03" }],
    ["<Year>2015</Year><Month>3</Month><Day>7</Day>", { published: "2015-03-07" }],
    ["<Year>2015</Year><Month>02</Month><Day>30</Day>", { published: "2015-02" }],
    ["<Year>2015</Year><Season>Spring</Season>", { published: "2015", season: "Spring" }],
    ["<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", { published: "1998", medlineDate: "1998 Dec-1999 Jan" }],
    ["<MedlineDate>1975 Jun 15-22</MedlineDate>", { published: "1975-06" }],
    ["<MedlineDate>2000 Nov-Dec</MedlineDate>", { published: "2000" }],
    ["<MedlineDate>1984-85 Jan</MedlineDate>", { published: "1984", medlineDate: "1984-85 Jan" }],
    ["<MedlineDate>1990-1 Jan</MedlineDate>", { published: "1990" }],
    ["<MedlineDate>1978 Dec-79</MedlineDate>", { published: "1978" }],
    ["<MedlineDate>1984-Jan</MedlineDate>", { published: "1984-01" }],
    ["<MedlineDate>undated</MedlineDate>", { published: null, year: null, medlineDate: "undated" }],
    ["", { published: null, year: null }],
  ])("never invents a part of the date %s", (pubDate, expected) => {
    expect(article({ pubDate })).toMatchObject(expected);
  });

  test("takes the date of the first publication where the issue has none", () => {
    const electronic = "<ArticleDate><Year>2016</Year><Month>01</Month></ArticleDate>";
    expect(article({ article: electronic, pubDate: "" })).toMatchObject({ published: "2016-01", year: 2016 });
    const pubDate = "<Year>2017</Year>";
    expect(article({ article: electronic, pubDate })).toMatchObject({ published: "2017", electronic: "2016-01" });
  });

  test("has electronic, created, completed, revised and history dates", () => {
    const day = "<Year>2016</Year><Month>01</Month><Day>09</Day>";
    const read = article({
      article: `<ArticleDate DateType="Electronic">${day}</ArticleDate>`,
      citation: `<DateCreated>${day}</DateCreated><DateCompleted>${day}</DateCompleted><DateRevised><Year>2017</Year></DateRevised>`,
      data: `<History><PubMedPubDate PubStatus="received">${day}<Hour>6</Hour></PubMedPubDate></History>`,
    });
    expect(read).toMatchObject({
      electronic: "2016-01-09",
      created: "2016-01-09",
      completed: "2016-01-09",
      revised: "2017",
      history: [{ status: "received", date: "2016-01-09" }],
    });
  });
});

describe("other records", () => {
  test("a book chapter has its book", () => {
    const book = record(`<PubmedBookArticle><BookDocument><PMID Version="1">20301295</PMID><ArticleIdList>
      <ArticleId IdType="bookaccession">NBK1103</ArticleId></ArticleIdList><Book><Publisher><PublisherName>Univ</PublisherName>
      </Publisher><BookTitle>Reviews</BookTitle><PubDate><Year>1993</Year></PubDate><Isbn>978</Isbn></Book>
      <ArticleTitle>Chapter</ArticleTitle><Language>eng</Language><AuthorList Type="authors"><Author><LastName>Roe</LastName>
      </Author></AuthorList><PublicationType UI="D016454">Review</PublicationType><Abstract><AbstractText>Text.</AbstractText>
      </Abstract><DateRevised><Year>2020</Year></DateRevised></BookDocument><PubmedBookData/></PubmedBookArticle>`);
    expect(book).toMatchObject({
      pmid: 20301295,
      kind: "book",
      title: "Chapter",
      book: "Reviews",
      publisher: "Univ",
      isbn: "978",
      pii: "NBK1103",
      published: "1993",
      revised: "2020",
      abstract: "Text.",
      languages: ["eng"],
    });
    expect(book.authors[0]?.last).toBe("Roe");
    expect(book.publicationTypes).toEqual([{ ui: "D016454", name: "Review" }]);
  });

  test("a deletion list gives PMIDs and versions", () => {
    expect(parseRecord('<DeleteCitation><PMID Version="2">5</PMID><PMID>6</PMID></DeleteCitation>')).toEqual({
      kind: "deletions",
      deletions: [
        { pmid: 5, version: 2 },
        { pmid: 6, version: null },
      ],
    });
  });
});

describe("a bad record", () => {
  test.each([
    ["an entity that XML does not define", "<ArticleTitle>&bomb;</ArticleTitle>", /entity/],
    ["a crossed tag", "<ArticleTitle><i>a</ArticleTitle></i>", /not well-formed/],
    ["a DOCTYPE inside", "<!DOCTYPE a [<!ENTITY b 'c'>]>", /not well-formed/],
    ["a forbidden character", "<ArticleTitle>\u0001</ArticleTitle>", /not well-formed/],
  ])("with %s is an error", (_, body, expected) => {
    expect(() => article({ article: body })).toThrow(expected);
  });

  test.each(["", '<PMID Version="1"> </PMID>', "<PMID>12x</PMID>", "<PMID>0</PMID>"])(
    "without a PMID (%s) is",
    (pmid) => {
      const xml = `<PubmedArticle><MedlineCitation>${pmid}<Article/></MedlineCitation></PubmedArticle>`;
      expect(() => parseRecord(xml)).toThrow(/PMID expected a number/);
    },
  );

  test("nested without end is an error and no stack overflow", () => {
    const deep = "<i>".repeat(5000) + "</i>".repeat(5000);
    expect(() => article({ article: `<ArticleTitle>${deep}</ArticleTitle>` })).toThrow(/nested more than/);
  });

  test("refuses a record of more elements than any has, with the one that is too many", () => {
    const many = "<Keyword>k</Keyword>".repeat(500_000);
    const xml = `<PubmedArticle><MedlineCitation><PMID>1</PMID><KeywordList>${many}</KeywordList></MedlineCitation></PubmedArticle>`;
    expect(() => parseRecord(xml)).toThrow(new DataError("more than 500000 elements, the next <Keyword>"));
  });
});
