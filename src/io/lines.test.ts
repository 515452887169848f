import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import { DataError } from "../errors.ts";
import { type BadLine, type Line, readLines, splitLines } from "./lines.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const textsOf = async (path: string): Promise<string[]> => (await collect(readLines(path))).map(({ text }) => text);

/** The lines of bytes that come `size` at a time. */
function cut(bytes: Uint8Array, size: number, limit?: number): Promise<(Line | BadLine)[]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  }
  return collect(splitLines(chunks(), { limit }));
}

describe("readLines", () => {
  test("ends a line at a line feed, with a carriage return before it or without, and at nothing else", async () => {
    const path = file("ends.txt", "one\r\ntwo\u2028still two\rand still\n\n\u0085four\r");
    expect(await collect(readLines(path))).toEqual([
      { number: 1, text: "one" },
      { number: 2, text: "two\u2028still two\rand still" },
      { number: 3, text: "" },
      { number: 4, text: "\u0085four\r" },
    ]);
  });

  test("takes a byte order mark away from the first line alone", async () => {
    expect(await textsOf(file("mark.txt", "\uFEFFa\n\uFEFFb\n"))).toEqual(["a", "\uFEFFb"]);
    expect(await textsOf(file("empty.txt", ""))).toEqual([]);
    expect(await textsOf(file("blank.txt", "\n"))).toEqual([""]);
  });

  test("reads what is compressed", async () => {
    expect(await textsOf(file("packed.txt.gz", gzipSync("a\nb")))).toEqual(["a", "b"]);
  });

  test("names the line that is not UTF-8, a character cut off at the end included", async () => {
    const latin = Buffer.from("caf\xe9", "latin1");
    const path = file("latin.txt", Buffer.concat([Buffer.from("ok\n"), latin, Buffer.from("\nok")]));
    await expect(textsOf(path)).rejects.toThrow(new DataError(`${path}:2: expected UTF-8, got other bytes`));
    await expect(textsOf(file("cut.txt", Buffer.from("café").subarray(0, -1)))).rejects.toThrow(/cut\.txt:1: .*UTF-8/);
  });

  test("names a file that is missing, is a folder, or is damaged", async () => {
    await expect(textsOf(join(folder, "none.txt"))).rejects.toThrow(/none\.txt: expected a readable file, got ENOENT/);
    await expect(textsOf(folder)).rejects.toThrow(/expected a readable file, got EISDIR/);
    const damaged = file("damaged.gz", gzipSync("a\n".repeat(1000)).subarray(0, -9));
    await expect(textsOf(damaged)).rejects.toThrow(
      /damaged\.gz: expected a readable file, got the gzip file is cut short/,
    );
  });

  test("reads a line of 60 MB where it is asked to, and refuses what is beyond the limit as soon as it is", async () => {
    const long = file("long.txt", Buffer.concat([Buffer.alloc(60e6, "x"), Buffer.from("\nend")]));
    const lines = await collect(readLines(long, { limit: Infinity }));
    expect(lines.map(({ text }) => text.length)).toEqual([60e6, 3]);
    await expect(collect(readLines(long))).rejects.toThrow(
      /long\.txt:1: expected a line of at most 16777216 bytes, got a longer one/,
    );
    // The limit is told at once, not at the line's end, which may never come.
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(1 << 16).fill(120);
    }
    expect((await splitLines(endless()).next()).value).toMatchObject({ number: 1 });
  });

  test("stops where it is aborted", async () => {
    const controller = new AbortController();
    const lines = readLines(file("many.txt", "a\n".repeat(10)), { signal: controller.signal });
    await lines.next();
    controller.abort();
    await expect(lines.next()).rejects.toBe(controller.signal.reason);
  });
});

describe("splitLines", () => {
  test("goes on behind a line that is too long or is not UTF-8", async () => {
    const bytes = Buffer.concat([Buffer.from("long line\nok\n"), Buffer.of(0xff), Buffer.from("\nok\nlong again")]);
    for (const size of [1, 4, 100]) {
      expect(await cut(bytes, size, 5)).toEqual([
        { number: 1, problem: "expected a line of at most 5 bytes, got a longer one" },
        { number: 2, text: "ok" },
        { number: 3, problem: "expected UTF-8, got other bytes" },
        { number: 4, text: "ok" },
        { number: 5, problem: "expected a line of at most 5 bytes, got a longer one" },
      ]);
    }
  });

  test("gives the same lines however the bytes come", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "𝛼", "\n", "\r\n", "\u2028") });
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (text, size) => {
        const expected = text.split(/\r?\n/);
        if (expected.at(-1) === "") expected.pop();
        const lines = await cut(Buffer.from(text), size);
        expect(lines).toEqual(expected.map((text, i) => ({ number: i + 1, text })));
      }),
    );
  });

  test("copies every byte of a long line once, however many chunks it comes in", async () => {
    const concat = vi.spyOn(Buffer, "concat");
    try {
      const lines = await cut(Buffer.alloc(100_000, "x"), 10);
      expect(lines).toHaveLength(1);
      const copied = concat.mock.calls.flatMap(([parts]) => parts.map((part) => part.length));
      expect(copied.reduce((sum, length) => sum + length, 0)).toBe(100_000);
    } finally {
      concat.mockRestore();
    }
  });
});
