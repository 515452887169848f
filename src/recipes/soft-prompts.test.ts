/** Hyperparameters of the tasks, and what a user's file changes of them. */
import { expect, test } from "vitest";
import { tasks } from "../tasks/index.ts";
import { taskFromSchema } from "../tasks/schema.ts";
import { ownHyperparameters, softPromptHyperparameters } from "./soft-prompts.ts";

test("each task has its published rate, warm-up and end", () => {
  const rows = Object.keys(tasks).map((name) => {
    const { learningRate, warmupUpdates, stop, checkpoint } = softPromptHyperparameters(name);
    return [name, learningRate, warmupUpdates, stop, checkpoint];
  });
  const mean = { averageLastEpochs: 5 };
  const entities = [1e-5, 100, { epochs: 20 }, mean];
  expect(rows).toEqual([
    ["bc5cdr", 1e-5, 100, { epochs: 100 }, mean],
    ["kd-dti", 1e-5, 1000, { epochs: 30 }, mean],
    ["ddi", 1e-4, 500, { epochs: 100 }, mean],
    ["pubmedqa", 1e-5, 100, { epochs: 100 }, "last"],
    ["pubmedqa-large", 1e-5, 100, { epochs: 100 }, "last"],
    ["hoc", 1e-5, 1000, { updates: 20_000 }, "last"],
    ["ner-chemical", ...entities],
    ["ner-disease", ...entities],
    ["ner-gene", ...entities],
    ["ner-jnlpba", ...entities],
  ]);
});

test("a user's file gives rate, warm-up and epochs, and the usual ones of its kind where it does not", () => {
  const entities = { kind: "entities", types: ["a"] };
  expect(ownHyperparameters(taskFromSchema(entities).tuning)).toEqual(softPromptHyperparameters("ner-gene"));
  const relation = { kind: "relation", relations: ["a"] };
  expect(ownHyperparameters(taskFromSchema(relation).tuning)).toEqual(softPromptHyperparameters("bc5cdr"));
  const given = { ...relation, learningRate: 1e-2, warmupUpdates: 5, epochs: 4 };
  expect(ownHyperparameters(taskFromSchema(given).tuning)).toMatchObject({
    learningRate: 1e-2,
    warmupUpdates: 5,
    stop: { epochs: 4 },
    checkpoint: { averageLastEpochs: 4 },
  });
});
