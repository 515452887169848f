/** Tasks of one's own: settings, sources and targets, parsing, scoring. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { valueOf } from "../metrics/report.ts";
import { taskFromSchema } from "./schema.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/galen-tasks-`);
});
afterAll(() => rm(folder, { recursive: true }));

const lines = (...values: unknown[]): string => values.map((one) => `${JSON.stringify(one)}\n`).join("");

describe("a relation task of one's own", () => {
  const schema = { kind: "relation", name: "plants", relations: ["Grows", "Kills"], maxSourceTokens: 600 };

  it("reads, writes, parses and scores", async () => {
    const relations = [{ head: "Rain", tail: "Barley (H. vulgare)", relation: "Grows" }];
    const text = "Rain and barley.";
    await writeFile(`${folder}/test.jsonl`, lines({ id: "1", text, relations }, { id: "2", text, relations: [] }));
    const task = taskFromSchema(schema).task;
    const examples = await task.read(folder, "test");
    expect(task.source(examples[0]!)).toBe("rain and barley.");
    expect(task.target(examples[0]!)).toBe("the interaction between rain and barley (h. vulgare) is grows.");
    expect(task.target(examples[1]!)).toBe("no interaction is stated.");
    const predictions = examples.map((one) => task.parse(`rain and barley. learned8 learned9 ${task.target(one)}`));
    const report = task.evaluate(examples, predictions, { bootstrap: { seed: 1, resamples: 10 } });
    expect(valueOf(report, report.primary)).toBe(1);
    expect(report.failed).toBe(0);
  });

  it("hands on what the file says of tuning", () => {
    const { tuning } = taskFromSchema({ ...schema, learningRate: 1e-3, epochs: 7 });
    expect(tuning).toMatchObject({ kind: "relation", maxSourceTokens: 600, learningRate: 1e-3, epochs: 7 });
    expect(tuning.promptLength).toBeUndefined();
  });

  it("puts the fields where its template has them", () => {
    const task = taskFromSchema({ ...schema, template: "{tail} ({relation}) <- {head}", lowercase: false }).task;
    const gold = [
      { head: "A", tail: "B", relation: "Grows" },
      { head: "C; d", tail: "E", relation: "Kills" },
    ];
    expect(task.target({ id: "1", text: "", gold: gold.slice(0, 1) })).toBe("B (Grows) <- A.");
    expect(task.parse("B (Grows) <- A; nonsense; E (Kills) <- C.")).toEqual([gold[0], { ...gold[1], head: "C" }]);
  });

  it.each([
    [{ kind: "relation" }, /relations/],
    [{ ...schema, template: "{head} acts" }, /\{tail\}/],
    [{ ...schema, template: "{head} acts on {tail}" }, /\{relation\}/],
    [{ ...schema, promptLenght: 9 }, /promptLenght/],
    [{ ...schema, relations: ["a", "a"] }, /each name once/],
  ])("refuses %j", (settings, message) => {
    expect(() => taskFromSchema(settings)).toThrow(ConfigError);
    expect(() => taskFromSchema(settings)).toThrow(message);
  });

  it("refuses relations that the schema does not name", async () => {
    const relations = [{ head: "a", tail: "b", relation: "Eats" }];
    await writeFile(`${folder}/train.jsonl`, lines({ id: "1", text: "", relations }));
    await expect(taskFromSchema(schema).task.read(folder, "train")).rejects.toThrow(/relation of "1".*got "Eats"/);
    await writeFile(`${folder}/valid.jsonl`, '{"id": "1"\n');
    await expect(taskFromSchema(schema).task.read(folder, "valid")).rejects.toThrow(/valid.jsonl:1: expected JSON/);
  });
});

describe("a classification task of one's own", () => {
  it("takes one label by default", async () => {
    const task = taskFromSchema({ kind: "classification", labels: ["Case report", "Trial"] }).task;
    await writeFile(`${folder}/test.jsonl`, lines({ id: "1", text: "We saw.", labels: ["Trial"] }));
    const examples = await task.read(folder, "test");
    expect(task.target(examples[0]!)).toBe("the type of this document is Trial.");
    expect(task.parse("learned9 the type of this document is Trial.")).toEqual(["Trial"]);
    expect(task.parse("gibberish")).toEqual([]);
    const report = task.evaluate(examples, [[]]);
    expect([report.failed, valueOf(report, "accuracy")]).toEqual([1, 0]);
    await writeFile(`${folder}/test.jsonl`, lines({ id: "1", text: "", labels: ["Trial", "Case report"] }));
    await expect(task.read(folder, "test")).rejects.toThrow(DataError);
  });

  it("takes several where it says so, and gives labels their own case back", () => {
    const settings = { kind: "classification", labels: ["Heart", "Lung"], multiLabel: true, lowercase: true };
    const task = taskFromSchema(settings).task;
    const gold = ["Heart", "Lung"];
    expect(task.target({ id: "1", text: "", gold })).toBe("the type of this document is heart|lung.");
    expect(task.parse("the type of this document is heart | lung.")).toEqual(gold);
    const report = task.evaluate([{ id: "1", text: "", gold }], [["Lung"]]);
    expect(valueOf(report, "micro_f1")).toBeCloseTo(2 / 3, 12);
    expect(() => taskFromSchema({ ...settings, labels: ["a|b"] })).toThrow(ConfigError);
  });
});
