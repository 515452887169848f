/**
 * Medical Abstracts (Schopf et al. 2022): abstracts of patients' conditions in five classes. Reads its comma-separated
 * files, `condition_label,medical_abstract`, with the class names of medical_tc_labels.csv. Some abstracts stand in the
 * training file under several classes.
 */
import { DataError } from "../errors.ts";
import { existsSync } from "node:fs";
import { readRows } from "../io/csv.ts";
import type { Example } from "./benchmark.ts";

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
