import { describe, expect, test } from "vitest";
import { outline, readAs } from "../../../test/support/sources.ts";

const tei = `<?xml version="1.0" encoding="UTF-8"?>
<TEI xml:space="preserve" xmlns="http://www.tei-c.org/ns/1.0"><teiHeader xml:lang="en"><fileDesc>
<titleStmt><title level="a" type="main">On tests</title></titleStmt>
<publicationStmt><publisher>P</publisher><availability status="unknown"><licence target="https://creativecommons.org/licenses/by/4.0/"><p>Words</p></licence></availability><date type="published" when="2019-05-06">6 May 2019</date></publicationStmt>
<sourceDesc><biblStruct><analytic><author><persName><forename type="first">Ann</forename><forename type="middle">B</forename><surname>Roe</surname></persName></author>
<idno type="DOI">10.1/t</idno></analytic><monogr><title level="j">J Test</title><imprint><date type="published" when="2019-05-06"/></imprint></monogr></biblStruct></sourceDesc></fileDesc>
<profileDesc><textClass><keywords><term>tests</term></keywords></textClass><abstract><div><p>It is <hi>short</hi>.</p></div></abstract></profileDesc></teiHeader>
<text xml:lang="en"><body>
<div><head n="1">Introduction</head><p>As shown <ref type="bibr" target="#b0">[1]</ref>.</p><formula xml:id="f0">x = 1<label>(1)</label></formula></div>
<div><head n="1.1">Aims</head><p>One.</p></div><div><head n="2">Methods</head><p>Two.</p></div><div><head>Unnumbered</head><p>Three.</p></div>
<figure><head>Figure 1</head><label>1</label><figDesc>A curve.</figDesc></figure>
<figure type="table"><head>Table 1</head><figDesc>Doses.</figDesc><table><row><cell cols="2">Drug</cell></row><row><cell>X</cell><cell>5</cell></row></table></figure>
<note place="foot" n="1">A note.</note></body>
<back><div type="acknowledgement"><div><head>Acknowledgements</head><p>Thanks.</p></div></div>
<div type="references"><listBibl><biblStruct xml:id="b0"><analytic><title level="a">Old work</title><author><persName><forename>J</forename><surname>Doe</surname></persName></author></analytic>
<monogr><title level="j">J Old</title><imprint><biblScope unit="volume">3</biblScope><biblScope unit="page" from="1" to="9"/><date type="published" when="1999"/></imprint></monogr></biblStruct>
<biblStruct><monogr><title/></monogr><note type="raw_reference">As it was printed, 2000.</note></biblStruct></listBibl></div></back></text></TEI>`;

describe("TEI", () => {
  test("GROBID's header, sections by their numbers, figures, notes and references are read", async () => {
    const { documents, failures } = await readAs("p.tei.xml", tei);
    expect(failures).toEqual([]);
    expect(documents[0]).toMatchObject({
      id: "doi:10.1/t",
      kind: "tei",
      title: "On tests",
      date: "2019-05-06",
      language: "en",
      licence: "CC-BY-4.0",
      metadata: { doi: "10.1/t", authors: ["Ann B Roe"], journal: "J Test", keywords: ["tests"] },
    });
    expect(outline(documents[0]!)).toEqual([
      "[abstract] : It is short.",
      "[text] Introduction: As shown [1].\n\nx = 1",
      "[text] Introduction > Aims: One.",
      "[text] Methods: Two.",
      "[text] Unnumbered: Three.",
      "[caption] Figure 1: A curve.",
      "[caption] Table 1: Doses.",
      "[table] Table 1: Drug\nX\t5",
      "[text] Notes: A note.",
      "[text] Acknowledgements: Thanks.",
      "[reference] References: J Doe. Old work. J Old. 3. 1-9. 1999\n\nAs it was printed, 2000.",
    ]);
  });
});
