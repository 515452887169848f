/**
 * MedMCQA (Pal et al. 2022, arXiv:2203.14371): questions of India's medical entrance examinations with four choices. The
 * test file has no answers, so that the development file is what is tested on, everywhere. Reads the original JSON lines
 * (`dev.json`, `train.json`); without the training file, a sample of it out of a set of instructions.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines } from "../io/json.ts";
import type { DataFiles, Split } from "./benchmark.ts";
import { readInstructionChoices } from "./instruction-choices.ts";
import { type ChoiceExample, lettered, letters, multipleChoice, questionOfText } from "./multiple-choice.ts";

const line = z.object({
  id: z.string(),
  question: z.string(),
  opa: z.string(),
  opb: z.string(),
  opc: z.string(),
  opd: z.string(),
  cop: z.int("counted from 1, as in the original files").min(1, "counted from 1, as in the original files").max(4),
});

const data: DataFiles = {
  folder: "medmcqa",
  files: {
    test: [{ path: "dev.json", sha256: "a2b5f53890f4e742b728378fb847bc5338088d48ea01218676379f587270af31" }],
    train: [{ path: "train-sample.json", sha256: "079ef4cdfed787d3876556b82115daf1045b019467b84e1152746791cc915195" }],
  },
  from: "the archive that https://github.com/MedMCQA/MedMCQA links to",
  licence: "MIT (LICENSE.md of that repository; its README shows a badge of Apache 2.0)",
};

async function read(folder: string, split: Split): Promise<ChoiceExample[]> {
  const path = `${folder}/${split === "train" ? "train" : "dev"}.json`;
  const sample = `${folder}/train-sample.json`;
  if (split === "train" && !existsSync(path) && existsSync(sample)) return readInstructionChoices(sample);
  if (!existsSync(path)) {
    throw new DataError(`${path}: expected MedMCQA's questions, got no such file`, {
      hint: `they are in ${data.from}`,
    });
  }
  return (await readJsonLines(path, line)).map(({ id, question, opa, opb, opc, opd, cop }) => ({
    id,
    text: question,
    gold: letters[cop - 1]!,
    choices: [opa, opb, opc, opd],
  }));
}

export const medmcqa = multipleChoice<ChoiceExample>({
  name: "medmcqa",
  version: "1",
  description: "Questions of India's medical entrance examinations, four choices (MedMCQA)",
  data,
  labels: letters,
  texts: ({ choices }) => choices,
  read,
  exampleOf: questionOfText,
  source: ({ text, choices }) => `Question: ${text}\nChoices:\n${lettered(choices)}Answer:`,
});
