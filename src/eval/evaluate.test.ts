/** The harness with a toy benchmark, asked in each way of models that are written here. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { accuracy, indexOfLargest } from "../metrics/classification.ts";
import { figure, valueOf } from "../metrics/report.ts";
import { commonest } from "../tasks/baselines.ts";
import { type Benchmark, type Example, exampleOfText, type Prompt } from "../tasks/benchmark.ts";
import type { Abilities } from "./abilities.ts";
import { evaluate } from "./evaluate.ts";
import { describeReport } from "./print.ts";
import type { WayName } from "./ways.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true }));

const colours = ["red", "green", "blue"];
const rows = ["a red house", "the green frog", "red wine", "grass is green", "the sky is blue"];
const colourIn = (text: string): string => colours.find((one) => text.includes(one)) ?? "none";

/** Which colour a text names. */
const toy: Benchmark<Example<string>, string> = {
  name: "toy",
  version: "3",
  description: "colours",
  async read(data, split) {
    if (split === "valid") throw new DataError(`${data}: expected no such split`);
    const some = split === "test" ? rows : rows.slice(0, 3);
    return some.map((text, i) => ({ id: `${split}-${i}`, text, gold: colourIn(text) }));
  },
  exampleOf: (id, text) => ({ ...exampleOfText(id, text), gold: "" }),
  source: ({ text }) => `text: ${text}`,
  target: ({ gold }) => `it is ${gold}`,
  parse: (generated) => generated.replace("it is ", "") || "failed",
  choices: { of: () => colours, answer: (_, scores) => colours[indexOfLargest(scores)]! },
  labels: { answer: ([label = "failed"]) => label, of: ({ gold }) => [gold] },
  tags: {
    words: ({ text }) => text.split(" "),
    answer: ({ text }, tags) => text.split(" ")[tags.indexOf("B-colour")] ?? "failed",
    of: ({ text, gold }) => text.split(" ").map((word) => (word === gold ? "B-colour" : "O")),
  },
  evaluate: (examples, answers, options) => ({
    failed: answers.filter((one) => one === "failed").length,
    primary: "accuracy",
    figures: [
      figure(
        { name: "accuracy", label: "right ones", kind: "sound" },
        examples.map(({ gold }, i) => ({ gold, answer: answers[i]! })),
        (some) =>
          accuracy(
            some.map(({ gold }) => gold),
            some.map(({ answer }) => answer),
          ),
        options,
      ),
    ],
  }),
  baseline: commonest,
};

/** All right but for the last, which is red to them. */
const say = (prompt: Prompt): string => colourOf(String(prompt));
const colourOf = (text: string): string => (text.includes("sky") ? "red" : colourIn(text));
const share = (text: Prompt, choice: string): number => (say(text) === choice ? -1 : -2);
const models: Readonly<Record<WayName, Abilities>> = {
  generation: { generate: async (sources) => sources.map((one) => ({ text: `it is ${say(one)}` })) },
  likelihood: {
    logLikelihoods: async (contexts, choices) =>
      contexts.map((context, i) => choices[i]!.map((choice) => share(context, choice))),
  },
  similarity: { pairs: async (pairs) => Float64Array.from(pairs, ([text, choice]) => share(text, choice)) },
  classes: { classify: async (texts) => texts.map((one) => ({ label: say(one), labels: [say(one)] })) },
  tags: {
    tag: async (sentences) =>
      sentences.map((words) => words.map((word) => (word === say(words.join(" ")) ? "B-colour" : "O"))),
  },
};

describe("a benchmark", () => {
  test.each(Object.entries(models))("is asked by %s, window by window", async (name, model) => {
    const done: number[] = [];
    const options = { data: folder, window: 2, output: join(folder, name) };
    const { report, answers, replies } = await evaluate(toy, model, {
      ...options,
      onProgress: (progress) => done.push(progress.done),
    });
    expect(answers).toEqual(["red", "green", "red", "green", name === "tags" ? "failed" : "red"]);
    expect(replies).toHaveLength(5);
    expect(done).toEqual([2, 4, 5]);
    expect(report).toMatchObject({ task: "toy", version: "3", examples: 5, failed: name === "tags" ? 1 : 0 });
    expect(valueOf(report, "accuracy")).toBe(4 / 5);
    expect(valueOf(report, "baseline_accuracy")).toBe(2 / 5); // "red", two of the three training texts
    // Kept windows are as good as the model.
    const silent = Object.fromEntries(Object.keys(model).map((key) => [key, () => Promise.reject(new Error(key))]));
    expect((await evaluate(toy, silent, { ...options, resume: true })).report).toEqual(report);
  });

  test("shows encoders what it has without a prompt, and says so in the protocol", async () => {
    const read: string[] = [];
    const plain = { ...toy, plain: ({ text }: Example<string>) => text };
    const { classes, similarity, generation } = models;
    const spied: Abilities[] = [
      { classify: (texts) => (read.push(...texts), classes.classify!(texts)) } as Abilities,
      { pairs: (pairs) => (read.push(...pairs.map(([text]) => text)), similarity.pairs!(pairs)) },
    ];
    for (const model of spied) {
      const { report } = await evaluate(plain, model, { data: folder });
      expect(valueOf(report, "accuracy")).toBe(4 / 5);
      expect(report.hash).not.toBe((await evaluate(toy, model, { data: folder })).report.hash);
    }
    expect(read.filter((text) => !text.startsWith("text: "))).toHaveLength(5 + 5 * colours.length);
    const [one, other] = [
      await evaluate(plain, generation, { data: folder }),
      await evaluate(toy, generation, { data: folder }),
    ];
    expect(one.report.hash).toBe(other.report.hash);
  });

  test("has another protocol for each way, and for what the model says that answers depend on", async () => {
    const hashes = new Set<string>();
    for (const model of Object.values(models)) {
      hashes.add((await evaluate(toy, model, { data: folder })).report.hash);
      hashes.add((await evaluate(toy, { ...model, protocol: { beams: 4 } }, { data: folder })).report.hash);
      hashes.add((await evaluate(toy, { ...model }, { data: folder, limit: 4 })).report.hash);
      hashes.add((await evaluate(toy, { ...model }, { data: folder, seed: 2 })).report.hash);
    }
    expect(hashes.size).toBe(4 * Object.keys(models).length);
  });

  test("is asked as is wished, where the model can be in several ways", async () => {
    const both = { ...models.classes, ...models.generation };
    expect((await evaluate(toy, both, { data: folder })).report.protocol["asked"]).toBeUndefined();
    expect((await evaluate(toy, both, { data: folder, ask: "classes" })).report.protocol["asked"]).toBe("classes");
  });

  test("refuses a model that cannot be asked, and a split without examples", async () => {
    const { choices: _, labels: __, tags: ___, ...written } = toy;
    const asked = evaluate(written, models.tags, { data: folder });
    await expect(asked).rejects.toThrow(ConfigError);
    await expect(asked).rejects.toThrow(
      "toy: expected a model to be asked by one of the benchmark's ways, got one for tags",
    );
    const unknown = evaluate(written, models.tags, { data: folder, ask: "tags" });
    await expect(unknown).rejects.toMatchObject({ hint: "the benchmark's ways are generation" });
    await expect(evaluate(toy, models.tags, { data: folder, split: "valid" })).rejects.toThrow("no such split");
    await expect(evaluate(toy, models.tags, { data: folder, limit: 0 })).rejects.toThrow(/expected examples in split/);
  });

  test("has no baseline where there is no training data", async () => {
    const read: typeof toy.read = (data, split) => toy.read(data, split === "train" ? "valid" : split);
    const { report } = await evaluate({ ...toy, read }, models.tags, { data: folder });
    expect(report.figures.map(({ name }) => name)).toEqual(["accuracy"]);
  });
});

test("a report is printed by kinds of figures, with what it depends on", async () => {
  const { report } = await evaluate(toy, models.likelihood, { data: folder });
  const counted = { name: "n", label: "things", kind: "detail", unit: "count", value: 12345 } as const;
  const text = describeReport({ ...report, figures: [counted, ...report.figures] });
  expect(text.replace(/[0-9a-f]{16}/g, "HASH")).toBe(
    [
      "toy (version 3): 5 examples, 0 answers without anything to read",
      "Figures",
      "     80.00  [40.00, 100.00]     right ones",
      "Without a model: the commonest answer of training",
      "     40.00  [0.00, 80.00]       right ones",
      "Details",
      "    12,345                      things",
      "shares in percent; [95 % interval, 1000 resamples, seed 1]",
      "protocol HASH: split test, asked likelihood, seed 1, data HASH",
      "",
    ].join("\n"),
  );
});
