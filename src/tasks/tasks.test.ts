/** What the table of tasks promises. */
import { expect, it } from "vitest";
import { tasks } from "./index.ts";

it("knows each task by its own name, reads nothing out of nothing, and refuses a missing answer", () => {
  expect(Object.keys(tasks)).toHaveLength(10);
  for (const [name, task] of Object.entries(tasks)) {
    expect(task.name).toBe(name);
    expect(() => task.evaluate([], ["one too many"])).toThrow(/expected 0 predictions/);
    expect(task.parse("")).toEqual(name.startsWith("pubmedqa") ? "failed" : []);
  }
});

it("makes an example of a bare text, of a question with its context where that is what is asked", () => {
  expect(tasks["ddi"]!.source(tasks["ddi"]!.exampleOf("1", " Aspirin. "))).toBe("aspirin.");
  const { exampleOf, source } = tasks["pubmedqa"]!;
  expect(source(exampleOf("1", "Is it so?\tIt is. "))).toBe("question: Is it so? context: It is. ");
  expect(() => exampleOf("7", "Is it so?")).toThrow(/text 7: expected a question, a tab and its context/);
});
