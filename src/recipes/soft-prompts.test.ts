/** Hyperparameters of the tasks, and what a user's file changes of them. */
import { expect, test } from "vitest";
import { namedTask } from "../soft-prompts/metadata.ts";
import { tasks } from "../tasks/index.ts";
import { recipeOf } from "./index.ts";
import { softPromptRecipe } from "./soft-prompts.ts";

test("each task has its published rate, warm-up and end", () => {
  const rows = Object.keys(tasks).map((name) => {
    const { schedule, epochs, steps, average } = recipeOf(name)();
    return [name, schedule.peak, schedule.warmup, epochs, steps, average];
  });
  const entities = [1e-5, 100, 20, null, 5];
  expect(rows).toEqual([
    ["bc5cdr", 1e-5, 100, 100, null, 5],
    ["kd-dti", 1e-5, 1000, 30, null, 5],
    ["ddi", 1e-4, 500, 100, null, 5],
    ["pubmedqa", 1e-5, 100, 100, null, 1],
    ["pubmedqa-large", 1e-5, 100, 100, null, 1],
    ["hoc", 1e-5, 1000, null, 20_000, 1],
    ["ner-chemical", ...entities],
    ["ner-disease", ...entities],
    ["ner-gene", ...entities],
    ["ner-jnlpba", ...entities],
  ]);
  const { tokensPerBatch, accumulate, optimiser, objective } = recipeOf("pubmedqa-large")();
  expect([tokensPerBatch, accumulate, optimiser.betas, optimiser.weightDecay]).toEqual([2048, 16, [0.9, 0.98], 0.01]);
  expect(objective).toMatchObject({ kind: "soft-prompt", promptLength: 9, dropout: 0.1, schema: null });
});

test("a user's file gives rate, warm-up and epochs, and the usual ones of its kind where it does not", () => {
  const of = (schema: object) => softPromptRecipe(namedTask({ task: "own", schema }))();
  expect(of({ kind: "entities", types: ["a"] })).toMatchObject({ ...pick("ner-gene") });
  expect(of({ kind: "relation", relations: ["a"] })).toMatchObject({ ...pick("bc5cdr") });
  const given = { kind: "relation", relations: ["a"], learningRate: 1e-2, warmupUpdates: 5, epochs: 4 };
  expect(of(given)).toMatchObject({
    schedule: { peak: 1e-2, warmup: 5 },
    epochs: 4,
    average: 4,
    objective: { schema: given },
  });
});

function pick(name: string): object {
  const { schedule, epochs, average, tokensPerBatch, accumulate, optimiser } = recipeOf(name)();
  return { schedule, epochs, average, tokensPerBatch, accumulate, optimiser };
}
