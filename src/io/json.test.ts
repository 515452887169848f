import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { readJson, readJsonEntries, readJsonLines, readSettings, streamOwnLines, writeJsonLines } from "./json.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-json-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

const schema = z.object({ size: z.number().default(3) });

describe("JSON files", () => {
  test("are checked, a byte order mark before them or not", async () => {
    expect(await readJson(file("a.json", '\uFEFF{"size": 4}'), schema)).toEqual({ size: 4 });
    await expect(readJson(file("b.json", '{"size": "4"}'), schema)).rejects.toThrow(
      new DataError(`${join(folder, "b.json")}: size: expected number, got "4"`),
    );
    await expect(readJson(file("b.json", '{"size": "4"}'), schema, "make it")).rejects.toThrow(/\nHint: make it/);
    await expect(readJson(file("c.json", "{"), schema)).rejects.toThrow(/c\.json: expected JSON, got /);
    await expect(readJson(join(folder, "none.json"), schema, "make it")).rejects.toThrow(
      /none\.json: expected a readable file, got ENOENT.*\nHint: make it/,
    );
    await expect(readJson(file("d.json", Buffer.from("{\xe9}", "latin1")), schema)).rejects.toThrow(
      /d\.json: expected a readable file, got other bytes than UTF-8/,
    );
  });

  test("of settings may be missing, and are the configuration's fault where they are wrong", async () => {
    expect(await readSettings(join(folder, "none.json"))).toBeUndefined();
    expect(await readSettings(join(folder, "none.json"), schema)).toBeUndefined();
    expect(await readSettings(join(folder, "none.json"), schema, {})).toEqual({ size: 3 });
    expect(await readSettings(file("e.json", '{"other": 1}'))).toEqual({ other: 1 });
    for (const contents of ["{", "[1]", "null", "1"]) {
      await expect(readSettings(file("f.json", contents))).rejects.toThrow(ConfigError);
    }
    await expect(readSettings(folder)).rejects.toThrow(ConfigError);
  });

  test("of entries keep the order of keys that are numbers", async () => {
    const path = file("g.json", '{"9": {"size": 1}, "a\\"2\\": {": {"size": 2}, "10": {}}');
    expect(await readJsonEntries(path, schema)).toEqual([
      ["9", { size: 1 }],
      ['a"2": {', { size: 2 }],
      ["10", { size: 3 }],
    ]);
  });
});

describe("JSON lines", () => {
  test("are checked, blank ones left out", async () => {
    expect(await readJsonLines(file("a.jsonl", '{"size": 1}\r\n\n  \n{}'), schema)).toEqual([{ size: 1 }, { size: 3 }]);
    await expect(readJsonLines(file("b.jsonl", '{}\n\n{"size": null}'), schema)).rejects.toThrow(
      /b\.jsonl:3: size: expected number, got null/,
    );
    await expect(readJsonLines(file("c.jsonl", "{}\n{"), schema)).rejects.toThrow(/c\.jsonl:2: expected JSON, got/);
  });

  test("that were written are read as they were, and of any length", async () => {
    const path = join(folder, "own.jsonl");
    const values = [{ text: "\u2028\n" }, { text: "x".repeat(70 << 20) }];
    expect(await writeJsonLines(path, values)).toBe(2);
    const read: unknown[] = [];
    for await (const value of streamOwnLines(path)) read.push(value);
    expect(read).toEqual(values);
  });

  test("appear under their name when all are there, and not at all where one is lost", async () => {
    const path = join(folder, "late.jsonl");
    async function* failing(): AsyncGenerator<object> {
      yield { a: 1 };
      expect(existsSync(path)).toBe(false);
      throw new DataError("lost");
    }
    await expect(writeJsonLines(path, failing())).rejects.toThrow("lost");
    const controller = new AbortController();
    async function* aborted(): AsyncGenerator<object> {
      yield { a: 1 };
      controller.abort(new Error("enough"));
    }
    await expect(writeJsonLines(path, aborted(), { signal: controller.signal })).rejects.toThrow("enough");
    expect(readdirSync(folder).filter((name) => name.startsWith("late"))).toEqual([]);
    await writeJsonLines(path, [{ a: 1 }, { b: "é" }]);
    expect(readFileSync(path, "utf8")).toBe('{"a":1}\n{"b":"é"}\n');
  });
});
