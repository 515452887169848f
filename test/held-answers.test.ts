/** Decoders that were tuned to nothing, held to the sentences of relations and entities: whatever they prefer is read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { askDecoder, askRemote, evaluate, withShots } from "../src/eval/index.ts";
import { instructed } from "../src/eval/suite.ts";
import { type Benchmark, benchmarks, taskFromSchema } from "../src/tasks/index.ts";
import { findName, searchable } from "../src/tasks/places.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { hasShared, shared } from "./support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-held-"));
let model = "";
beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  model = await makeChatModel(folder, 1024);
  const texts = ["Aspirin raises Warfarin levels.", "TNF-α/IFN-γ (IL-2) and 5% Déridol;\n\nnot harmful."];
  const documents = texts.map((abstract, i) => [
    `${i}`,
    { title: "Drugs", abstract, triples: [{ drug: "aspirin", target: "warfarin", interaction: "effect" }] },
  ]);
  mkdirSync(join(folder, "ddi"));
  const line = (text: string, i: number): string =>
    JSON.stringify({ id: `${i}`, text, entities: [{ start: 0, end: 3, type: "Drug" }] });
  for (const split of ["train", "test"]) {
    writeFileSync(join(folder, `ddi/${split}.json`), JSON.stringify(Object.fromEntries(documents)));
    writeFileSync(join(folder, `${split}.jsonl`), `${texts.map(line).join("\n")}\n`);
  }
}, 120_000);
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const own = taskFromSchema({ kind: "entities", types: ["Drug", "Disease"] }).task;
const sets = [
  { name: "relations", benchmark: benchmarks["ddi"]!, data: () => join(folder, "ddi") },
  { name: "entities", benchmark: own, data: () => folder },
];
const words = ["effect", "mechanism", "advise", "int", "Drug", "Disease"];

/** Names stand in the text, types are the benchmark's; returns how many answers say something. */
function check(answers: readonly unknown[], texts: readonly string[]): number {
  const said = answers.filter((answer, i) => {
    const found = answer as Readonly<Record<string, string>>[];
    const text = searchable(texts[i]!);
    for (const { head, tail, name, relation, type } of found) {
      for (const one of [head, tail, name]) {
        if (one !== undefined) expect(findName(one, text).length, `${one} in ${texts[i]}`).toBeGreaterThan(0);
      }
      // An interaction may be of several kinds.
      for (const one of (relation ?? type)!.split(" ")) expect(words).toContain(one);
    }
    return found.length > 0;
  });
  return said.length;
}

describe.each(sets)("$name", ({ benchmark, data }) => {
  test.each([
    { shots: 0, chat: false },
    { shots: 1, chat: false },
    { shots: 1, chat: true },
  ])("are all read, with %o", { timeout: 60_000 }, async ({ shots, chat }) => {
    const as = chat ? ("turns" as const) : undefined;
    const asked = await withShots(instructed(benchmark), { shots, data: data(), as });
    const ask = { chat, maxNewTokens: 250, threads: 1 };
    await using held = await askDecoder(model, { ...ask, copyOnly: true });
    const { report, examples, answers, replies } = await evaluate(asked as Benchmark, held, { data: data() });
    expect(report).toMatchObject({ failed: 0, protocol: { decoding: { copyOnly: true } } });
    const texts = examples.map((one) => one.text);
    const said = check(answers, texts);
    // Relations have no answer that there is none.
    if (benchmark.name === "ddi") expect(said).toBe(examples.length);
    await using free = await askDecoder(model, ask);
    const without = await evaluate(asked as Benchmark, free, { data: data() });
    expect(without.report).toMatchObject({ failed: examples.length });
    expect(without.report.hash).not.toBe(report.hash);
    expect(without.replies).not.toEqual(replies);
  });
});

test(
  "several drawn answers are held, too; steps before an answer, and servers, cannot be",
  { timeout: 60_000 },
  async () => {
    const asked = instructed(benchmarks["ddi"]!);
    await using held = await askDecoder(model, { copyOnly: true, samples: 3, maxNewTokens: 250, threads: 1 });
    const { examples, replies } = await evaluate(asked, held, { data: join(folder, "ddi") });
    for (const [i, reply] of replies.entries()) {
      const { texts } = reply as { texts: string[] };
      for (const text of texts) expect(check([asked.parse(text)], [examples[i]!.text])).toBe(1);
    }
    await expect(askDecoder(model, { copyOnly: true, think: true })).rejects.toThrow(/expected answers alone/);
    await expect(askRemote("http://127.0.0.1:9/v1#x", { copyOnly: true })).rejects.toThrow(/got a server/);
  },
);

test("that there is no entity is an answer, and not that nothing could be read", () => {
  const example = { id: "1", text: "Aspirin.", gold: [{ start: 0, end: 7, type: "Drug" }] };
  const failed = (text: string): number | undefined => own.evaluate([example], [own.parse(text)]).failed;
  expect(["No entity is named.", "no entity is named", "I do not know.", ""].map(failed)).toEqual([0, 0, 1, 1]);
  expect(own.evaluate([example], [own.tags!.answer(example, ["O", "O"])]).failed).toBe(0);
});

const isHere = ["ddi", "ner/NCBI-disease"].every((one) => hasShared(`data/benchmarks/${one}`));
test.skipIf(!isHere)("of the first real documents every answer is read", { timeout: 120_000 }, async () => {
  await using held = await askDecoder(model, { copyOnly: true, maxNewTokens: 250, threads: 1 });
  for (const name of ["ddi", "ner-ncbi-disease"]) {
    const benchmark = benchmarks[name]!;
    const data = shared(`data/benchmarks/${benchmark.data!.folder}`);
    const { report } = await evaluate(instructed(benchmark), held, { data, limit: 2 });
    expect(report, name).toMatchObject({ failed: 0, examples: 2 });
  }
});
