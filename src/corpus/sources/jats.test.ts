import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import type { CorpusSection } from "../corpus-document.ts";
import { readSources } from "./open.ts";

interface Goldens {
  readonly articles: Readonly<
    Record<string, { text: string[]; captions: string[]; tables: string[]; references: number }>
  >;
}

const goldens = JSON.parse(
  readFileSync(new URL("../../../test/goldens/sources.json", import.meta.url), "utf8"),
) as Goldens;

const digest = (text: string): string =>
  createHash("sha256")
    .update(text.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, ""))
    .digest("hex")
    .slice(0, 8);

const paragraphsOf = (sections: readonly CorpusSection[], ...kinds: string[]): string[] =>
  sections.filter(({ kind }) => kinds.includes(kind)).flatMap(({ text }) => text.split("\n\n"));

const article = (meta: string, body = "", attributes = "", rest = ""): string =>
  `<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.2 20190208//EN" "x.dtd">
<article ${attributes} xmlns:xlink="http://www.w3.org/1999/xlink"><front><journal-meta><journal-id journal-id-type="nlm-ta">J</journal-id>
</journal-meta><article-meta>${meta}</article-meta></front><body>${body}</body>${rest}</article>`;

const title = "<title-group><article-title>T</article-title></title-group>";

describe.runIf(hasShared("data/pmc-jats"))("real articles", () => {
  test.each(Object.entries(goldens.articles))(
    "of %s the paragraphs, captions, tables and references are those that lxml finds, in their order",
    async (name, expected) => {
      const { documents, failures } = await collect(readSources([shared(`data/pmc-jats/${name}`)]));
      expect(failures).toEqual([]);
      const { sections } = documents[0]!;
      const tables = sections.filter(({ kind }) => kind === "table");
      expect({
        text: paragraphsOf(sections, "abstract", "text").map(digest),
        captions: paragraphsOf(sections, "caption").map(digest),
        tables: tables.map(({ text }) =>
          digest(
            text
              .split(/[\t\n]/)
              .filter((cell) => cell !== "")
              .join("\t"),
          ),
        ),
        references: paragraphsOf(sections, "reference").length,
      }).toEqual(expected);
    },
  );

  test("have identifiers of their own, dates, and mostly a licence that can be told", async () => {
    const { documents } = await collect(readSources([shared("data/pmc-jats")]));
    expect(new Set(documents.map(({ id }) => id)).size).toBe(44);
    expect(documents.every(({ id }) => /^pmc:PMC\d+$/.test(id))).toBe(true);
    expect(documents.every(({ date }) => /^\d{4}(?:-\d{2}){0,2}$/.test(date ?? ""))).toBe(true);
    expect(documents.filter(({ licence }) => licence?.startsWith("CC-"))).toHaveLength(42);
    expect(
      documents.every(({ metadata }) => Array.isArray(metadata["authors"]) && metadata["journal"] !== undefined),
    ).toBe(true);
  });
});

describe("JATS", () => {
  test("nested sections have the titles around them, and floats stand behind the text", async () => {
    const body = `<p>Before.</p><sec><title>Methods</title><p>One <xref>1</xref> <fig><label>Figure 1</label>
      <caption><title>A figure.</title><p>Its caption.</p></caption></fig>goes on.</p>
      <sec><title>Patients</title><p>Two.</p></sec></sec>`;
    const { documents } = await readAs("a.nxml", article(title, body));
    expect(outline(documents[0]!)).toEqual([
      "[text] : Before.",
      "[text] Methods: One 1 goes on.",
      "[caption] Methods > Figure 1: A figure.\n\nIts caption.",
      "[text] Methods > Patients: Two.",
    ]);
  });

  test("a table keeps its columns where cells span several, its notes are with its caption", async () => {
    const body = `<table-wrap><label>Table 1</label><caption><p>Doses.</p></caption><table><thead><tr><th rowspan="2">Drug</th>
      <th colspan="2">Dose</th></tr><tr><th>low</th><th>high</th></tr></thead><tbody><tr><td>A<break/>B</td><td/><td>2</td></tr></tbody>
      </table><table-wrap-foot><fn><label>a</label><p>In mg.</p></fn></table-wrap-foot></table-wrap>`;
    const { documents } = await readAs("a.nxml", article(title, body));
    expect(outline(documents[0]!)).toEqual([
      "[caption] Table 1: Doses.\n\nIn mg.",
      "[table] Table 1: Drug\tDose\n\tlow\thigh\nA B\t\t2",
    ]);
  });

  test("a formula in several forms is taken once, as TeX", async () => {
    const body = String.raw`<p>With <inline-formula><alternatives><tex-math>\documentclass{x}\begin{document}$$x^2$$\end{document}</tex-math>
      <mml:math xmlns:mml="m"><mml:mi>x</mml:mi></mml:math><inline-graphic xlink:href="x"/></alternatives></inline-formula> and
      <mml:math xmlns:mml="m"><mml:mi>y</mml:mi><mml:annotation>left out</mml:annotation></mml:math>.</p>`;
    const { documents } = await readAs("a.nxml", article(title, body));
    expect(outline(documents[0]!)).toEqual(["[text] : With x^2 and y."]);
  });

  test("lists and quotations in a paragraph are paragraphs, definitions one with their term", async () => {
    const body = `<p>There are <list><list-item><label>1.</label><p>one</p></list-item><list-item><p>two</p></list-item></list> of them.</p>
      <def-list><def-item><term>BP</term><def><p>blood pressure</p></def></def-item></def-list>`;
    const { documents } = await readAs("a.nxml", article(title, body));
    expect(outline(documents[0]!)).toEqual(["[text] : There are\n\none\n\ntwo\n\nof them.\n\nBP: blood pressure"]);
  });

  test("a citation without words between its fields is put together, one with words is taken as it is", async () => {
    const back = `<back><ref-list><title>References</title><ref><label>1</label><element-citation><person-group><name><surname>Roe</surname>
      <given-names>A</given-names></name><etal/></person-group><article-title>On it</article-title><source>J</source><year>2001</year>
      <fpage>1</fpage><lpage>9</lpage></element-citation></ref><ref><mixed-citation>Doe J. <source>Book</source>, 2002.</mixed-citation></ref></ref-list></back>`;
    const { documents } = await readAs("a.nxml", article(title, "<p>x</p>", "", back));
    expect(outline(documents[0]!)[1]).toBe(
      "[reference] References: Roe A, et al. On it. J. 2001. 1-9\n\nDoe J. Book, 2002.",
    );
  });

  test("identifiers, dates, licence, authors and retraction come from the article's metadata", async () => {
    const meta = `<article-id pub-id-type="pmcid">PMC12</article-id><article-id pub-id-type="pmid">34</article-id>
      <article-id pub-id-type="doi">10.1/x</article-id>${title}<contrib-group><contrib contrib-type="author"><name><surname>Roe</surname>
      <given-names>Ann B</given-names></name></contrib><contrib contrib-type="editor"><name><surname>No</surname></name></contrib>
      <contrib contrib-type="author"><collab>A Group</collab></contrib></contrib-group><pub-date pub-type="pmc-release"><year>2020</year></pub-date>
      <pub-date pub-type="epub"><day>3</day><month>2</month><year>2019</year></pub-date><permissions><license>
      <ali:license_ref xmlns:ali="a">https://creativecommons.org/licenses/by-nc/4.0/</ali:license_ref><license-p>Words.</license-p></license></permissions>
      <related-article related-article-type="retracted-article" xlink:href="10.1/y"/><kwd-group><kwd>k</kwd></kwd-group>`;
    const { documents } = await readAs("a.nxml", article(meta, "<p>x</p>", 'article-type="retraction" xml:lang="fre"'));
    expect(documents[0]).toMatchObject({
      id: "pmc:PMC12",
      kind: "jats",
      title: "T",
      date: "2019-02-03",
      language: "fr",
      licence: "CC-BY-NC-4.0",
      metadata: {
        doi: "10.1/x",
        pmid: "34",
        articleType: "retraction",
        authors: ["Ann B Roe", "A Group"],
        keywords: ["k"],
        related: ["retracted-article 10.1/y"],
      },
    });
    expect(documents[0]!.metadata["retracted"]).toBeUndefined();
    const retracted = await readAs("a.nxml", article(meta.replace(">T<", ">RETRACTED: T<"), "<p>x</p>"));
    expect(retracted.documents[0]!.metadata["retracted"]).toBe("true");
  });

  test("a set's articles are documents, a broken one is a failure and the rest goes on", async () => {
    const one = (text: string): string =>
      `<article><front><article-meta>${title}</article-meta></front><body><p>${text}</p></body></article>`;
    const set = `<?xml version="1.0"?><pmc-articleset>${one("1")}${one("&nothing;")}${one("<b>3")}${one("4")}</pmc-articleset>`;
    const { documents, failures } = await readAs("set.xml", set);
    expect(documents.map((document) => [document.id, outline(document)[0]])).toEqual([
      ["set.xml", "[text] : 1"],
      ["set.xml#4", "[text] : 4"],
    ]);
    expect(failures).toEqual([
      "set.xml: not well-formed XML: undefined entity.",
      "set.xml: not well-formed XML: unexpected close tag.",
    ]);
  });

  test("named characters of the DTDs are known, entities that a document declares are not", async () => {
    const { documents } = await readAs("a.nxml", article(title, "<p>&alpha;&ndash;&agr; &eacute; &amp;</p>"));
    expect(outline(documents[0]!)).toEqual(["[text] : α–α é &"]);
    const bomb = article(title, "<p>&c;</p>").replace('"x.dtd"', '"x.dtd" [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]');
    expect((await readAs("a.nxml", bomb)).failures).toEqual(["a.nxml: not well-formed XML: undefined entity."]);
  });

  test("sub-articles and responses are documents where their types are asked for, else counted", async () => {
    const meta =
      '<article-id pub-id-type="doi">10.1/a</article-id><pub-date pub-type="epub"><year>2020</year></pub-date>';
    const stub = (text: string, type: string): string =>
      `<front-stub><article-id pub-id-type="doi">10.1/a.${type}</article-id><title-group><article-title>${text}</article-title></title-group></front-stub>`;
    const reply = `<response response-type="reply" id="r1">${stub("Reply", "r")}<body><p>We agree.</p></body></response>`;
    const rest = `<sub-article article-type="translation" id="s1" xml:lang="pt">${stub("Título", "t")}<body><p>Texto.</p></body></sub-article>
<sub-article article-type="decision-letter">${stub("Letter", "d")}<body><p>Accepted.</p></body>${reply}</sub-article>`;
    const xml = article(meta + title, "<p>Text.</p>", 'xml:lang="en"', rest);
    const bare = await readAs("a.nxml", xml);
    expect(bare.documents.map(({ id }) => id)).toEqual(["doi:10.1/a"]);
    expect(bare.leftOut).toEqual(["translation", "decision-letter", "reply"]);
    const some = await readAs("a.nxml", xml, { subArticles: ["translation", "reply"] });
    expect(some.leftOut).toEqual(["decision-letter"]);
    expect(some.documents.map((one) => [one.id, one.title, one.language, one.date, outline(one)[0]])).toEqual([
      ["doi:10.1/a", "T", "en", "2020", "[text] : Text."],
      ["doi:10.1/a/s1", "Título", "pt", "2020", "[text] : Texto."],
      ["doi:10.1/a/sub-article-2/r1", "Reply", "en", "2020", "[text] : We agree."],
    ]);
    expect(some.documents[1]!.metadata).toMatchObject({
      articleType: "translation",
      partOf: "doi:10.1/a",
      doi: "10.1/a.t",
    });
    expect((await readAs("a.nxml", xml, { subArticles: ["all"] })).leftOut).toEqual([]);
  });

  test("sub-articles, translated abstracts and supplementary material are left out", async () => {
    const meta = `${title}<abstract><p>A.</p></abstract><trans-abstract><p>No.</p></trans-abstract>`;
    const body = "<p>B <supplementary-material><caption><p>No.</p></caption></supplementary-material>.</p>";
    const rest = "<sub-article><front-stub/><body><p>No.</p></body></sub-article>";
    const { documents } = await readAs("a.nxml", article(meta, body, "", rest));
    expect(outline(documents[0]!)).toEqual(["[abstract] : A.", "[text] : B ."]);
  });
});
