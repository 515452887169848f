import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteFile } from "hyparquet-writer/src/node.js";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import { readSources } from "./open.ts";
import { rowDate } from "./row-values.ts";

describe("rows", () => {
  test("of JSON lines are documents, their other scalars metadata; bad lines are failures", async () => {
    const lines = [
      {
        id: 1,
        title: " A\ntitle ",
        text: "One.\r\nTwo.",
        abstract: "Short.",
        license: "CC-BY-4.0 (per table)",
        year: 1999,
        tags: ["x", 2],
        ok: true,
      },
      { doi: "10.1/x", text: ["p1", "p2"], lang: "eng", date: "2001-02-03T00:00:00Z", deep: { no: 1 } },
      { id: "1", text: "again" },
      { id: "pmid:7", sections: [{ title: "S", kind: "table", text: "a\tb" }], metadata: { journal: "J" } },
      { id: "2", title: "no text" },
      { text: "no id", date: "spring", language: "Klingon" },
    ].map((line) => JSON.stringify(line));
    const { documents, failures } = await readAs("r.jsonl", `${lines.join("\n")}\n[1]\n{"id":\n`);
    expect(failures).toEqual([
      "r.jsonl:5: expected a column of text, got none of text, body, body_text, content, abstract",
      "r.jsonl:7: expected a JSON object, got [1]",
      'r.jsonl:8: expected JSON, got "{\\"id\\":"',
    ]);
    expect(documents.map(({ id }) => id)).toEqual(["r.jsonl:1", "doi:10.1/x", "r.jsonl:1#2", "pmid:7", "r.jsonl:6"]);
    expect(documents[0]).toMatchObject({
      title: "A title",
      date: "1999",
      licence: "CC-BY-4.0",
      metadata: { tags: ["x", "2"], ok: "true" },
    });
    expect(outline(documents[0]!)).toEqual(["[abstract] : Short.", "[text] : One.\nTwo."]);
    expect(documents[1]).toMatchObject({ language: "en", date: "2001-02-03", metadata: {} });
    expect(outline(documents[1]!)).toEqual(["[text] : p1\n\np2"]);
    expect(documents[3]!.metadata).toEqual({ journal: "J" });
    expect(outline(documents[3]!)).toEqual(["[table] S: a\tb"]);
    expect(documents[4]).toMatchObject({
      date: null,
      language: null,
      metadata: { date: "spring", language: "Klingon" },
    });
  });

  test("of CSV and TSV are read by their columns, a row of too many cells is a failure", async () => {
    const csv = 'id,Title,Body,note\r\na,T,"One, ""two"".\nThree.",x\r\nb,T,y,z,too many\r\nc,,four,\r\n';
    const { documents, failures } = await readAs("r.csv", csv);
    expect(documents.map((one) => [one.id, one.title, outline(one)[0], one.metadata])).toEqual([
      ["r.csv:a", "T", '[text] : One, "two".\nThree.', { note: "x" }],
      ["r.csv:c", "", "[text] : four", {}],
    ]);
    expect(failures).toEqual(["r.csv:4: expected 4 cells, as the first row has, got 5"]);
    expect(outline((await readAs("r.tsv", "id\ttext\n1\ta, b\n")).documents[0]!)).toEqual(["[text] : a, b"]);
  });

  test("have their fields in the columns that settings name, and say which is missing", async () => {
    const columns = { text: "Beschreibung", id: "Nr" };
    const { documents } = await readAs("r.csv", "Nr,Beschreibung\n7,Text\n", { columns });
    expect([documents[0]!.id, outline(documents[0]!)]).toEqual(["r.csv:7", ["[text] : Text"]]);
    const { failures } = await readAs("r.csv", "id,text\n7,Text\n", { columns });
    expect(failures).toEqual(['r.csv: cannot be read on: expected "Beschreibung" for text, got id, text']);
  });

  test("of Parquet are read, of compressed Parquet refused with what to do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "galen-rows-"));
    const path = join(folder, "r.parquet");
    parquetWriteFile({
      filename: path,
      columnData: [
        { name: "pmid", data: [1n, 2n], type: "INT64" },
        { name: "text", data: ["one", "two"], type: "STRING" },
        { name: "score", data: [0.5, 1], type: "DOUBLE" },
      ],
    });
    let raw = 0;
    const { documents } = await collect(readSources([path], { onRaw: (chunk) => void (raw += chunk.length) }));
    expect(documents.map(({ id, metadata }) => [id, metadata])).toEqual([
      ["pmid:1", { score: "0.5" }],
      ["pmid:2", { score: "1" }],
    ]);
    expect(raw).toBeGreaterThan(100);
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["2015", "2015"],
    ["2015-3", "2015-03"],
    ["2015/03/07", "2015-03-07"],
    ["20150307", "2015-03-07"],
    ["2015-03-07 12:00:00", "2015-03-07"],
    ["March 7, 2015", "2015-03-07"],
    ["2015-02-31", "2015-02"],
    ["7.3.2015", null],
    ["", null],
  ])("a date as %j is %j", (text, date) => {
    expect(rowDate(text)).toBe(date);
  });

  test.runIf(hasShared("data/corpus"))(
    "of shared texts all are documents with a licence, identifiers unique and the same each time",
    async () => {
      const read = (): ReturnType<typeof collect> =>
        collect(readSources(["nih-questions", "abstracts"].map((name) => shared(`data/corpus/${name}.jsonl.zst`))));
      const { documents, failures } = await read();
      expect(failures).toEqual([]);
      expect(documents).toHaveLength(5415 + 8080);
      expect(documents.every(({ licence }) => licence === "CC-BY-4.0")).toBe(true);
      const ids = documents.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect((await read()).documents.map(({ id }) => id)).toEqual(ids);
    },
  );
});
