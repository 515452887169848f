import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { countWords, type TextRow, titleAndText } from "./text.ts";
import { readTexts, type ReadTextsOptions } from "./texts.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-texts-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function textsOf(contents: string, options: ReadTextsOptions = {}): Promise<TextRow[]> {
  const path = join(folder, "texts");
  writeFileSync(path, contents);
  const rows: TextRow[] = [];
  for await (const row of readTexts(path, options)) rows.push(row);
  return rows;
}

describe("readTexts", () => {
  test("takes lines as they are, named by their numbers", async () => {
    expect(await textsOf("One.\n\n  Two.\r\n{three}\n")).toEqual([
      { id: "1", text: "One." },
      { id: "3", text: "  Two." },
      { id: "4", text: "{three}" },
    ]);
  });

  test("takes id, title and text of JSON lines", async () => {
    const lines = [
      { id: "a", title: "T", text: "x" },
      { _id: "b", abstract: "y", title: null },
      { id: 3, _id: "c", text: "z" },
      { text: "" },
    ];
    const rows = await textsOf(`\n${lines.map((line) => JSON.stringify(line)).join("\n")}`);
    expect(rows).toEqual([
      { id: "a", title: "T", text: "x" },
      { id: "b", title: "", text: "y" },
      { id: "3", title: "", text: "z" },
      { id: "5", title: "", text: "" },
    ]);
    expect(rows.map(titleAndText)).toEqual(["T x", "y", "z", ""]);
  });

  test("refuses a text beyond the limit, with its line and field", async () => {
    const long = "a".repeat(2 ** 21 + 1);
    const said = (field: string): string =>
      `texts:1: expected at most 2097152 characters in "${field}", got 2097153: make several documents of it`;
    await expect(textsOf(long)).rejects.toThrow(said("text"));
    for (const field of ["text", "abstract", "title"]) {
      await expect(
        textsOf(JSON.stringify({ text: "short", [field]: long, ...(field === "abstract" ? { text: undefined } : {}) })),
      ).rejects.toThrow(said(field));
    }
    expect(await textsOf(long.slice(1))).toHaveLength(1);
  });

  test("takes the rows of a table, whatever its columns are called", async () => {
    const path = join(folder, "texts.csv");
    writeFileSync(path, 'pmid;title;abstract;note\n7;T;"One; two.";n\n;;Three.;\n');
    const rows: TextRow[] = [];
    for await (const row of readTexts(path, { columns: { id: "pmid", text: "abstract" } })) rows.push(row);
    expect(rows).toEqual([
      { id: "7", title: "T", text: "One; two." },
      { id: "3", title: "", text: "Three." },
    ]);
    writeFileSync(path, "body\nx\n");
    await expect(readTexts(path).next()).rejects.toThrow(
      `${path}:2: expected a string in "text" or "abstract", got other or none\nHint: the columns are body;`,
    );
  });

  test("keeps blank lines where they are asked for", async () => {
    expect((await textsOf("a\n\nb\n", { keepBlank: true })).map(({ text }) => text)).toEqual(["a", "", "b"]);
  });

  test.each([
    ['{"text": 5}', /texts:1: expected a string in "text" or "abstract"/],
    ['{"text": "a"}\nplain', /texts:2: expected a JSON object, got "plain"\nHint: the first text begins with a brace/],
    ['{"text": "a"}\n{"text": "b", "title": 1}', /texts:2: expected a string in "title"/],
    ["{curly}", /texts:1: expected a JSON object, got "\{curly\}"/],
  ])("refuses %j", async (contents, message) => {
    await expect(textsOf(contents)).rejects.toThrow(DataError);
    await expect(textsOf(contents)).rejects.toThrow(message);
  });
});

test("a title stands before its text, and words are parted by white space", () => {
  expect(titleAndText({ title: "T.", text: "x y" })).toBe("T. x y");
  expect(titleAndText({ title: "", text: "x" })).toBe("x");
  expect(titleAndText({ text: "x" })).toBe("x");
  expect(countWords("one  two\nthree")).toBe(3);
});
