import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Triple } from "./extract.ts";
import { reviewScript } from "./review-script.ts";
import {
  type Decision,
  decisionKey,
  isReviewed,
  parseDecisions,
  parseNone,
  placeOf,
  trainingRelations,
} from "./review-state.ts";
import { writeReview } from "./review.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-review-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hostile = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> \u2028 https://example.org";
const documents = Array.from({ length: 40 }, (_, i) => ({
  id: `${i}`,
  title: i === 3 ? hostile : "",
  text: hostile + i,
}));
const triples = documents.flatMap(({ id }, i): Triple[] =>
  Array.from({ length: 1 + (i % 3) }, (_, k) => ({
    document: id,
    head: { name: hostile, at: null },
    tail: { name: `b${k}`, at: null },
    relation: k === 0 ? "effect" : "advise",
    sentences: [hostile],
    score: -1,
    tripleScore: k === 0 ? -0.5 : null,
    task: "tiny",
    decoder: {},
  })),
);
const lines = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");
writeFileSync(join(folder, "documents.jsonl"), lines(documents));
writeFileSync(join(folder, "triples.jsonl"), lines(triples));

interface PageData {
  readonly name: string;
  readonly relations: string[];
  readonly pages: string[];
  readonly documents: { readonly id: string; readonly triples: { readonly tail: { readonly name: string } }[] }[];
}

/** What a browser's parser takes for scripts: up to the first end tag, whatever stands in it. */
const scriptsOf = (page: string): string[] =>
  [...page.matchAll(/<script[^>]*>(.*?)<\/script/gis)].map(([, content]) => content!);
const dataOf = (name: string): PageData =>
  JSON.parse(scriptsOf(readFileSync(join(folder, name), "utf8"))[0]!) as PageData;

describe("the page", () => {
  test("holds every document with its triples, in as many files as needed", async () => {
    expect(await writeReview(folder, "run")).toEqual(["review.html"]);
    expect(dataOf("review.html").documents).toHaveLength(40);
    const pages = await writeReview(folder, "run", 8000);
    expect(pages.length).toBeGreaterThan(2);
    const found = pages.flatMap((name) => dataOf(name).documents);
    expect(found.map(({ id }) => id)).toEqual(documents.map(({ id }) => id));
    expect(found.flatMap((one) => one.triples.map(({ tail }) => tail.name))).toEqual(
      triples.map(({ tail }) => tail.name),
    );
    for (const name of pages)
      expect(dataOf(name)).toMatchObject({ name: "run", relations: ["advise", "effect"], pages });
  });

  test("takes no text for markup, and asks for nothing", async () => {
    await writeReview(folder, `<b>${hostile}`);
    const page = readFileSync(join(folder, "review.html"), "utf8");
    const scripts = scriptsOf(page);
    expect(scripts).toHaveLength(2);
    expect(scripts[1]).toBe(reviewScript);
    expect(dataOf("review.html").name).toBe(`<b>${hostile}`);
    expect(page).not.toMatch(/<img|<b>|<!--/);
    expect(scripts[0]).not.toMatch(/[<>\u2028]/);
    expect(page).toContain("default-src 'none'");
    expect(reviewScript).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|<\/script|<!--/i);
  });

  test("has a script that parses", () => {
    expect(() => new Function(reviewScript)).not.toThrow();
  });
});

describe("decisions", () => {
  const at = { field: "text" as const, start: 0, end: 1 };
  const accepted: Decision = {
    document: "1",
    original: { head: "a", relation: "effect", tail: "b" },
    head: { name: "a", at },
    tail: { name: "c", at: null },
    relation: "advise",
    decision: "accept",
  };
  const missed: Decision = { ...accepted, original: null, tail: { name: "d", at } };
  const rejected: Decision = { ...accepted, original: { head: "a", relation: "int", tail: "e" }, decision: "reject" };

  test("are read back as they were saved, whatever else the file holds", () => {
    const all = [accepted, missed, rejected];
    expect(parseDecisions(JSON.stringify({ decisions: all }))).toEqual(all);
    const odd = [null, 3, { document: "1" }, { ...accepted, decision: "maybe" }, { ...accepted, head: { name: 5 } }];
    expect(parseDecisions(JSON.stringify({ decisions: [...odd, missed] }))).toEqual([missed]);
    expect(() => parseDecisions("[]")).toThrow(/expected {"decisions"/);
    // Of the first format, which knew no changes.
    const { original: _, ...old } = accepted;
    expect(parseDecisions(JSON.stringify({ decisions: [old] }))[0]!.original).toEqual({
      head: "a",
      relation: "advise",
      tail: "c",
    });
  });

  test("are kept by what the run said, missed ones by what they say", () => {
    expect(decisionKey(accepted)).toBe(decisionKey({ ...accepted, relation: "other" }));
    expect(decisionKey(missed)).not.toBe(decisionKey({ ...missed, relation: "other" }));
    expect(decisionKey(missed)).not.toBe(
      decisionKey({ ...accepted, original: { head: "a", relation: "advise", tail: "d" } }),
    );
  });

  test("teach what was accepted, as it was changed, and what was missed, once each", () => {
    const again = { ...missed, head: { name: "A", at } };
    expect(trainingRelations([accepted, rejected, missed, again])).toEqual([
      { head: "a", tail: "c", relation: "advise" },
      { head: "a", tail: "d", relation: "advise" },
    ]);
  });

  test("make a document reviewed once each triple has one; where there is none, once that is said or one was added", () => {
    const decisions = { [decisionKey(accepted)]: accepted, [decisionKey(rejected)]: rejected };
    expect(isReviewed(Object.keys(decisions), decisions, false)).toBe(true);
    expect(isReviewed([...Object.keys(decisions), "another"], decisions, true)).toBe(false);
    expect([isReviewed([], {}, false), isReviewed([], {}, true)]).toEqual([false, true]);
    expect(isReviewed([], { [decisionKey(missed)]: missed }, false)).toBe(true);
    // Of a triple that an earlier run had.
    expect(isReviewed([], decisions, false)).toBe(false);
    expect(parseNone(JSON.stringify({ decisions: [], none: ["1", 2, "3"] }))).toEqual(["1", "3"]);
    expect(parseNone('{"decisions":[]}')).toEqual([]);
  });

  test("find a name in the text before the title, whatever its case", () => {
    const document = { title: "Aspirin", text: "An ASPIRIN trial of 𝛼" };
    expect(placeOf(" aspirin", document)).toEqual({ field: "text", start: 3, end: 10 });
    expect(placeOf("aspirin", { ...document, text: "none" })).toEqual({ field: "title", start: 0, end: 7 });
    expect(placeOf("heparin", document)).toBeNull();
    expect(placeOf("  ", document)).toBeNull();
  });
});
