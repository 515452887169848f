/**
 * Medical Abstracts (Schopf et al. 2022): abstracts of patients' conditions in five classes. Reads its comma-separated
 * files, `condition_label,medical_abstract`, with the class names of medical_tc_labels.csv. Some abstracts stand in the
 * training file under several classes.
 */
import { DataError } from "../errors.ts";
import { existsSync } from "node:fs";
import { readRows } from "../io/csv.ts";
import { type Benchmark, type Example, exampleOfText } from "./benchmark.ts";
import { classBenchmark, oneLine } from "./classes.ts";

/** Gold is the class's name. */
export type MedicalAbstract = Example<string>;

async function readPairs(path: string, label: string, text: string): Promise<[string, string][]> {
  const rows: [string, string][] = [];
  for await (const { value } of readRows(path, { columns: { label, text } }))
    rows.push([String(value[label]), String(value[text])]);
  return rows;
}

/** Abstracts of one split; "train" also takes the file rebuilt from OHSUMED where the official one is absent. */
export async function readMedicalAbstracts(folder: string, split: "train" | "test"): Promise<MedicalAbstract[]> {
  const classes = new Map(await readPairs(`${folder}/medical_tc_labels.csv`, "condition_label", "condition_name"));
  const official = `${folder}/medical_tc_${split}.csv`;
  const rebuilt = `${folder}/medical_tc_train_from_ohsumed.csv`;
  const path = split === "train" && !existsSync(official) ? rebuilt : official;
  return (await readPairs(path, "condition_label", "medical_abstract")).map(([label, text], i) => {
    const gold = classes.get(label);
    if (gold === undefined) throw new DataError(`${path}: expected a class of medical_tc_labels.csv, got "${label}"`);
    return { id: `${split}-${i + 1}`, text: text.trim(), gold };
  });
}

const conditions = [
  "neoplasms",
  "digestive system diseases",
  "nervous system diseases",
  "cardiovascular diseases",
  "general pathological conditions",
];
const opening = "Abstract:";

export const medicalAbstracts: Benchmark<MedicalAbstract, string> = classBenchmark<MedicalAbstract>({
  name: "medical-abstracts",
  version: "1",
  description: "Which of five groups of conditions an abstract is about (Medical Abstracts)",
  data: {
    folder: "medical-abstracts",
    // The official training file is not known here.
    files: {
      test: [
        { path: "medical_tc_test.csv", sha256: "1eecea73c9ecad292c55e10403bd139fab9580545d6878482997c5564d51ac05" },
        { path: "medical_tc_labels.csv", sha256: "8a27ae03339c798103678efa8012f744a723ff71a80f2b2c1355ee249564adc5" },
      ],
    },
    from: "Get the files of https://github.com/sebischair/Medical-Abstracts-TC-Corpus.",
    licence: "CC BY-SA 3.0",
  },
  classes: Object.fromEntries(conditions.map((name) => [name, name])),
  opening,
  cue: "Conditions:",
  async read(folder, split) {
    if (split === "valid") {
      throw new DataError(`${folder}: expected a split of Medical Abstracts, train or test; got valid`, {
        hint: "it has no validation set: hold back some of train",
      });
    }
    return readMedicalAbstracts(folder, split);
  },
  exampleOf: (id, text) => ({ ...exampleOfText(id, text), gold: "" }),
  prompt: ({ text }) => `${opening} ${oneLine(text)}\nWhich conditions is it about: ${conditions.join(", ")}?`,
  plain: ({ text }) => text,
});
