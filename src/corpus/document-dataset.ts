/**
 * A dataset folder of corpus documents: `manifest.json` and Parquet shards under `data/`, named so that Hugging Face
 * `load_dataset(folder)` and DuckDB's `read_parquet('folder/data/*.parquet')` find them.
 */
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJson } from "../io/json.ts";
import { readDocumentGroups } from "./document-shards.ts";
import type { CorpusDocument } from "./corpus-document.ts";

export const documentsFormat = "galen-documents";

const count = z.int().nonnegative();
export const documentsManifest = z.object({
  format: z.literal(documentsFormat),
  schemaVersion: z.literal(1),
  createdBy: z.string(),
  /** Of the pipeline and its sources that made it. */
  fingerprint: z.string(),
  documents: count,
  words: count,
  /** Clinical notes, and how many of them say who de-identified them. */
  notes: count,
  deidentified: count,
  shards: z.array(
    z.object({ name: z.string().regex(/^data\/train-\d{5,}-of-\d{5,}\.parquet$/), documents: count, bytes: count }),
  ),
});
export type DocumentsManifest = z.output<typeof documentsManifest>;

/** Whether a dataset folder's manifest is of this format; which others there are, their own readers know. */
export async function isDocumentDataset(folder: string): Promise<boolean> {
  const { format } = await readJson(join(folder, "manifest.json"), z.looseObject({ format: z.unknown() }));
  return format === documentsFormat;
}

/** @throws DataError where the folder holds none, or one that is not of this version. */
export function readDocumentsManifest(folder: string): Promise<DocumentsManifest> {
  return readJson(join(folder, "manifest.json"), documentsManifest, 'name a folder that "galen corpus" made');
}

/** The documents of a dataset folder in order, one row group in memory at a time. @throws DataError where it is damaged. */
export async function* readDocumentDataset(folder: string): AsyncGenerator<CorpusDocument> {
  const { shards } = await readDocumentsManifest(folder);
  for (const { name, documents } of shards) {
    const path = join(folder, name);
    let read = 0;
    for await (const group of readDocumentGroups(path)) {
      read += group.length;
      yield* group;
    }
    if (read !== documents) {
      throw new DataError(`${path}: expected ${documents} documents, as the manifest says, got ${read}`, {
        hint: "the dataset was changed or damaged: make it again",
      });
    }
  }
}
