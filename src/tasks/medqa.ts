/**
 * MedQA (Jin et al. 2021, arXiv:2009.13081): questions of the United States' medical licensing examination with four
 * choices. Reads the original JSON lines of four options, by their names (`phrases_no_exclude_test.jsonl`) or shorter
 * ones (`test.jsonl`); without the training file, a sample of it out of a set of instructions.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines } from "../io/json.ts";
import type { DataFiles, Split } from "./benchmark.ts";
import { readInstructionChoices } from "./instruction-choices.ts";
import { type ChoiceExample, lettered, letters, multipleChoice, questionOfText } from "./multiple-choice.ts";

const options = z.strictObject({ A: z.string(), B: z.string(), C: z.string(), D: z.string() });
const line = z.object({ question: z.string(), options, answer_idx: z.enum(letters) });

const data: DataFiles = {
  folder: "medqa",
  files: {
    test: [{ path: "test.jsonl", sha256: "c3b905ccfa66152dc25afbcb2c10e86c0bdb208824f0658fcdb2c040f60a2beb" }],
    train: [{ path: "train-sample.json", sha256: "a52561656827afbc9b12e48a92518d0e73b9d6253cf20e031e4d6640be90bf0c" }],
  },
  from: "data_clean/questions/US/4_options of the archive that https://github.com/jind11/MedQA links to",
  licence: "MIT (LICENSE of that repository)",
};

async function read(folder: string, split: Split): Promise<ChoiceExample[]> {
  const named = split === "valid" ? "dev" : split;
  const path = [`${folder}/${named}.jsonl`, `${folder}/phrases_no_exclude_${named}.jsonl`].find((one) =>
    existsSync(one),
  );
  const sample = `${folder}/train-sample.json`;
  if (path === undefined && split === "train" && existsSync(sample)) return readInstructionChoices(sample);
  if (path === undefined) {
    throw new DataError(`${folder}/${named}.jsonl: expected MedQA's questions with four options, got no such file`, {
      hint: `they are in ${data.from}`,
    });
  }
  return (await readJsonLines(path, line)).map(({ question, options: { A, B, C, D }, answer_idx: gold }, i) => ({
    id: `${split}-${i + 1}`,
    text: question,
    gold,
    choices: [A, B, C, D],
  }));
}

export const medqa = multipleChoice<ChoiceExample>({
  name: "medqa",
  version: "1",
  description: "Questions of the United States' medical licensing examination, four choices (MedQA)",
  data,
  labels: letters,
  texts: ({ choices }) => choices,
  read,
  exampleOf: questionOfText,
  source: ({ text, choices }) => `Question: ${text}\n${lettered(choices)}Answer:`,
});
