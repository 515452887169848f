/** What the table of tasks promises to fine-tuning. */
import { expect, it } from "vitest";
import { tasks } from "./index.ts";
import { maxTargetTokens } from "./task.ts";

it("knows each task by its own name and leaves the published room for its target", () => {
  const budgets = Object.entries(tasks).map(([key, task]) => [key, task.name === key, maxTargetTokens(task)]);
  expect(budgets).toEqual([
    ["bc5cdr", true, 375],
    ["kd-dti", true, 375],
    ["ddi", true, 375],
    ["pubmedqa", true, 115],
    ["pubmedqa-large", true, 139],
    ["hoc", true, 123],
    ["ner-chemical", true, 375],
    ["ner-disease", true, 375],
    ["ner-gene", true, 375],
    ["ner-jnlpba", true, 375],
  ]);
});

it("reports a task under the name it was asked for, and refuses a missing prediction", () => {
  for (const [name, task] of Object.entries(tasks)) {
    expect(task.evaluate([], []).task).toBe(name);
    expect(() => task.evaluate([], ["one too many"])).toThrow(/expected 0 predictions/);
    expect(task.parse("")).toEqual(name.startsWith("pubmedqa") ? "failed" : []);
  }
});
