import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { type ColumnNames, readRows, type TableRow } from "./csv.ts";
import { readJsonLines } from "./json.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-csv-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

async function rows(path: string, columns?: ColumnNames): Promise<TableRow[]> {
  const all: TableRow[] = [];
  for await (const row of readRows(path, { columns })) all.push(row);
  return all;
}

const values = async (name: string, contents: string | Uint8Array): Promise<TableRow["value"][]> =>
  (await rows(file(name, contents))).map(({ value }) => value);

describe("readRows", () => {
  test("reads quotes, line ends of every kind and blank lines, and counts lines", async () => {
    const path = file("a.csv", '\uFEFFid,text\r\n1,"a, ""b""\nline"\n\n2,he said "no"\r\n3');
    expect(await rows(path)).toEqual([
      { number: 3, value: { id: "1", text: 'a, "b"\nline' } },
      { number: 5, value: { id: "2", text: 'he said "no"' } },
      { number: 6, value: { id: "3", text: "" } },
    ]);
  });

  test("finds the separator in the first line, outside quotes", async () => {
    for (const mark of [",", "\t", ";", "|"]) {
      const contents = `"a${mark === "," ? ";;;" : ",,,"}"${mark}text\n1${mark}"x${mark}y"\n`;
      expect((await values("b.csv", contents))[0]!["text"]).toBe(`x${mark}y`);
    }
    expect(await values("one.csv", "text\na;b\n")).toEqual([{ text: "a;b" }]);
    expect(await values("one.tsv", "text\na, b\n")).toEqual([{ text: "a, b" }]);
  });

  test("reads what spreadsheets write in UTF-16, and what is packed", async () => {
    const expected = [{ id: "1", text: "naïve α" }];
    expect(await values("c.tsv", Buffer.from("\uFEFFid\ttext\r\n1\tnaïve α\r\n", "utf16le"))).toEqual(expected);
    expect(await values("c.csv.gz", gzipSync("id,text\n1,naïve α\n"))).toEqual(expected);
  });

  test("names the file and what does not fit", async () => {
    const cases: [string | Uint8Array, RegExp][] = [
      ['id,text\n1,"abc\n', /line 2: expected a quote that closes the cell, got the end/],
      ["id,text\n1,2,3\n", /line 2: expected 2 cells, as the first row has, got 3/],
      ["id,id\n1,2\n", /expected columns of different names, got "id" twice/],
      [Buffer.from("id,text\n1,caf\xe9\n", "latin1"), /expected UTF-8, got other bytes/],
      [`text\n"${"x".repeat(17 << 20)}`, /expected a row of at most 16777216 bytes, got a longer one/],
    ];
    for (const [contents, said] of cases) {
      const path = file("bad.csv", contents);
      await expect(rows(path)).rejects.toThrow(said);
      await expect(rows(path)).rejects.toThrow(path);
    }
    await expect(rows(join(folder, "none.csv"))).rejects.toThrow(DataError);
  });

  test("finds fields under other names, and says which there are", async () => {
    const path = file("d.csv", "pmid,abstract,class\n7,Text.,a\n");
    const columns = { id: "pmid", text: "abstract", label: "class" };
    expect((await rows(path, columns))[0]!.value).toMatchObject({ id: "7", text: "Text.", label: "a" });
    await expect(rows(path, { text: "body" })).rejects.toThrow('expected a column "body", got pmid, abstract, class');
  });

  test("gives back whatever is written with quotes", async () => {
    const cell = fc.string({ unit: "binary", maxLength: 8 }).filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 6 }), async (table) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const contents = [["a", "b"], ...table].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
        expect(await values("any.csv", contents)).toEqual(table.map(([a, b]) => ({ a, b })));
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});

describe("records of a table", () => {
  const schema = z.object({ text: z.string(), label: z.string() });

  test("are those of JSON lines", async () => {
    const expected = [{ text: "One, two.", label: "a" }];
    expect(await readJsonLines(file("e.csv", 'label,text\na,"One, two."\n'), schema)).toEqual(expected);
    expect(await readJsonLines(file("e.jsonl", JSON.stringify(expected[0])), schema)).toEqual(expected);
  });

  test("say what a row lacks and how its columns are named", async () => {
    const path = file("f.csv", "body,label\nx,a\n");
    await expect(readJsonLines(path, schema)).rejects.toThrow(
      `${path}:2: text: expected string, got nothing\nHint: the columns are body, label; --text-column,`,
    );
  });
});
