/**
 * MTS-Dialog (Ben Abacha et al. 2023): a conversation of doctor and patient, and the section of the note that a doctor
 * wrote of it. Reads the original CSV files; test is that of MEDIQA-Chat 2023 or, under a name of its own, of MEDIQA-Sum.
 * The section's name is given, which the challenges asked to be found too. Conversations are not real ones.
 */
import { DataError } from "../errors.ts";
import { readRows } from "../io/csv.ts";
import type { Benchmark, DataFiles, Example, Split } from "./benchmark.ts";
import { summaryBenchmark } from "./summaries.ts";

export interface DialogueExample extends Example<string> {
  readonly section: string;
}

/** The headers of the files, as its README spells them out. */
const sections: Readonly<Record<string, string>> = {
  "FAM/SOCHX": "family and social history",
  GENHX: "history of present illness",
  PASTMEDICALHX: "past medical history",
  CC: "chief complaint",
  PASTSURGICAL: "past surgical history",
  ALLERGY: "allergies",
  ROS: "review of systems",
  MEDICATIONS: "medications",
  ASSESSMENT: "assessment",
  EXAM: "examination",
  DIAGNOSIS: "diagnosis",
  DISPOSITION: "disposition",
  PLAN: "plan",
  EDCOURSE: "emergency department course",
  IMMUNIZATIONS: "immunizations",
  IMAGING: "imaging",
  GYNHX: "gynecologic history",
  PROCEDURES: "procedures",
  OTHER_HISTORY: "other history",
  LABS: "laboratory results",
};

const filesOf: Readonly<Record<Split | "second", { path: string; sha256: string }>> = {
  train: {
    path: "MTS-Dialog-TrainingSet.csv",
    sha256: "65a28681dd59fc159681ea026e44610f2af7bc64a0e7f892d763eb03d9f503dc",
  },
  valid: {
    path: "MTS-Dialog-ValidationSet.csv",
    sha256: "227206520c4534381c0d7fba6d3f09319a9af5a6d9603a93c0341af1198e3958",
  },
  test: {
    path: "MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
    sha256: "b4d38dd2c99b2e9860099abcf653f1e0f3e9b69f9fcc45be2a2699b37a4d2f37",
  },
  second: {
    path: "MTS-Dialog-TestSet-2-MEDIQA-Sum-2023.csv",
    sha256: "226644466ed3af82382b327a3e684aab70aa605b96cfd93b04f584f1826ab1a6",
  },
};

async function read(path: string): Promise<DialogueExample[]> {
  const examples: DialogueExample[] = [];
  for await (const { number, value } of readRows(path)) {
    const [id, header, gold, text] = ["ID", "section_header", "section_text", "dialogue"].map((name) => value[name]);
    if (typeof id !== "string" || typeof header !== "string" || typeof gold !== "string" || typeof text !== "string") {
      throw new DataError(
        `${path}:${number}: expected the columns ID, section_header, section_text and dialogue, got ${Object.keys(value).join(", ")}`,
      );
    }
    examples.push({ id, text: text.trim(), section: sections[header] ?? header.toLowerCase(), gold: gold.trim() });
  }
  return examples;
}

const opening = "Conversation:";

function mtsDialog(name: string, about: string, test: "test" | "second"): Benchmark<DialogueExample, string> {
  const data: DataFiles = {
    folder: "mts-dialog",
    files: { train: [filesOf.train], valid: [filesOf.valid], test: [filesOf[test]] },
    from: "Get the CSV files of Main-Dataset in https://github.com/abachaa/MTS-Dialog.",
    licence: "CC BY 4.0",
  };
  return summaryBenchmark<DialogueExample>({
    name,
    version: "1",
    description: `A section of a clinical note, written of a conversation (MTS-Dialog, ${about})`,
    data,
    opening,
    cue: "Section:",
    read: (folder, split) => read(`${folder}/${filesOf[split === "test" ? test : split].path}`),
    exampleOf: (id, text) => ({ id, text: text.trim(), section: "history of present illness", gold: "" }),
    prompt: ({ text, section }) => `${opening}\n${text}\n\nWrite the section "${section}" of the clinical note.`,
  });
}

export const mtsDialogChat = mtsDialog("mts-dialog", "MEDIQA-Chat's test", "test");
export const mtsDialogSum = mtsDialog("mts-dialog-sum", "MEDIQA-Sum's test", "second");
