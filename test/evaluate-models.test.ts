/** Models that were trained and written, opened again and asked: as when they were trained, and alike by every way. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { evaluate, evaluateClassification, evaluateNer } from "../src/eval/index.ts";
import { loadClassifier, loadTagger } from "../src/labellers.ts";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { valueOf } from "../src/metrics/report.ts";
import { loadModel } from "../src/model.ts";
import { openScorer } from "../src/retrieval/scorers.ts";
import { parseIob } from "../src/tasks/ner.ts";
import { taskFromSchema } from "../src/tasks/schema.ts";
import { stdoutOf } from "./support/command-line.ts";
import { writeTinyTask } from "./support/tiny-task.ts";

const start = fileURLToPath(new URL("goldens/retrieval/mean", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-evaluate-models-"));
afterAll(() => rmSync(folder, { recursive: true }));
const options = { threads: 1 } as const;
const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Trains with the command; gives the model's folder, and a copy that was opened and written again. */
async function trained(
  recipe: string,
  data: string,
  ...more: string[]
): Promise<{ events: string; folders: string[] }> {
  const output = join(folder, recipe);
  const settings = ["epochs=20", "batch=8", "schedule.peak=5e-3", "documentTokens=16", "--threads", "1", "--json"];
  const events = await stdoutOf(
    "train",
    recipe,
    ...settings,
    "--model",
    start,
    "--data",
    data,
    ...more,
    "--output",
    output,
  );
  const copy = join(folder, `${recipe}-copy`);
  await using model = await loadModel(join(output, "model"), options);
  await model.save(copy);
  return { events, folders: [join(output, "model"), copy] };
}

const words = ["kidney", "heart", "stroke", "insulin", "gene"];
const texts = Array.from({ length: 60 }, (_, i) => `the ${words[(i * 3) % 5]} of ${words[i % 4]} ${i}`);

test("a classifier that was written has the loss of its training, as a benchmark's model too", async () => {
  const data = join(folder, "labels");
  mkdirSync(data);
  const rows = texts.map((text, i) => ({ id: `${i}`, text, label: words[(i * 3) % 5]! }));
  const [learned, held] = [rows.filter((_, i) => i % 3 > 0), rows.filter((_, i) => i % 3 === 0)];
  writeFileSync(join(data, "learned.jsonl"), jsonLines(learned));
  writeFileSync(join(data, "held.jsonl"), jsonLines(held));
  const own = (some: typeof rows): object[] => some.map(({ label, ...row }) => ({ ...row, labels: [label] }));
  writeFileSync(join(data, "train.jsonl"), jsonLines(own(learned)));
  writeFileSync(join(data, "test.jsonl"), jsonLines(own(held)));
  const { events, folders } = await trained(
    "classifier",
    join(data, "learned.jsonl"),
    "--valid",
    join(data, "held.jsonl"),
  );
  const result = JSON.parse(events.trim().split("\n").at(-1)!) as { after: number };
  const examples = held.map(({ text, label }) => ({ text, labels: [label] }));
  const task = taskFromSchema({ kind: "classification", labels: words }).task;
  const reports = [];
  for (const path of folders) {
    await using classifier = await loadClassifier(path, options);
    const report = await evaluateClassification(classifier, examples);
    expect(valueOf(report, "loss")).toBeCloseTo(result.after, 4);
    const asked = await evaluate(task, classifier, { data });
    expect(asked.report.protocol["asked"]).toBe("classes");
    expect(valueOf(asked.report, "accuracy")).toBe(valueOf(report, "accuracy"));
    reports.push([report, asked.report]);
  }
  expect(reports[1]).toEqual(reports[0]);
  expect(valueOf(reports[0]![0]!, "accuracy")).toBeGreaterThan(valueOf(reports[0]![0]!, "majority"));
  // The same task without training: by likeness, and by how likely each answer is.
  await using scorer = await openScorer(start, options);
  expect((await evaluate(task, scorer, { data })).report.protocol["asked"]).toBe("similarity");
  await using decoder = await loadLikelihoods((await writeTinyTask(join(folder, "decoder"))).start, options);
  const { report, replies } = await evaluate(task, decoder, { data, limit: 4 });
  expect(report.protocol["asked"]).toBe("likelihood");
  expect(replies.flat().every((score) => (score as number) < 0)).toBe(true);
}, 30_000);

test("a tagger that was written scores alike on its file and on the benchmark that reads it", async () => {
  const data = join(folder, "entities");
  mkdirSync(data);
  const rows = texts.map((text, i) => {
    const tokens = text.split(" ");
    const tags = tokens.map((token) => (token === "kidney" || token === "heart" ? "B-Organ" : "O"));
    // Some gold that the tagger will not find.
    return { tokens, tags: i % 5 === 0 ? ["B-Organ", ...tags.slice(1)] : tags };
  });
  writeFileSync(join(data, "train.jsonl"), jsonLines(rows));
  const iob = rows
    .map(({ tokens, tags }) => `${tokens.map((token, i) => `${token}\t${tags[i]}\n`).join("")}\n`)
    .join("");
  writeFileSync(join(data, "test.tsv"), iob);
  const { folders } = await trained("tagger", join(data, "train.jsonl"));
  const task = taskFromSchema({ kind: "entities", types: ["organ"] }).task;
  const reports = [];
  for (const path of folders) {
    await using tagger = await loadTagger(path, options);
    const report = await evaluateNer(tagger, parseIob(iob));
    rmSync(join(data, "train.jsonl"), { force: true }); // which is no training data of the benchmark
    const asked = await evaluate(task, tagger, { data });
    expect(asked.report.protocol["asked"]).toBe("tags");
    for (const name of ["precision", "recall", "f1"]) expect(valueOf(asked.report, name)).toBe(valueOf(report, name));
    reports.push([report, asked.report]);
  }
  expect(reports[1]).toEqual(reports[0]);
  expect(valueOf(reports[0]![0]!, "f1")).toBeGreaterThan(0.5);
  expect(valueOf(reports[0]![0]!, "f1")).toBeLessThan(1);
}, 30_000);
