/** Reports of datasets: the manifest, records by year, and the first records that could not be read. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readDataset, readManifest } from "../../corpus/dataset.ts";
import { isDocumentDataset, readDocumentDataset, readDocumentsManifest } from "../../corpus/document-dataset.ts";
import { describeFailure } from "../../corpus/failures.ts";
import type { ReadFailure } from "../../corpus/pubmed/record.ts";
import { streamOwnLines } from "../../io/json.ts";
import type { CorpusEntry } from "./replies.ts";

/** The file that makes a folder a dataset's. */
export const corpusMark = "manifest.json";
const mostFailures = 100;

async function yearsOf(folder: string): Promise<Pick<CorpusEntry, "years" | "undated">> {
  const counts = new Map<number, number>();
  let undated = 0;
  for await (const { year } of readDataset(folder, { columns: ["year"] })) {
    if (year === null) undated += 1;
    else counts.set(year, (counts.get(year) ?? 0) + 1);
  }
  return { years: [...counts].sort(([a], [b]) => a - b).map(([year, count]) => ({ year, count })), undated };
}

async function firstFailures(path: string): Promise<string[]> {
  const failures: string[] = [];
  if (!existsSync(path)) return failures;
  for await (const failure of streamOwnLines<ReadFailure>(path)) {
    failures.push(describeFailure(failure));
    if (failures.length === mostFailures) break;
  }
  return failures;
}

/** Reports of a folder are made once, and again when its manifest changes. */
export function corpusReports(): (name: string, folder: string) => Promise<CorpusEntry> {
  const made = new Map<string, { readonly time: number; readonly entry: Promise<CorpusEntry> }>();
  return async (name, folder) => {
    const { mtimeMs } = await stat(join(folder, corpusMark));
    const before = made.get(folder);
    if (before?.time === mtimeMs) return before.entry;
    const entry = report(name, folder);
    made.set(folder, { time: mtimeMs, entry });
    entry.catch(() => made.delete(folder));
    return entry;
  };
}

/** Of a dataset of documents: what its columns say. Files and failures are in the report of the run that made it. */
async function reportDocuments(name: string, folder: string): Promise<CorpusEntry> {
  const { createdBy, documents, shards } = await readDocumentsManifest(folder);
  const filled: Record<string, number> = {};
  const years = new Map<number, number>();
  const sources = new Map<string, number>();
  let undated = 0;
  for await (const document of readDocumentDataset(folder)) {
    for (const [field, value] of Object.entries(document)) {
      const isEmpty = value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
      filled[field] = (filled[field] ?? 0) + Number(!isEmpty);
    }
    sources.set(document.source, (sources.get(document.source) ?? 0) + 1);
    const year = Number(document.date?.slice(0, 4));
    if (Number.isInteger(year)) years.set(year, (years.get(year) ?? 0) + 1);
    else undated += 1;
  }
  const failures = await firstFailures(join(folder, "failures.jsonl"));
  return {
    name,
    createdBy,
    records: documents,
    counts: { read: documents, filtered: 0, superseded: 0, deleted: 0, failures: failures.length },
    filled,
    filters: {},
    sources: [...sources].map(([source, records]) => ({ name: source, bytes: 0, records, failures: 0 })),
    bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0),
    years: [...years].sort(([a], [b]) => a - b).map(([year, count]) => ({ year, count })),
    undated,
    failures,
  };
}

async function report(name: string, folder: string): Promise<CorpusEntry> {
  if (await isDocumentDataset(folder)) return reportDocuments(name, folder);
  const { createdBy, records, counts, filled, filters, sources, shards } = await readManifest(folder);
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const failures = await firstFailures(join(folder, "failures.jsonl"));
  return { name, createdBy, records, counts, filled, filters, sources, bytes, ...(await yearsOf(folder)), failures };
}
