/** A tiny model is tuned to name entities of one's own types, opened again and scored. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stdoutOf } from "./support/command-line.ts";
import { tinyDocuments, writeTinyTask } from "./support/tiny-task.ts";
import { trainBy } from "./support/training.ts";
import { askTuned, evaluate } from "../src/eval/index.ts";
import { valueOf } from "../src/metrics/report.ts";
import type { LocatedEntity } from "../src/tasks/index.ts";
import { openTuned } from "../src/soft-prompts/predict.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-entities-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { start } = await writeTinyTask(folder);
const data = join(folder, "entities");
mkdirSync(data);
for (const [split, documents] of Object.entries({ train: tinyDocuments(80, 1), test: tinyDocuments(6, 3) })) {
  const lines = documents.map(({ id, text, relations: [relation] }) => {
    const { length } = relation!.head;
    const tail = text.indexOf(relation!.tail, length);
    const places = [
      [0, length],
      [tail, tail + relation!.tail.length],
    ];
    return JSON.stringify({ id, text, entities: places.map(([from, end]) => ({ start: from, end, type: "effect" })) });
  });
  writeFileSync(join(data, `${split}.jsonl`), lines.join("\n"));
}
const schema = join(folder, "entities.json");
// Words that the tiny tokenizer knows.
const shape = { promptLength: 2, maxPositions: 64, maxSourceTokens: 30 };
writeFileSync(
  schema,
  JSON.stringify({ kind: "entities", name: "drugs", types: ["effect"], template: "{name} is {type}", ...shape }),
);

const model = join(folder, "run/model");

test("the answers are scored beside those that copy known names", async () => {
  const settings = [
    "epochs=12",
    "accumulate=1",
    "tokensPerBatch=256",
    "schedule.peak=1e-2",
    "schedule.warmup=5",
    "average=1",
    "threads=1",
  ];
  await trainBy(schema, settings, { model: start, data, output: join(folder, "run") });
  await using tuned = await openTuned(model, { threads: 1 });
  const { report, replies } = await evaluate(tuned.task, askTuned(tuned, { copyOnly: true }), { data });
  expect([report.task, report.examples, report.failed]).toEqual(["drugs", 6, 0]);
  expect(JSON.stringify(replies)).toContain(" is effect");
  expect(valueOf(report, "f1")).toBeGreaterThan(0);
  expect(valueOf(report, "baseline_f1")).toBe(1);
});

test("predict says where the names stand in the text, and which do not", async () => {
  const text = "Aspirin raises Warfarin levels in man.";
  const args = ["predict", "--model", model, "--threads", "1"];
  const texts = [text, text.replaceAll(/[a-z]+/g, "x")];
  const found = (await stdoutOf(...args, "--json", ...texts))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { input: string; text: string; answer: LocatedEntity[] });
  const plain = await stdoutOf(...args, ...texts);
  const all = found.flatMap(({ input, answer }) => answer.map((one) => ({ input, ...one })));
  for (const { input, name, type, at } of all) {
    if (at === null) {
      expect(input.toLowerCase()).not.toContain(name.toLowerCase());
      expect(plain).toContain(`  ${type}  ${name}  not in the text\n`);
    } else {
      expect(input.slice(at.start, at.end)).toBe(at.text);
      expect(plain).toContain(`  ${type}  ${at.text}  ${at.start}-${at.end}\n`);
    }
  }
  expect(all.some(({ at }) => at === null)).toBe(true);
  expect(all.some(({ at }) => at !== null)).toBe(true);
  expect(plain).toContain(`${found[0]!.text}\n  `);
});
