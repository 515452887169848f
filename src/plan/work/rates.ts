/** Rates as they were measured on a machine: a file, so that a plan can be made again, on another machine too. */
import { cpus, totalmem } from "node:os";
import * as z from "zod";
import { writeFileAtomically } from "../../io/files.ts";
import { readJson } from "../../io/json.ts";
import { ownVersion } from "../../io/version.ts";

const positive = z.number().positive();
const least = z.number().nonnegative();

const held = { bytes: positive, documents: z.int().positive(), characters: positive };
const machine = z.strictObject({
  processor: z.string(),
  threads: z.int().positive(),
  memory: positive,
  node: z.string(),
  galen: z.string(),
});

const step = z.strictObject({
  name: z.string(),
  /** What it goes through: files, documents, all keys, all edges. */
  kind: z.enum(["import", "documents", "keys", "comparison", "clusters"]),
  /** Of one thread. */
  seconds: least,
  tasks: z.int().positive(),
  /** Keys, or edges, that came of it. */
  records: z.int().nonnegative().optional(),
  /** Rounds that clusters took. */
  rounds: z.int().nonnegative().optional(),
});

export const corpusRates = z.strictObject({
  format: z.literal("galen-rates"),
  version: z.literal(1),
  job: z.literal("corpus"),
  measured: z.string(),
  machine,
  /** Of the pipeline's sources, all that there is. */
  files: z.strictObject({ count: z.int().positive(), bytes: positive, tasks: z.int().positive(), largest: positive }),
  samples: z
    .array(
      z.strictObject({
        ...held,
        words: least,
        tokens: positive.optional(),
        failures: z.int().nonnegative(),
        shards: z.int().positive(),
        /** Processor time over time: well below 1 where the machine was busy, or the disk slow. */
        processor: positive,
        /** What stays in the output folder. */
        disk: positive,
        result: least,
        steps: z.array(step).min(1),
        /** Of the first rank alone, in the end. */
        finish: least,
      }),
    )
    .min(1),
  /** How much longer a thread takes while others work; null: not measured. */
  together: z.strictObject({ threads: z.int().positive(), slower: positive }).nullable(),
  /** Bytes that one process with one thread held at most. */
  memory: positive,
  /** Seconds to open, read and close a small file there. */
  open: z.strictObject({ low: positive, high: positive }),
});

export const documentRates = z.strictObject({
  format: z.literal("galen-rates"),
  version: z.literal(1),
  job: z.enum(["index", "extract"]),
  measured: z.string(),
  machine,
  /** What was applied: a model's source, or null for words alone. */
  model: z.string().nullable(),
  store: z.string().nullable(),
  threads: z.int().positive(),
  files: z.strictObject({ count: z.int().positive(), bytes: positive }),
  samples: z
    .array(z.strictObject({ ...held, failures: z.int().nonnegative(), seconds: positive, disk: positive }))
    .min(1),
  memory: positive,
});

export type CorpusRates = z.output<typeof corpusRates>;
export type DocumentRates = z.output<typeof documentRates>;
export type MeasuredStep = z.output<typeof step>;
export type Machine = z.output<typeof machine>;

export async function thisMachine(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    threads: Math.max(1, cpus().length),
    memory: totalmem(),
    node: process.versions.node,
    galen: await ownVersion(),
  };
}

const hint = 'name a file that "galen plan" wrote with --save-rates for the same kind of job';

/** @throws DataError where the file is missing, or holds rates of another kind. */
export function readCorpusRates(path: string): Promise<CorpusRates> {
  return readJson(path, corpusRates, hint);
}

/** @throws as `readCorpusRates`. */
export async function readDocumentRates(path: string, job: DocumentRates["job"]): Promise<DocumentRates> {
  return readJson(path, documentRates.extend({ job: z.literal(job) }), hint);
}

/** Writes rates as a file that `readCorpusRates` or `readDocumentRates` takes. @throws DataError where it cannot be written. */
export function writeRates(path: string, rates: CorpusRates | DocumentRates): Promise<void> {
  return writeFileAtomically(path, `${JSON.stringify(rates, null, 2)}\n`);
}
