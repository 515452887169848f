/** Damaged and hostile files of every kind: they end with documents and failures, in bounded time and memory. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { tarOf, zipOf } from "../../../test/support/archives.ts";
import { damaged, fuzzRuns } from "../../../test/support/fuzz.ts";
import { column, pdfOf } from "../../../test/support/pdf.ts";
import { collect, readAs } from "../../../test/support/sources.ts";
import { sourceKinds } from "./list.ts";
import type { SourceInput } from "./kind.ts";

const xmlMarks = [
  "<",
  ">",
  "&",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<?",
  "<p>",
  "</p>",
  "<sec>",
  "&x;",
  "<!DOCTYPE x [",
  "\uFFFE",
];
const jsonMarks = ["{", "}", "[", "]", ":", ",", "\\", "\\u", "1e999", "null", "{}", "[[[["];
const article = `<!DOCTYPE article><article xml:lang="en"><front><article-meta><title-group><article-title>T <xref>1</xref></article-title></title-group>
<pub-date pub-type="epub"><year>2001</year></pub-date><abstract><sec><title>A</title><p>B</p></sec></abstract></article-meta></front><body><sec><title>M</title>
<p>One <list><list-item><p>x</p></list-item></list><fig><label>F</label><caption><p>c</p></caption></fig> two.</p><table-wrap><table><tr><td rowspan="2" colspan="3">1</td></tr>
<tr><td>2</td></tr></table></table-wrap></sec></body><back><ref-list><ref><citation><name><surname>R</surname></name></citation></ref></ref-list></back></article>`;
const patent = readFileSync(new URL("../../../test/goldens/patents/grants.xml", import.meta.url));
const oldPatent = readFileSync(new URL("../../../test/goldens/patents/grants-2003.xml", import.meta.url));
const trial = `<clinical_study><id_info><nct_id>NCT1</nct_id></id_info><brief_summary><textblock>A&#xD;

B</textblock></brief_summary><clinical_results><outcome_list><outcome><group_list><group group_id="O1"><title>g</title></group></group_list><measure><class_list><class>
<category_list><category><measurement_list><measurement group_id="O1" value="1"/></measurement_list></category></category_list></class></class_list></measure></outcome></outcome_list></clinical_results></clinical_study>`;
const study = JSON.stringify({
  studies: [
    {
      protocolSection: {
        identificationModule: { nctId: "N" },
        descriptionModule: { briefSummary: "S" },
        designModule: { phases: ["PHASE1"] },
      },
      resultsSection: { adverseEventsModule: { seriousEvents: [{ term: "t", stats: [{ groupId: "g" }] }] } },
    },
  ],
});
const fhir = JSON.stringify({
  resourceType: "Bundle",
  entry: [
    {
      resource: {
        resourceType: "DocumentReference",
        id: "a",
        content: [{ attachment: { contentType: "text/html", data: Buffer.from("<p>x").toString("base64") } }],
      },
    },
  ],
});
const pubmed = `<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>T</ArticleTitle></Article></MedlineCitation></PubmedArticle><DeleteCitation><PMID>2</PMID></DeleteCitation></PubmedArticleSet>`;
const tei = `<TEI><teiHeader><fileDesc><titleStmt><title>T</title></titleStmt></fileDesc></teiHeader><text><body><div><head n="1">H</head><p>x</p></div><figure><table><row><cell cols="2">1</cell></row></table></figure></body></text></TEI>`;
const page =
  "<!DOCTYPE html><html lang=en><head><title>T</title></head><body><main><h1>H</h1><p>One<br>two<table><tr><td colspan=2>x</table><ul><li>a<li>b</ul></main></body></html>";

const cases: readonly (readonly [
  kind: string,
  name: string,
  bytes: Uint8Array | string,
  marks: readonly string[],
  runs: number,
])[] = [
  ["pubmed", "a.xml", pubmed, xmlMarks, 150],
  ["jats", "a.nxml", article, xmlMarks, 300],
  ["clinicaltrials", "a.xml", trial, xmlMarks, 200],
  ["clinicaltrials", "a.json", study, jsonMarks, 200],
  ["patents", "a.xml", patent, xmlMarks, 150],
  ["patents", "a.xml", oldPatent, xmlMarks, 150],
  ["tei", "a.xml", tei, xmlMarks, 200],
  [
    "pdf",
    "a.pdf",
    pdfOf([column(72, 700, ["Some text of a page", "that is not long, but long enough."])]),
    ["<<", ">>", "stream", "endobj", "(", "/"],
    100,
  ],
  ["html", "a.html", page, [...xmlMarks, "<table>", "<td>", "<div>"], 200],
  ["clinical-notes", "a.json", fhir, jsonMarks, 200],
  ["clinical-notes", "a.csv", 'ROW_ID,SUBJECT_ID,TEXT\n1,2,"a\nb"\n', [",", '""', '"'], 200],
  [
    "rows",
    "a.jsonl",
    '{"id":"a","text":"One.","tags":["x"]}\n{"sections":[{"title":"t","text":"x"}]}\n',
    jsonMarks,
    200,
  ],
  ["text", "a.txt", "One.\n\nTwo ü.\n", [], 100],
];

const kinds = new Set(sourceKinds.map(({ name }) => name));

describe("damaged files", () => {
  test.each(cases)("of kind %s (%s) end with documents and failures", async (kind, name, bytes, marks, runs) => {
    let documents = 0;
    await fc.assert(
      fc.asyncProperty(damaged(Buffer.from(bytes as string), marks), async (some) => {
        documents += (await readAs(name, some, { kind })).documents.length;
      }),
      fuzzRuns(runs),
    );
    expect(documents).toBeGreaterThan(0);
  });

  test.each([
    [
      "a.zip",
      zipOf([
        { name: "a.txt", bytes: "One." },
        { name: "b.xml", bytes: trial },
      ]),
    ],
    [
      "a.tar",
      tarOf([
        { name: "a.txt", bytes: "One." },
        { name: "b.xml", bytes: trial },
      ]),
    ],
    [
      "a.tar.gz",
      gzipSync(
        tarOf([
          { name: "a.txt", bytes: "One." },
          { name: "b.xml", bytes: trial },
        ]),
      ),
    ],
  ])("%s ends with documents and failures", async (name, bytes) => {
    let documents = 0;
    await fc.assert(
      fc.asyncProperty(damaged(bytes, ["PK\u0001\u0002", "PK\u0003\u0004", "ustar", "\0\0\0\0"]), async (some) => {
        documents += (await readAs(name, some)).documents.length;
      }),
      fuzzRuns(200),
    );
    expect(documents).toBeGreaterThan(0);
  });

  test("of any bytes are of one kind or of none", async () => {
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(...cases.map(([, , bytes]) => Buffer.from(bytes as string))).chain((bytes) => damaged(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(contents, fc.constantFrom("a", "a.txt", "a.xml", "a.csv", "a.html"), async (bytes, name) => {
        const { documents } = await readAs(name, bytes);
        expect(documents.every((one) => kinds.has(one.kind))).toBe(true);
      }),
      fuzzRuns(300),
    );
  });
});

const megabytes = (count: number): number => count * 2 ** 20;

/** A file of a start, one piece many times, and an end, which is never whole in memory. */
function giant(
  kind: string,
  start: string,
  piece: string,
  times: number,
  end: string,
): { read(): ReturnType<typeof collect> } {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(start);
    const block = Buffer.from(piece.repeat(Math.ceil(megabytes(1) / piece.length)));
    for (let given = 0; given < times * piece.length; given += block.length) yield block;
    yield Buffer.from(end);
  }
  const found = sourceKinds.find(({ name }) => name === kind)!;
  const input: SourceInput = {
    name: "giant",
    scope: "giant",
    head: `${start}${piece.repeat(20_000)}`.slice(0, 1 << 16),
    bytes: bytes(),
  };
  return {
    read: () => {
      const events = found.read(input, { source: "s" });
      return collect(
        (async function* () {
          try {
            yield* events;
          } catch (error) {
            yield {
              kind: "failure",
              failure: { source: "giant", offset: null, line: null, message: (error as Error).message },
            } as const;
          }
        })(),
      );
    },
  };
}

describe("giant files", () => {
  const small =
    "<article><front><article-meta><title-group><article-title>Small</article-title></title-group></article-meta></front></article>";
  test.each([
    [
      "jats",
      "<articles><article><body><p>",
      "text ",
      megabytes(40),
      `</p></body></article>${small}</articles>`,
      1,
      /record larger than 33554432 bytes/,
    ],
    [
      "jats",
      "<articles><article><body>",
      "<p/>",
      8_000_000,
      `</body></article>${small}</articles>`,
      1,
      /more than 2000000 elements|larger than/,
    ],
    [
      "jats",
      "<articles><article>",
      "<sec>",
      2000,
      `</article>${small}</articles>`,
      1,
      /nested more than 256 deep|unexpected close tag/,
    ],
    [
      "patents",
      "<us-patent-grant><description><p>",
      "claim ",
      megabytes(4),
      "</p></description></us-patent-grant>",
      0,
      /at most 2097152 characters/,
    ],
    [
      "rows",
      '{"text":"',
      "text ",
      megabytes(40),
      '"}\n{"id":"b","text":"Small"}\n',
      1,
      /a line of at most 16777216 bytes/,
    ],
    ["text", "", "text ", megabytes(40), "", 0, /at most 6291456 bytes/],
    ["html", "<html><p>", "text ", megabytes(40), "", 0, /at most 16777216 bytes/],
    ["pdf", "%PDF-1.7 ", "text ", megabytes(40), "", 0, /at most 134217728 bytes/],
    ["clinicaltrials", '{"studies":[\n', "1,", megabytes(100), "1]}", 0, /at most 67108864 bytes/],
  ] as const)(
    "of kind %s in one element (%s...) are failures, the rest goes on, memory stays bounded",
    async (kind, start, piece, times, end, documents, problem) => {
      const before = process.memoryUsage().rss;
      const read = await giant(kind, start, piece, times, end).read();
      expect(read.documents).toHaveLength(documents);
      expect(read.failures.join("\n")).toMatch(problem);
      expect(process.memoryUsage().rss - before).toBeLessThan(megabytes(1500));
    },
  );
});
