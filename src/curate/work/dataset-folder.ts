/** The result as a dataset folder, exchanged as a whole: files of the last step under their final names, and a manifest. */
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { documentsFormat, type DocumentsManifest, readDocumentsManifest } from "../../corpus/document-dataset.ts";
import { writeFileAtomically, writing } from "../../io/files.ts";
import { noAmount, plus } from "./marker.ts";
import type { ResultMarker } from "./result-task.ts";

/** Where the result lies in an output folder. */
export const datasetFolder = "dataset";

export async function placeDataset(
  output: string,
  markers: readonly ResultMarker[],
  { fingerprint, createdBy }: Pick<DocumentsManifest, "fingerprint" | "createdBy">,
): Promise<DocumentsManifest> {
  const target = join(output, datasetFolder);
  const files = markers.filter(({ out }) => out.documents > 0);
  const names = files.map((_, i) => {
    const [index, count] = [i, files.length].map((number) => String(number).padStart(5, "0"));
    return `data/train-${index}-of-${count}.parquet`;
  });
  const amount = markers.reduce((sum, { out }) => plus(sum, out), noAmount);
  const sum = (field: "notes" | "deidentified"): number => markers.reduce((total, one) => total + one[field], 0);
  const manifest: DocumentsManifest = {
    format: documentsFormat,
    schemaVersion: 1,
    createdBy,
    fingerprint,
    documents: amount.documents,
    words: amount.words,
    notes: sum("notes"),
    deidentified: sum("deidentified"),
    shards: files.map(({ out, file }, i) => ({ name: names[i]!, documents: out.documents, bytes: file!.bytes })),
  };
  if (existsSync(join(target, "manifest.json"))) {
    const there = await readDocumentsManifest(target);
    if (JSON.stringify(there) === JSON.stringify(manifest)) return manifest;
  }
  const temporary = `${target}.tmp`;
  return writing(target, async () => {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(join(temporary, "data"), { recursive: true });
    for (const [i, { file }] of files.entries()) {
      const [from, to] = [join(output, file!.path), join(temporary, names[i]!)];
      // The same bytes under a second name, where the disk can do that.
      await link(from, to).catch(() => copyFile(from, to));
    }
    await writeFileAtomically(join(temporary, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    const old = `${target}.old`;
    await rm(old, { recursive: true, force: true });
    if (existsSync(target)) await rename(target, old);
    await rename(temporary, target);
    await rm(old, { recursive: true, force: true });
    return manifest;
  });
}
