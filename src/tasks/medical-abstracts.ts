/**
 * Medical Abstracts (Schopf et al. 2022): abstracts of patients' conditions in five classes. Reads its comma-separated
 * files, `condition_label,medical_abstract`, with the class names of medical_tc_labels.csv. Some abstracts stand in the
 * training file under several classes.
 */
import { DataError } from "../errors.ts";
import { existsSync } from "node:fs";
import { parseCsv } from "../io/csv.ts";
import { readText } from "../io/files.ts";
import type { Example } from "./benchmark.ts";

/** Gold is the class's name. */
export type MedicalAbstract = Example<string>;

async function readRows(path: string, header: string): Promise<[string, string][]> {
  const [first, ...rows] = parseCsv(await readText(path));
  if (first?.join(",") !== header) {
    throw new DataError(`${path}: expected the header "${header}", got "${first?.join(",") ?? ""}"`);
  }
  return rows.map((row, i) => {
    const [a, b] = row;
    if (a === undefined || b === undefined) throw new DataError(`${path}: expected two columns in row ${i + 2}`);
    return [a, b];
  });
}

/** Abstracts of one split; "train" also takes the file rebuilt from OHSUMED where the official one is absent. */
export async function readMedicalAbstracts(folder: string, split: "train" | "test"): Promise<MedicalAbstract[]> {
  const classes = new Map(await readRows(`${folder}/medical_tc_labels.csv`, "condition_label,condition_name"));
  const official = `${folder}/medical_tc_${split}.csv`;
  const rebuilt = `${folder}/medical_tc_train_from_ohsumed.csv`;
  const path = split === "train" && !existsSync(official) ? rebuilt : official;
  return (await readRows(path, "condition_label,medical_abstract")).map(([label, text], i) => {
    const gold = classes.get(label);
    if (gold === undefined) throw new DataError(`${path}: expected a class of medical_tc_labels.csv, got "${label}"`);
    return { id: `${split}-${i + 1}`, text: text.trim(), gold };
  });
}
