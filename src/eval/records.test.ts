/** What stands in the records of a benchmark, and what is refused of a file of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { tasks } from "../tasks/index.ts";
import { readRecords, recordsOf, writeRecords } from "./records.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-records-"));
afterAll(() => rmSync(folder, { recursive: true }));

const report = { task: "x", version: "1", protocol: {}, hash: "", examples: 2, primary: "f1", figures: [] };

test("hold what was asked, what is right, what was said and what it counts for, and are read as written", async () => {
  const text = `${"long ".repeat(300)}Aspirin.`;
  const examples = [
    { id: "1", document: "d", text, gold: [{ start: 1500, end: 1507, type: "chemical" }] },
    { id: "2", document: "d", text: "nothing", gold: [] },
  ];
  const answers = [[{ name: "aspirin", type: "chemical" }], []];
  const replies = [
    { text: `Aspirin is a chemical. ${"and so on ".repeat(200)}`, texts: ["a"], scores: [0.5, -1] },
    null,
  ];
  const overlaps = [
    { words: 301, share: 0.5, longest: 13, verdict: "contaminated" },
    { words: 1, share: 0, longest: 0, verdict: "short" },
  ] as const;
  const records = recordsOf(tasks["ner-chemical"]!, { report, examples, answers, replies }, overlaps);
  expect(records[0]).toMatchObject({
    id: "1",
    document: "d",
    target: "Aspirin is a chemical.",
    gold: examples[0]!.gold,
    answer: answers[0],
    score: { tp: 1, fp: 0, fn: 0 },
    seen: { verdict: "contaminated" },
  });
  expect(records[0]!.text).toMatch(/^long long .* … .* long Aspirin\.$/);
  expect(records[0]!.text.length).toBeLessThan(620);
  const reply = records[0]!.reply as { text: string; texts: string[]; scores: number[] };
  expect([reply.text.length < 620, reply.texts, reply.scores]).toEqual([true, ["a"], [0.5, -1]]);
  expect(records[1]!.score).toEqual({ tp: 0, fp: 0, fn: 0 });
  const path = join(folder, "records.jsonl");
  expect(await writeRecords(path, records)).toBe(2);
  expect(await readRecords(path)).toEqual(records);
});

test("of a benchmark that has no scores have none", () => {
  const { scores: _, ...silent } = tasks["pubmedqa"]!;
  const example = { id: "1", text: "t", gold: "yes", question: "q", longAnswer: "l" };
  const [record] = recordsOf(silent, { report, examples: [example], answers: ["no"], replies: [{ text: "no" }] });
  expect(record).toEqual({
    id: "1",
    text: "question: q context: t ",
    gold: "yes",
    answer: "no",
    reply: { text: "no" },
    target: "the answer to the question given the context is yes.",
  });
});

const line = { id: "1", text: "t", target: "y", gold: 1, answer: 2, score: 0 };
test.each([
  [[{ ...line, id: 5 }], /records.jsonl:1: id: expected string, got 5/],
  [[{ ...line, score: "good" }], /:1: score: /],
  [[{ ...line, score: { tp: 1, fp: 0.5, fn: 0 } }], /:1: score/],
  [[line, { ...line, id: "2", score: { tp: 1, fp: 0, fn: 0 } }], /:2: expected a score of the kind of the first/],
  [[line, { ...line, id: "2", score: undefined }], /:2: expected a score of the kind of the first/],
])("%j are refused", async (lines, message) => {
  const path = join(folder, "records.jsonl");
  writeFileSync(path, lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
  await expect(readRecords(path)).rejects.toThrow(message);
  await expect(readRecords(path)).rejects.toThrow(DataError);
});
