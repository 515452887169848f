import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readLabelled } from "./labelled.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-labelled-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

describe("texts with labels", () => {
  test("come from a table as from JSON lines, under the names of its columns", async () => {
    const expected = await readLabelled(
      file("a.jsonl", '{"text":"One, two.","label":"yes"}\n{"text":"3","label":"no"}\n'),
    );
    expect(await readLabelled(file("a.csv", 'label,text\nyes,"One, two."\nno,3\n'))).toEqual(expected);
    const named = file("b.tsv", "class\tabstract\nyes\tOne, two.\nno\t3\n");
    expect(await readLabelled(named, { text: "abstract", label: "class" })).toEqual(expected);
  });

  test("have several labels in a cell where the column is called so", async () => {
    const { multiLabel, examples } = await readLabelled(file("c.csv", "text,labels\nx,a | b\ny,\n"));
    expect(multiLabel).toBe(true);
    expect(examples.map(({ labels }) => labels)).toEqual([["a", "b"], []]);
  });

  test("are refused without a column of labels, with the columns that there are", async () => {
    const path = file("d.csv", "text,class\nx,a\n");
    await expect(readLabelled(path)).rejects.toThrow(`${path}:2: expected "label" or "labels", got`);
    await expect(readLabelled(path)).rejects.toThrow("the columns are text, class; --text-column, --label-column");
  });
});
