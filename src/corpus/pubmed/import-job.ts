/**
 * The work of an import that runs beside others, in a worker thread or inline: XML blocks to one encoded row group, and
 * a row group without some of its rows. Jobs share nothing and know nothing of order; `import-pubmed.ts` does.
 */
import { Buffer } from "node:buffer";
import { open } from "node:fs/promises";
import { createGroupBuilder, encodeGroup, type Compression, type EncodedGroup } from "../parquet-codec.ts";
import { fileBuffer, readFooter } from "../../io/parquet-file.ts";
import { readGroup } from "../parquet-read.ts";
import { pubmedColumns } from "./columns.ts";
import { recordFilter, type PubMedFilters, type RecordPredicate } from "./filter.ts";
import { parseBlock } from "./reader.ts";
import type { PubMedRecord, ReadFailure } from "./record.ts";

export interface JobSettings {
  readonly filters: PubMedFilters;
  readonly compression: Compression;
}

/** A block as it travels between threads: its bytes are moved, not copied. */
export interface JobBlock {
  readonly source: string;
  readonly bytes: ArrayBuffer;
  readonly byteOffset: number;
  readonly length: number;
  readonly offset: number;
  readonly ranges: number[];
}

export type ImportJob =
  | { kind: "parse"; blocks: JobBlock[] }
  | { kind: "drop"; path: string; group: number; rows: number[] };

/** What happened to a record, in file order. */
export const rowState = { filtered: 0, kept: 1, deletion: 2 } as const;
/** Stands for "every version" in `versions`. */
export const anyVersion = 0xffff;

export interface JobResult {
  readonly encoded: EncodedGroup | undefined;
  /** Filled fields of the rows kept (parse) or dropped (drop). */
  readonly fill: Record<string, number>;
  readonly pmids: Int32Array<ArrayBuffer>;
  readonly versions: Uint16Array<ArrayBuffer>;
  readonly states: Uint8Array<ArrayBuffer>;
  readonly failures: ReadFailure[];
  /** Records by source, before filters. */
  readonly records: Record<string, number>;
}

export type JobRunner = (job: ImportJob) => Promise<JobResult>;

const fields = Object.keys(pubmedColumns) as (keyof PubMedRecord)[];

interface Fill {
  add(row: PubMedRecord): void;
  counts(): Record<string, number>;
}

/** Counts in how many rows each field is filled. */
function createFill(): Fill {
  const counts = fields.map(() => 0);
  return {
    add(row) {
      for (let index = 0; index < fields.length; index++) {
        const value = row[fields[index]!];
        const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
        if (!empty) counts[index]!++;
      }
    },
    counts: () => Object.fromEntries(fields.map((field, index) => [field, counts[index]!])),
  };
}

/** Records go into the group one by one: kept as objects until it is full, they would cost a garbage collector's time. */
function parseJob(blocks: JobBlock[], keeps: RecordPredicate, compression: Compression): JobResult {
  const group = createGroupBuilder<PubMedRecord>(pubmedColumns, compression);
  const fill = createFill();
  const pmids: number[] = [];
  const versions: number[] = [];
  const states: number[] = [];
  const failures: ReadFailure[] = [];
  const records: Record<string, number> = {};
  const note = (pmid: number, version: number, state: number): void => {
    pmids.push(pmid);
    versions.push(version);
    states.push(state);
  };
  for (const { source, bytes, byteOffset, length, offset, ranges } of blocks) {
    const buffer = Buffer.from(bytes, byteOffset, length);
    for (const event of parseBlock({ buffer, offset, ranges }, source)) {
      if (event.kind === "failure") failures.push(event.failure);
      else if (event.kind === "deletions") {
        for (const { pmid, version } of event.deletions) note(pmid, version ?? anyVersion, rowState.deletion);
      } else {
        const kept = keeps(event.record);
        note(event.record.pmid, event.record.version, kept ? rowState.kept : rowState.filtered);
        records[source] = (records[source] ?? 0) + 1;
        if (!kept) continue;
        group.add(event.record);
        fill.add(event.record);
      }
    }
  }
  return {
    encoded: group.rows === 0 ? undefined : group.encode(),
    fill: fill.counts(),
    pmids: Int32Array.from(pmids),
    versions: Uint16Array.from(versions),
    states: Uint8Array.from(states),
    failures,
    records,
  };
}

async function dropJob(job: Extract<ImportJob, { kind: "drop" }>, compression: Compression): Promise<JobResult> {
  const handle = await open(job.path, "r");
  try {
    const file = fileBuffer(handle, (await handle.stat()).size);
    const rows = (await readGroup(file, await readFooter(file), job.group, pubmedColumns)) as unknown as PubMedRecord[];
    const dropped = new Set(job.rows);
    const left = rows.filter((_, index) => !dropped.has(index));
    const fill = createFill();
    for (const index of dropped) fill.add(rows[index]!);
    return {
      encoded: left.length === 0 ? undefined : encodeGroup(left, pubmedColumns, compression),
      fill: fill.counts(),
      pmids: new Int32Array(),
      versions: new Uint16Array(),
      states: new Uint8Array(),
      failures: [],
      records: {},
    };
  } finally {
    await handle.close();
  }
}

export function createJobRunner({ filters, compression }: JobSettings): JobRunner {
  const keeps = recordFilter(filters);
  return async (job) =>
    job.kind === "parse" ? parseJob(job.blocks, keeps, compression) : await dropJob(job, compression);
}
