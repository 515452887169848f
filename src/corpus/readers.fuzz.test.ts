/** Damaged files of every kind that is read line by line or record by record. Parquet has a file of its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { damaged, endsWell, fuzzRuns } from "../../test/support/fuzz.ts";
import { readLabelled } from "../tasks/labelled.ts";
import { readDocuments } from "./documents.ts";
import { importPubMed } from "./pubmed/import.ts";
import { readPubMed } from "./pubmed/reader.ts";
import { readTexts } from "./texts.ts";
import { openTokens, writeTokens } from "./token-files.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

const article = (
  pmid: number,
): string => `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">${pmid}</PMID>
  <Article><Journal><JournalIssue><PubDate><MedlineDate>1984-85 Jan</MedlineDate></PubDate></JournalIssue></Journal>
  <ArticleTitle>T&#945; &amp; <i>t</i></ArticleTitle><Abstract><AbstractText Label="AIM"><![CDATA[a < b]]></AbstractText>
  </Abstract><ELocationID EIdType="doi" ValidYN="Y">10.1/x</ELocationID></Article><!-- c --></MedlineCitation></PubmedArticle>`;
const xml = Buffer.from(
  `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE PubmedArticleSet><PubmedArticleSet>${[1, 2, 3].map(article).join("\n")}
  <DeleteCitation><PMID>9</PMID></DeleteCitation></PubmedArticleSet>`,
);
const xmlMarks = [
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<PubmedArticle>",
  "</PubmedArticle>",
  "<",
  ">",
  "&",
  "<!DOCTYPE [",
];
const jsonl = Buffer.from(
  '{"id":"a","title":"T","text":"One."}\n{"text":"Zwei, ü.","label":"x","labels":null}\r\n{"abstract":"3"}\n',
);
const jsonMarks = ["{", "}", "[", "]", ":", ",", "\\", "\\u", "1e999", "null"];
const csv = Buffer.from('id,title,text,label\n1,T,"One, ""two"".",a\r\n2,,"Drei\nü",b\n');
const csvMarks = [",", ";", "\t", '""', "\r", "\r\n"];

/** Tries damaged contents under a name. */
async function fuzz(
  name: string,
  contents: fc.Arbitrary<Buffer>,
  runs: number,
  read: (path: string) => AsyncIterable<unknown> | Promise<unknown>,
): Promise<void> {
  const path = join(folder, name);
  await fc.assert(
    fc.asyncProperty(contents, async (bytes) => {
      writeFileSync(path, bytes);
      await endsWell(() => read(path));
    }),
    fuzzRuns(runs),
  );
}

const documentsOf = (path: string): AsyncIterable<unknown> => readDocuments([path], { onFailure: () => {} });

describe("a damaged file ends with values, or an error that can be explained:", { timeout: 600_000 }, () => {
  test("XML", async () => {
    await fuzz("a.xml", damaged(xml, xmlMarks), 1000, (path) => readPubMed([path]));
    await fuzz("a.xml", damaged(xml, xmlMarks), 200, documentsOf);
  });

  test("packed XML, packed whole or damaged itself", async () => {
    const packed = fc.oneof(
      damaged(xml, xmlMarks).map((bytes) => gzipSync(bytes)),
      damaged(gzipSync(xml)),
    );
    await fuzz("a.xml.gz", packed, 1000, (path) => readPubMed([path]));
  });

  test("imports, of which nothing stays where they fail", async () => {
    const output = join(folder, "set");
    const made = fc.oneof(
      damaged(xml, xmlMarks).map((bytes) => gzipSync(bytes)),
      damaged(gzipSync(xml)),
    );
    await fuzz("b.xml.gz", made, 100, async (path) => {
      rmSync(output, { recursive: true, force: true });
      await importPubMed({ inputs: [path], output, workers: 0 });
    });
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("JSON lines", async () => {
    await fuzz("a.jsonl", damaged(jsonl, jsonMarks), 1000, documentsOf);
    await fuzz("a.jsonl", damaged(jsonl, jsonMarks), 300, (path) => readTexts(path));
    await fuzz("a.jsonl", damaged(jsonl, jsonMarks), 300, (path) => readLabelled(path));
    await fuzz("a.jsonl.gz", damaged(gzipSync(jsonl)), 300, documentsOf);
  });

  test("tables", async () => {
    await fuzz("a.csv", damaged(csv, csvMarks), 1000, documentsOf);
    await fuzz("a.tsv", damaged(csv, csvMarks), 300, (path) => readTexts(path));
    await fuzz("a.csv", damaged(csv, csvMarks), 300, (path) => readLabelled(path));
  });

  test("token files, index and ids", async () => {
    const prefix = join(folder, "tokens");
    const writer = await writeTokens(prefix, { vocabSize: 100 });
    for (const ids of [[1, 2, 3], [], [99], Array.from({ length: 50 }, (_, i) => i)]) await writer.write(ids);
    await writer.close();
    const good = { idx: readFileSync(`${prefix}.idx`), bin: readFileSync(`${prefix}.bin`) };
    const read = async (): Promise<void> => {
      using tokens = openTokens(prefix);
      expect(tokens.read(0, tokens.tokens)).toHaveLength(tokens.tokens);
    };
    for (const kind of ["idx", "bin"] as const) {
      await fuzz(`tokens.${kind}`, damaged(good[kind]), 1000, read);
      writeFileSync(`${prefix}.${kind}`, good[kind]);
    }
  });
});
