import { array, assert, asyncProperty, constantFrom, integer, nat, record as object } from "fast-check";
import { describe, expect, test } from "vitest";
import { pubmedNames } from "../pubmed/reader.ts";
import { splitRecords, type SplitFailure, type SplitterOptions } from "./record-splitter.ts";

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function split(text: string | Uint8Array, options: SplitterOptions = {}, size = 1 << 20) {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const records: string[] = [];
  const failures: SplitFailure[] = [];
  for await (const part of splitRecords(chunked(bytes, size), pubmedNames, options)) {
    if (!("ranges" in part)) failures.push(part);
    else {
      for (let index = 0; index < part.ranges.length; index += 2) {
        const start = part.ranges[index]!;
        const record = part.buffer.toString("utf8", start, part.ranges[index + 1]);
        expect(Buffer.from(bytes).toString("utf8", part.offset + start, part.offset + part.ranges[index + 1]!)).toBe(
          record,
        );
        records.push(record);
      }
    }
  }
  return { records, failures };
}

const one = "<PubmedArticle>one</PubmedArticle>";
const two = '<PubmedArticle a="b">two</PubmedArticle >';
const book = "<PubmedBookArticle>book</PubmedBookArticle>";
const deletion = "<DeleteCitation>1</DeleteCitation>";
/** Space, so that small blocks begin before the records. */
const padded = (text: string): string => " ".repeat(300) + text;
const set = (body: string): string => `<?xml version="1.0"?>\n<PubmedArticleSet>\n${body}\n</PubmedArticleSet>\n`;

describe("splitRecords", () => {
  test("finds every kind of record", async () => {
    expect(await split(set([one, two, book, deletion].join("\n")))).toEqual({
      records: [one, two, book, deletion],
      failures: [],
    });
  });

  test.each([1, 7, 64])("finds the same records in chunks of %i bytes", async (size) => {
    const text = padded(
      set(`${one}<!-- <PubmedArticle> --><?p q?>${two}\n<PubmedArticle><!-- </PubmedArticle> --></PubmedArticle>`),
    );
    const whole = await split(text);
    expect(whole.records).toHaveLength(3);
    expect(whole.failures).toEqual([]);
    expect(await split(text, { blockBytes: size }, size)).toEqual(whole);
  });

  test("does not see tags in comments and CDATA", async () => {
    const record = "<PubmedArticle><![CDATA[</PubmedArticle>]]><!-- <PubmedArticle> --></PubmedArticle>";
    expect(await split(set(`<!-- ${one} -->${record}${two}`))).toEqual({ records: [record, two], failures: [] });
  });

  test("skips a DOCTYPE with an internal subset", async () => {
    const doctype = `<!DOCTYPE a [<!ENTITY x "<PubmedArticle>]>"><!-- ' ]> -->]>`;
    expect(await split(`${doctype}${set(one)}`)).toEqual({ records: [one], failures: [] });
  });

  test("loses only the record that has no end tag", async () => {
    const { records, failures } = await split(set(`${one}<PubmedArticle>cut ${book}${two}`));
    expect(records).toEqual([one, book, two]);
    expect(failures).toEqual([
      { offset: set("").indexOf("\n\n") + 1 + one.length, message: expect.stringMatching(/end tag/) },
    ]);
  });

  test("loses only the record with an unclosed comment", async () => {
    const broken = "<PubmedArticle><!-- open </PubmedArticle>";
    const { records } = await split(set(`${broken}${one}<PubmedArticle><!-- closed --></PubmedArticle>`));
    expect(records).toEqual([broken, one, "<PubmedArticle><!-- closed --></PubmedArticle>"]);
  });

  test("reports a file that is cut short, with its records so far", async () => {
    const { records, failures } = await split(set(one + two).slice(0, -60));
    expect(records).toEqual([one]);
    expect(failures.map(({ message }) => message).join()).toMatch(/cut short/);
    expect((await split(`<PubmedArticleSet>${one}`)).failures[0]?.message).toMatch(/end tag.*cut short/);
  });

  test("reports what stands between records", async () => {
    const { records, failures } = await split(set(`${one}<PubmedArtcle>lost</PubmedArtcle>${two}`));
    expect(records).toEqual([one, two]);
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toMatch(/got "<PubmedArtcle>lost/);
  });

  test("reports files that are not PubMed XML", async () => {
    expect((await split("")).failures[0]?.message).toMatch(/no records/);
    expect((await split("<article><p>JATS</p></article>")).failures).toHaveLength(1);
    expect((await split(Buffer.from(set(one), "utf16le"))).failures[0]?.message).toMatch(/UTF-16/);
    expect((await split(`<?xml version="1.0" encoding="ISO-8859-1"?>${one}`)).failures[0]?.message).toMatch(
      /ISO-8859-1/,
    );
  });

  test("an empty set is no failure, nor is a byte order mark", async () => {
    expect(await split(set(""))).toEqual({ records: [], failures: [] });
    expect(await split(`\uFEFF${set(one)}`)).toEqual({ records: [one], failures: [] });
  });

  test("reports a record over the limit and goes on", async () => {
    const large = `<PubmedArticle>${"x".repeat(5000)}</PubmedArticle>`;
    for (const blockBytes of [100, 1 << 20]) {
      const { records, failures } = await split(set(one + large + two), { recordLimit: 1000, blockBytes }, 90);
      expect(records).toEqual([one, two]);
      expect(failures).toEqual([{ offset: expect.any(Number), message: expect.stringMatching(/larger than 1000/) }]);
    }
  });

  test.each([
    ["declarations", `<PubmedArticle>${"<!x".repeat(1_000_000)}</PubmedArticle>`],
    ["closed comments", `<PubmedArticle>${"<!---->".repeat(500_000)}</PubmedArticle>`],
    ["records without an end", "<PubmedArticle>".repeat(300_000)],
    ["records of two kinds without an end", "<PubmedArticle><DeleteCitation>".repeat(150_000)],
    ["records with open comments", "<PubmedArticle><!--".repeat(200_000)],
    ["records with open comments and an end", "<PubmedArticle><!--</PubmedArticle>".repeat(150_000)],
    ["records with open sections", "<PubmedArticle><![CDATA[</PubmedArticle>".repeat(150_000)],
    ["end tags that do not end", "<PubmedArticle </PubmedArticle ".repeat(150_000)],
    ["comments between records", "<!--".repeat(500_000)],
    ["document types", '<!DOCTYPE "'.repeat(300_000)],
    ["instructions", "<?".repeat(1_000_000)],
    ["sets", "<PubmedArticleSet ".repeat(200_000)],
  ])("takes time that grows with the size: %s", { timeout: 10_000 }, async (_, xml) => {
    let parts = 0;
    for await (const part of splitRecords(chunked(Buffer.from(xml), 1 << 20), pubmedNames))
      parts += "ranges" in part ? 2 : 1;
    expect(parts).toBeGreaterThan(0);
  });

  test("on any damage: never throws, and what it gives does not depend on chunking", async () => {
    const text = padded(set(`${one}<!-- c -->${book}<PubmedArticle><![CDATA[x]]></PubmedArticle>${two}${deletion}`));
    const edit = object({
      at: nat(text.length),
      drop: nat(12),
      add: constantFrom("", "<", ">", "<!--", "]]>", "</PubmedArticle>", "\u0000"),
    });
    await assert(
      asyncProperty(array(edit, { maxLength: 3 }), integer({ min: 1, max: 50 }), async (edits, size) => {
        let damaged = text;
        for (const { at, drop, add } of edits) damaged = damaged.slice(0, at) + add + damaged.slice(at + drop);
        const whole = await split(damaged);
        const pieces = await split(damaged, { blockBytes: size }, size);
        expect(pieces.records).toEqual(whole.records);
        const intact = [one, book, two].filter((record) => damaged.includes(record));
        if (whole.records.length < intact.length) expect(whole.failures.length).toBeGreaterThan(0);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
