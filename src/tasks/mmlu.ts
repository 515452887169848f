/**
 * The six medical subjects of MMLU (Hendrycks et al. 2021, arXiv:2009.03300). Reads the original files, question, four
 * choices and letter without a row of names, in one folder or in its `test`, `val` and `dev`. What is here called the
 * training split are the five questions of `SUBJECT_dev.csv`, which are everybody's shots, in their order.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readRows } from "../io/csv.ts";
import { checked } from "../schema.ts";
import type { Benchmark, DataFiles, Split } from "./benchmark.ts";
import {
  type ChoiceAnswer,
  type ChoiceExample,
  lettered,
  letters,
  multipleChoice,
  questionOfText,
} from "./multiple-choice.ts";

/** SHA-256 of each subject's test file. */
const subjects = {
  anatomy: "966dfd5c4579885ebdb8c05d6754ae5834f672632586d8595be3c0f9360e6f4e",
  clinical_knowledge: "06a1ea973000d5ef5d2664c4ac1c68d0423f1cab6b3b682be7942633740811f1",
  college_biology: "e1204cb9d19887ea266145f038b5d4cc1fbc33d7efce186259c4ecca1cbe3119",
  college_medicine: "9c533cfff89edaa317b2e79bbabcdd5e2e522e019679cb4a6475e5f2a1861b1e",
  medical_genetics: "cc30c698e94f12c00e610a39c62d1a1d9587fa53c005359317346081f722c5e6",
  professional_medicine: "a034bf0dda10cb0848bdd3097eb1547d61ca2dac9e9b871563691621c38d51e9",
} as const;

const names = ["question", "A", "B", "C", "D", "answer"] as const;
const text = z.string();
const row = z.object({ question: text, A: text, B: text, C: text, D: text, answer: z.enum(letters) });
const ending = { train: "dev", valid: "val", test: "test" } as const satisfies Record<Split, string>;
const archive = "https://people.eecs.berkeley.edu/~hendrycks/data.tar";

async function read(subject: string, folder: string, split: Split): Promise<ChoiceExample[]> {
  const name = `${subject}_${ending[split]}.csv`;
  const path = [`${folder}/${name}`, `${folder}/${ending[split]}/${name}`].find((one) => existsSync(one));
  if (path === undefined) {
    throw new DataError(`${folder}/${name}: expected MMLU's questions, got no such file`, {
      hint: `it is in ${archive}, folder ${ending[split]}`,
    });
  }
  const examples: ChoiceExample[] = [];
  for await (const { number, value } of readRows(path, { names })) {
    const { question, A, B, C, D, answer: gold } = checked(row, value, `${path}:${number}`, DataError);
    examples.push({ id: `${split}-${examples.length + 1}`, text: question, gold, choices: [A, B, C, D] });
  }
  return examples;
}

function subjectOf([subject, sha256]: [string, string]): Benchmark<ChoiceExample, ChoiceAnswer> {
  const title = subject.replaceAll("_", " ");
  const data: DataFiles = {
    folder: "mmlu",
    files: { test: [{ path: `${subject}_test.csv`, sha256 }] },
    from: archive,
    licence: "MIT (LICENSE of https://github.com/hendrycks/test)",
  };
  return multipleChoice<ChoiceExample>({
    name: `mmlu-${subject.replaceAll("_", "-")}`,
    version: "1",
    description: `Questions about ${title}, four choices (MMLU)`,
    data,
    shots: {
      description: `The following are multiple choice questions (with answers) about ${title}.\n\n`,
      first: true,
    },
    labels: letters,
    texts: ({ choices }) => choices,
    read: (folder, split) => read(subject, folder, split),
    exampleOf: questionOfText,
    source: ({ text: question, choices }) => `${question.trim()}\n${lettered(choices)}Answer:`,
  });
}

export const mmlu: readonly Benchmark<ChoiceExample, ChoiceAnswer>[] = Object.entries(subjects).map(subjectOf);
