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

  test("of a full text others' studies do not count, nor does what is cited in an abstract", () => {
    const article = indexedDocument({
      id: "3",
      title: "Walking and fatigue in survivors of cancer",
      abstract: [
        [null, "Despite a recent meta-analysis little is known. We randomized 72 survivors to walking or rest."],
        ["Introduction", "A meta-analysis of 9,400 patients from 12 randomized trials found benefit of walking."],
        ["Participants", "The participants were 72 colorectal cancer survivors from Seoul."],
        ["Discussion", "In 20,000 men with diabetes others found the same."],
      ],
    });
    const { type, size, population } = studyOf(article);
    expect([type, size]).toEqual(["randomised trial", 72]);
    expect(population!.quote).toMatch(/^The participants were/);
  });

  test("a size is of those who were studied, the abstract's before the methods'", () => {
    const methods = "Patients aged 40 were followed. ".repeat(100);
    const article = indexedDocument({
      id: "6",
      abstract: [
        ["Methods", "Of 431 patients screened, 72 patients were randomized."],
        ["Study population", `${methods} In the whole trial 2,838 participants took part.`],
      ],
    });
    expect(studyOf(article)).toMatchObject({ size: 72, sizeFrom: { quote: "72 patients" } });
    const body = article.text.replace(", 72 patients were randomized", "");
    expect(studyOf({ ...article, text: body.padEnd(article.text.length) }).size).toBe(2838);
  });

  test.each([
    ["Zinc for diarrhoea: a systematic review and meta-analysis", "meta-analysis"],
    ["A protocol for a cluster-randomised trial of walking", "study protocol"],
    ["Anlotinib in brain oedema: two case reports", "case report"],
  ])("a title says what it is: %s", (title, type) => {
    const abstract = "We searched for randomized trials in mice.";
    expect(studyOf(indexedDocument({ id: "4", title, abstract })).type).toBe(type);
  });

  test("a meta-analysis that speaks of itself is one", () => {
    const abstract = "In this meta-analysis we pooled 14 randomized trials with 3,120 women.";
    expect(studyOf(indexedDocument({ id: "5", title: "Aspirin", abstract }))).toMatchObject({
      type: "meta-analysis",
      size: 3120,
    });
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
