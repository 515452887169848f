import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tinyDocuments, writeTinyTask } from "../../test/support/tiny-task.ts";
import { trainBy } from "../../test/support/training.ts";
import { valueOf } from "../metrics/report.ts";
import type { Relation } from "../metrics/hard-match.ts";
import type { Example } from "../tasks/benchmark.ts";
import { endsInCircle, repeatGuard } from "../generate/guards.ts";
import { writeSafetensors } from "../checkpoints/safetensors.ts";
import { askTuned, evaluate } from "../eval/index.ts";
import { bioGpt } from "../models/biogpt/biogpt.ts";
import { scoringGraph } from "../models/graphs.ts";
import { allocateParameters, initialise } from "../runtime/parameters.ts";
import { findName, searchable } from "../tasks/places.ts";
import { answerTexts } from "./answer.ts";
import type { TaskFile } from "./metadata.ts";
import { openTuned, predict, predictSources, type TunedModel } from "./predict.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-predict-"));
const tiny = await writeTinyTask(folder);
let tuned: TunedModel;
let examples: Example[];
beforeAll(async () => {
  const settings = [
    "tokensPerBatch=600",
    "accumulate=1",
    "threads=1",
    "schedule.kind=constant",
    "schedule.peak=5e-3",
    "schedule.warmup=20",
    "epochs=30",
    "dropout=0",
  ];
  const { model } = await trainBy(tiny.schema, settings, {
    model: tiny.start,
    data: tiny.data,
    output: join(folder, "run"),
  });
  tuned = await openTuned(model, { threads: 1 });
  examples = await tuned.task.read(tiny.data, "test");
});
afterAll(async () => {
  await tuned.model.dispose();
  rmSync(folder, { recursive: true });
});

describe("prediction", () => {
  test("answers what was learned, in the order asked, whatever the batches", async () => {
    const all = await predict(tuned, examples);
    expect(all.every(({ complete, cut }) => complete && !cut)).toBe(true);
    expect(all[0]!.text).toMatch(/^the interaction between \w+ and \w+ is (effect|mechanism)\.$/);
    const single = await predict(tuned, examples, { cacheBytes: 1 });
    expect(single.map(({ text }) => text)).toEqual(all.map(({ text }) => text));
    const reversed = await predict(tuned, examples.toReversed());
    expect(reversed.map(({ text }) => text)).toEqual(all.map(({ text }) => text).toReversed());
  });

  test("texts of one's own are answered as examples are; entities come with their places", async () => {
    const texts = examples.map(({ text }) => text);
    expect(await answerTexts(tuned, texts)).toEqual(await predict(tuned, examples));
    const named = [{ name: "heparin", type: "Drug" }];
    const task = { ...tuned.task, extracts: "entities" as const, parse: () => named };
    const [found] = await answerTexts({ ...tuned, task }, ["In man Heparin raises Codeine levels."]);
    expect(found!.answer).toMatchObject([
      { name: "heparin", type: "Drug", at: { start: 7, end: 14, text: "Heparin" } },
    ]);
  });

  test("evaluation gives published and sound figures with intervals, and the copying baseline", async () => {
    const { report } = await evaluate(tuned.task, askTuned(tuned), { data: tiny.data });
    expect(report).toMatchObject({ task: "tiny", examples: 12, primary: "exact_micro_f1" });
    const primary = report.figures.find(({ name }) => name === "exact_micro_f1")!;
    expect(primary.interval!.low).toBeLessThanOrEqual(primary.value);
    expect(valueOf(report, "exact_micro_f1")).toBeGreaterThan(0.8);
    const copied = report.figures.filter(({ kind }) => kind === "baseline");
    expect(copied.map(({ name }) => name)).toContain("baseline_exact_micro_f1");
    expect(copied.every(({ by }) => by === "copying names known from training")).toBe(true);
  });

  test("a model that is saved again answers and scores the same, and so does one without the decoding", async () => {
    const copy = join(folder, "copy");
    await tuned.model.save(copy);
    const { decoding, ...older } = JSON.parse(readFileSync(join(folder, "run/model/task.json"), "utf8")) as TaskFile;
    expect(decoding).toEqual(tuned.decoding);
    for (const file of [older, { ...older, decoding: { ...decoding, maxLength: 48 } }]) {
      writeFileSync(join(copy, "task.json"), JSON.stringify(file));
      await using again = await openTuned(copy, { threads: 1 });
      expect(again.decoding.maxLength).toBe("decoding" in file ? 48 : 64);
      const [before, after] = [
        await evaluate(tuned.task, askTuned(tuned), { data: tiny.data }),
        await evaluate(again.task, askTuned(again), { data: tiny.data }),
      ];
      expect(after.replies).toEqual(before.replies);
      expect(after.report.figures).toEqual(before.report.figures);
      expect(after.report.hash === before.report.hash).toBe(!("decoding" in file));
    }
  });

  test("copying only, every name stands in the text", async () => {
    const answers = await predictSources(
      tuned,
      examples.map((one) => tuned.task.source(one)),
      { copyOnly: true },
    );
    answers.forEach(({ answer }, i) => {
      for (const { head, tail } of answer as Relation[]) {
        expect(examples[i]!.text.toLowerCase()).toContain(head);
        expect(examples[i]!.text.toLowerCase()).toContain(tail);
      }
    });
    expect(answers.flatMap(({ answer }) => answer as Relation[]).length).toBeGreaterThan(6);
  });

  test("copying only, a model of random weights names nothing that does not stand in its text, however it is cut off", async () => {
    const random = join(folder, "random");
    await tuned.model.save(random);
    const graph = scoringGraph(bioGpt, bioGpt.parseConfig(tuned.model.config, "config"));
    const parameters = allocateParameters(graph);
    initialise(graph, parameters, 11);
    await writeSafetensors(
      join(random, "model.safetensors"),
      [...parameters.tensors].map(([name, { dims, data }]) => ({
        name,
        dtype: "float32" as const,
        dims,
        data: () => data as Float32Array,
      })),
    );
    writeFileSync(join(random, "task.json"), readFileSync(join(folder, "run/model/task.json")));
    await using untuned = await openTuned(random, { threads: 1 });
    const sources = tinyDocuments(60, 9).map(({ text }, i) =>
      (i % 7 === 0 ? `${text} `.repeat(9) : text).toLowerCase(),
    );
    let [names, unfinished] = [0, 0];
    for (const options of [
      {},
      { maxNewTokens: 9 },
      { decoding: { beams: 3 } },
      { decoding: { noRepeatNgramSize: 2 } },
    ]) {
      const answers = await predictSources(untuned, sources, { copyOnly: true, ...options });
      answers.forEach(({ answer, complete }, i) => {
        for (const { head, tail } of answer as Relation[]) {
          for (const name of [head, tail]) expect(findName(name, searchable(sources[i]!))).not.toEqual([]);
          names += 2;
        }
        if (!complete) unfinished += 1;
      });
    }
    expect(names).toBeGreaterThan(60);
    expect(unfinished).toBeGreaterThan(60);
  });

  test("lookup in the text changes no answer, and batches that others wait for neither", async () => {
    const sources = tinyDocuments(24, 5).map(({ text }) => text.toLowerCase());
    for (const options of [{}, { copyOnly: true }, { decoding: { noRepeatNgramSize: 3 } }]) {
      const plain = await predictSources(tuned, sources, { ...options, lookup: false });
      for (const other of [{}, { cacheBytes: 300_000 }]) {
        const done: number[] = [];
        const onProgress = (count: number): void => void done.push(count);
        const found = await predictSources(tuned, sources, { ...options, ...other, onProgress });
        const told = (all: typeof found): unknown =>
          all.map(({ answer, text, tokens, complete, cut }) => ({ answer, text, tokens, complete, cut }));
        expect(told(found)).toEqual(told(plain));
        expect(done).toEqual(sources.map((_, i) => i + 1));
      }
    }
  });

  test("copying is refused for a task whose answers name nothing", async () => {
    const { answerForm: _, ...task } = tuned.task;
    await expect(predictSources({ ...tuned, task }, ["a"], { copyOnly: true })).rejects.toThrow(
      /copy-constrained decoding expected a task whose answers copy/,
    );
  });

  test("empty and overlong sources are answered; the latter are reported as cut", async () => {
    const [empty, long] = await predictSources(tuned, ["", "aspirin raises warfarin levels ".repeat(50)]);
    expect(empty!.cut).toBe(false);
    expect(long!.cut).toBe(true);
    expect(long!.tokens).toBeLessThanOrEqual(64 - 43);
  });

  test("answers are cut at the most tokens asked for, whatever the longest text of their batch", async () => {
    const sources = [
      "aspirin raises warfarin levels in man.",
      "insulin lowers codeine levels again and again and in man.",
    ];
    const together = await predictSources(tuned, sources, { maxNewTokens: 3 });
    const alone = await predictSources(tuned, sources.slice(0, 1), { maxNewTokens: 3 });
    const { score, parts, ...answer } = together[0]!;
    const { score: expected, parts: expectedParts, ...expectedAnswer } = alone[0]!;
    expect(answer).toEqual(expectedAnswer);
    expect(parts.map(({ text }) => text)).toEqual(expectedParts.map(({ text }) => text));
    expect(Math.abs(score - expected)).toBeLessThan(1e-4); // products of other sizes round otherwise
    expect(together.map(({ text, complete }) => [text, complete])).toEqual([
      ["the interaction between", false],
      ["the interaction between", false],
    ]);
  });

  test("beam search is guarded against circles", async () => {
    const answers = await predict(tuned, examples.slice(0, 2), { decoding: { beams: 3 } });
    expect(answers[0]!.score).toBeLessThan(0);
    expect(answers).toHaveLength(2);
  });

  test("a directory without a task, or tuned for another, is refused", async () => {
    await expect(openTuned(tiny.start)).rejects.toThrow(/task\.json: expected a tuned model/);
    await expect(openTuned(tiny.start, { task: "ddi" })).rejects.toThrow(
      /expected a vocabulary with the 9 prompt rows of ddi/,
    );
    await expect(openTuned(join(folder, "run/model"), { task: "ddi" })).rejects.toThrow(
      /tuned for ddi, got one for tiny/,
    );
  });
});

describe("guards", () => {
  test("find circles of any length after the prompt, and only these", () => {
    const block = [5, 6, 7, 8, 9, 10, 11, 12, 13];
    expect(endsInCircle([1, ...block, ...block], 1)).toBe(true);
    expect(endsInCircle([1, ...block, ...block], 3)).toBe(false); // the block began in the prompt
    expect(endsInCircle([...block, 4, ...block], 0)).toBe(false);
    expect(endsInCircle([5, 6, 5, 6, 5, 6, 5, 6], 0)).toBe(false);
    expect(endsInCircle([5, 6, 5, 6, 5, 6, 5, 6, 5, 6], 0)).toBe(true);
    expect(endsInCircle([7, 7, 7, 7, 7], 0)).toBe(true);
    expect(endsInCircle([], 0)).toBe(false);
  });

  test("change the scores as they say", () => {
    const scores = Float32Array.of(-Infinity, 2, -Infinity, 4);
    repeatGuard(0, 2)([7, 7, 7, 7, 7], scores);
    expect([...scores]).toEqual([-Infinity, -Infinity, 0, -Infinity]);
  });
});
