/** Questions with choices out of instructions: which lines are questions, and which are left out. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readInstructionChoices } from "./instruction-choices.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-instructions-"));
const path = join(folder, "train.json");
afterAll(() => rmSync(folder, { recursive: true }));

const options = "\nOption A: Warfarin\nOption B: Zinc\nOption C: Iron\nOption D: Heparin";
const write = (...instances: { input: string; output: string }[]): void =>
  writeFileSync(path, instances.map((one) => `${JSON.stringify({ instances: one })}\n`).join(""));

test("reads answers by letter and by text, and numbers questions by their lines", async () => {
  write(
    { input: `Question: Which thins\nthe blood?${options}`, output: "Answer: (D)" },
    { input: `question: And which?${options}`, output: " Warfarin " },
  );
  const choices = ["Warfarin", "Zinc", "Iron", "Heparin"];
  expect(await readInstructionChoices(path)).toEqual([
    { id: "train-1", text: "Which thins\nthe blood?", gold: "D", choices },
    { id: "train-2", text: "And which?", gold: "A", choices },
  ]);
});

test.each([
  ["has a fifth choice", { input: `Question: Which?${options}\nOption E: Gold`, output: "Answer: (A)" }],
  ["has three choices", { input: `Question: Which?${options.replace(/\nOption D.*/, "")}`, output: "Answer: (A)" }],
  ["is answered by none of its choices", { input: `Question: Which?${options}`, output: "Gold" }],
  ["is answered by two of them", { input: `Question: Which?${options.replace("Iron", "Zinc")}`, output: "Zinc" }],
  ["is no question", { input: "Summarise this.", output: "Answer: (A)" }],
])("leaves out a line that %s", async (_, line) => {
  write(line, { input: `Question: Which?${options}`, output: "Answer: (B)" });
  expect((await readInstructionChoices(path)).map(({ id, gold }) => [id, gold])).toEqual([["train-2", "B"]]);
  write(line);
  await expect(readInstructionChoices(path)).rejects.toThrow(
    `${path}: expected questions with options A to D, got none`,
  );
});

test("names a line of another form, and a file that is missing", async () => {
  writeFileSync(path, '{"instances": {"input": "Question"}}\n');
  await expect(readInstructionChoices(path)).rejects.toThrow(/train\.json:1: .*instances\.output/);
  await expect(readInstructionChoices(join(folder, "none.json"))).rejects.toThrow(/none\.json/);
});
