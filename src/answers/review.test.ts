import { describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import type { Review } from "./review.ts";
import { reviewFormat } from "./review-formats.ts";
import { studyOf } from "./study.ts";

describe("what a document says of its study", () => {
  const trial = indexedDocument({
    id: "1",
    title: "Apixaban in older adults",
    abstract: [
      [
        "METHODS",
        "In 2012, we randomly assigned 1,204 older patients with atrial fibrillation to apixaban or warfarin.",
      ],
      ["RESULTS", "Of 600 women, 12 % had a stroke (n = 72)."],
    ],
  });

  test("type, size, population and intervention, each quoted from its place", () => {
    const { type, size, sizeFrom, population, intervention, typeFrom } = studyOf(trial);
    expect([type, size]).toEqual(["randomised trial", 1204]);
    expect(sizeFrom!.quote).toBe("1,204 older patients");
    for (const one of [sizeFrom, population, intervention, typeFrom]) {
      expect(trial.text.slice(one!.start, one!.end)).toBe(one!.quote);
    }
    expect(population!.quote).toMatch(/^In 2012/);
  });

  test("the record's own publication type goes before words", () => {
    expect(studyOf({ ...trial, types: ["Meta-Analysis"] })).toMatchObject({ type: "meta-analysis", typeFrom: null });
  });

  test("what is not said is null: years, percentages and doses are no sizes", () => {
    const silent = indexedDocument({
      id: "2",
      abstract: "In 1998 patients were given 40 mg daily, and 30 % got better.",
    });
    expect(studyOf(silent)).toMatchObject({ type: null, size: null, sizeFrom: null });
  });
});

describe("a table of evidence", () => {
  const quote = '=HYPERLINK("http://x.example","click") | <script>alert(1)</script>, "quoted"';
  const result = { id: "1", start: 0, end: quote.length, quote, title: "+SUM(1)", year: 2020, retracted: false };
  const none = { type: null, typeFrom: null, size: null, sizeFrom: null, population: null, intervention: null };
  const row = { question: "Q?", id: "1", title: "+SUM(1)", year: 2020, journal: null, retracted: true, support: 0.5 };
  const made: Review = {
    question: "Q?",
    questions: [
      { text: "Q?", rows: 1 },
      { text: "Nothing?", rows: 0 },
    ],
    rows: [{ ...row, ...none, result }],
    documents: 3,
    notes: [],
  };

  test("in CSV no value is a formula, and quotes are doubled", () => {
    const csv = reviewFormat("a.csv")(made);
    expect(csv).toContain(`"'=HYPERLINK(""http://x.example""`);
    expect(csv).toContain(",'+SUM(1),");
  });

  test("in Markdown no value is markup or another cell, and retracted documents say so", () => {
    const markdown = reviewFormat("a.md")(made);
    expect(markdown).not.toMatch(/<script>|[^\\]\|\s*\\<script/);
    expect(markdown).toContain("1 (retracted)");
    expect(markdown).toContain("Nothing in these 3 documents.");
  });
});
