/** `galen search` over an index of the sample's records: formats, filters, similar records, what is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import type { Hit } from "../src/search/index.ts";
import { stdoutOf } from "./support/command-line.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-search-"));
const index = join(folder, "index");
const golden = (name: string): string => join(root, "test/goldens/retrieval", name);
beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await stdoutOf("index", join(root, "samples/pubmed-sample.xml"), "--output", index, "--model", golden("mean"));
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const search = (...args: string[]): Promise<string> => stdoutOf("search", "--index", index, ...args);
const hits = async (...args: string[]): Promise<Hit[]> =>
  (await search(...args, "--json"))
    .trimEnd()
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Hit]));

/** What a command that must fail says, and how it ends. */
async function refused(...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const code = await main(["search", "--index", index, ...args]);
  spy.mockReturnValue(true);
  return `${code}: ${written.join("")}`;
}

describe("galen search", () => {
  test("--json gives one line a hit: id, score, title, passage, offsets", async () => {
    const found = await hits("aspirin", "--limit", "3");
    expect(found).toHaveLength(3);
    for (const { id, score, title, passage, start, end } of found) {
      expect(id).toMatch(/^\d+$/);
      expect(score).toBeGreaterThan(0);
      expect(title).not.toBe("");
      expect(passage).toHaveLength(end - start);
    }
  });

  test.each(["text", "dense", "hybrid"])("--mode %s ranks the records", async (mode) => {
    const found = await hits("heart failure", "--mode", mode, "--limit", "5");
    expect(found).toHaveLength(5);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test("filters hold", async () => {
    const all = await hits("trial", "--mode", "text", "--limit", "200");
    const years = all.flatMap(({ year }) => year ?? []);
    const middle = years.toSorted((a, b) => a - b)[years.length >> 1]!;
    const late = await hits("trial", "--mode", "text", "--limit", "200", "--year", `${middle}:`);
    expect(late.length).toBeGreaterThan(0);
    expect(late.map(({ id }) => id).toSorted()).toEqual(
      all
        .filter(({ year }) => year !== null && year >= middle)
        .map(({ id }) => id)
        .toSorted(),
    );
    const [type] = all.flatMap(({ types }) => types);
    const typed = await hits("trial", "--type", type!.toUpperCase(), "--limit", "200");
    expect(typed.length).toBeGreaterThan(0);
    expect(typed.every(({ types }) => types.includes(type!))).toBe(true);
  });

  test("words need no quotes, PubMed's language does", async () => {
    expect(await search("heart", "failure")).toBe(await search("heart failure"));
    const found = await hits('"heart failure"[ti] OR aspirin[ti]', "--limit", "100", "--mode", "text");
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ title }) => /heart failure|aspirin/i.test(title))).toBe(true);
  });

  test("--similar gives other records", async () => {
    const [first] = await hits("aspirin", "--limit", "1");
    const found = await hits("--similar", first!.id, "--limit", "5");
    expect(found).toHaveLength(5);
    expect(found.map(({ id }) => id)).not.toContain(first!.id);
  });

  test("--rerank puts a model's scores in the place of ranks", async () => {
    const found = await hits("aspirin", "--rerank", golden("colbert"), "--limit", "5", "--reranked", "20");
    expect(found.every(({ ranks }) => ranks.rerank !== undefined)).toBe(true);
  });

  test("--facets counts values, on a line of their own with --json", async () => {
    expect(await search("aspirin", "--facets")).toMatch(/\nyears: \d{4} \(\d+\)/);
    const [last] = (await search("aspirin", "--facets", "--json")).trimEnd().split("\n").slice(-1);
    expect(JSON.parse(last!)).toMatchObject({ facets: { years: expect.any(Array) as unknown } });
  });

  test.each([
    ["csv", /^id,score,title/],
    ["ris", /^TY {2}- JOUR\r\n/],
    ["bibtex", /^@article\{/],
    ["text", /documents? match/],
  ])("--format %s, on stdout and in a file that is not replaced unasked", async (format, form) => {
    const printed = await search("aspirin", "--format", format, "--mode", "text");
    expect(printed).toMatch(form);
    const file = join(folder, `hits.${format}`);
    await search("aspirin", "--format", format, "--mode", "text", "--output", file);
    expect(readFileSync(file, "utf8")).toBe(printed);
    expect(await refused("aspirin", "--format", format, "--output", file)).toContain("--overwrite");
  });

  test.each([
    [["(aspirin AND"], "2: ", "character"],
    [[], "2: ", "QUERY or --similar"],
    [["aspirin", "--similar", "1"], "2: ", "both"],
    [["--similar", "no such record"], "1: ", "no such record"],
    [["aspirin", "--year", "20191"], "2: ", "--year"],
    [["aspirin", "--year", "2024:2019"], "2: ", "earlier year first"],
    [["aspirin", "--field", "arm"], "2: ", "NAME=VALUE"],
    [["aspirin", "--json", "--format", "csv"], "2: ", "--format"],
  ])("%j is refused", async (args, code, said) => {
    const error = await refused(...args);
    expect(error.startsWith(code)).toBe(true);
    expect(error).toContain(said);
  });
});

test("galen index --delete-list takes out what a compressed list names, and only that", async () => {
  const output = join(folder, "fewer");
  const input = join(folder, "three.jsonl");
  const lines = ["a", "b", "c"].map((id) => JSON.stringify({ id, text: `heart ${id}` }));
  writeFileSync(input, `${lines.join("\n")}\n`);
  const list = join(folder, "deleted.pmids.gz");
  writeFileSync(list, gzipSync("b\n\nnobody\r\nc\n"));
  await stdoutOf("index", input, "--output", output);
  const summary = await stdoutOf("index", "--output", output, "--delete-list", list, "--json");
  expect(JSON.parse(summary)).toMatchObject({ documents: 1, deleted: 2 });
});
