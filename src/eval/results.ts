/** What evaluations have left in folders: of a suite, a folder a benchmark; or of a single benchmark. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJson } from "../io/json.ts";
import { type Counts, mean, microF1 } from "../metrics/counts.ts";
import type { Score } from "../metrics/paired.ts";
import { primaryOf, type Report } from "../metrics/report.ts";
import { required } from "../schema.ts";
import { type ExampleRecord, readRecords } from "./records.ts";

export interface BenchmarkResult {
  readonly report: Report;
  /** Absent where the evaluation has kept none. */
  readonly records?: readonly ExampleRecord[];
  /** Where they stand. */
  readonly path: string;
}

/** A model's results. */
export interface Results {
  readonly folder: string;
  readonly model: string;
  /** By benchmark; undefined where the suite has not come to it. */
  readonly benchmarks: ReadonlyMap<string, BenchmarkResult | undefined>;
}

const interval = z.object({
  low: z.number(),
  high: z.number(),
  level: z.number(),
  resamples: z.int(),
  seed: z.number(),
});
const figure = z.object({
  name: z.string(),
  label: z.string(),
  value: z.number(),
  kind: z.enum(["published", "sound", "baseline", "detail"]),
  unit: z.enum(["count", "number"]).optional(),
  by: z.string().optional(),
  interval: interval.optional(),
});
const reportSchema = z.object({
  model: z.string(),
  task: z.string(),
  version: z.string(),
  protocol: z.record(z.string(), z.unknown()),
  hash: z.string(),
  examples: z.int().min(1),
  failed: z.int().min(0).optional(),
  primary: z.string(),
  figures: z.array(figure),
});
const suiteSchema = z.object({
  model: z.string(),
  // A name is a folder's, never a path.
  benchmarks: z.array(z.string().regex(/^[\w-][\w.-]*$/)),
});

/** One that there is something to compare of. */
const scoredSuite = suiteSchema.extend({ benchmarks: suiteSchema.shape.benchmarks.min(1) });

/**
 * The results in a folder with suite.json, or with the report.json of one benchmark.
 * @throws DataError where there is neither, or a file does not fit.
 */
export async function readResults(folder: string): Promise<Results> {
  required("readResults: folder", folder, "text");
  const suite = join(folder, "suite.json");
  if (existsSync(suite)) {
    const { model, benchmarks } = await readJson(suite, scoredSuite);
    const results = new Map<string, BenchmarkResult | undefined>();
    for (const name of benchmarks) {
      const path = join(folder, name);
      results.set(name, existsSync(join(path, "report.json")) ? (await readResult(path)).result : undefined);
    }
    return { folder, model, benchmarks: results };
  }
  if (!existsSync(join(folder, "report.json"))) {
    throw new DataError(`${folder}: expected a folder with suite.json or report.json, got neither`, {
      hint: "galen evaluate suite writes them to its --output",
    });
  }
  const { model, result } = await readResult(folder);
  return { folder, model, benchmarks: new Map([[result.report.task, result]]) };
}

/** Benchmarks that a suite in the folder has scored; none without one. @throws DataError for a file that does not fit. */
export async function scoredIn(folder: string): Promise<readonly string[]> {
  const suite = join(folder, "suite.json");
  if (!existsSync(suite)) return [];
  return (await readJson(suite, suiteSchema)).benchmarks;
}

async function readResult(path: string): Promise<{ readonly model: string; readonly result: BenchmarkResult }> {
  const file = join(path, "report.json");
  const { model, ...report } = await readJson(file, reportSchema);
  primaryOf(report as Report, file);
  const recordsPath = join(path, "records.jsonl");
  const records = existsSync(recordsPath) ? { records: await readRecords(recordsPath) } : {};
  return { model, result: { report: report as Report, path, ...records } };
}

/** Scores of single examples; undefined where there are none. @throws DataError where they are not the report's. */
export function scoresOf({ report, records, path }: BenchmarkResult): readonly Score[] | undefined {
  const scores = records?.flatMap(({ score }) => score ?? []);
  if (records === undefined || scores === undefined || scores.length === 0) return undefined;
  const { value } = primaryOf(report, path);
  const found = figureOf(records);
  if (records.length === report.examples && Math.abs(found - value) < 1e-9) return scores;
  throw new DataError(
    `${path}/records.jsonl: expected ${report.examples} records whose scores make ${value}, got ${records.length} that make ${found}`,
    { hint: "records and report are of different runs: evaluate again" },
  );
}

/** The mean of numbers, the micro-F1 of counts. */
export function figureOf(records: readonly Pick<ExampleRecord, "score">[]): number {
  const scores = records.flatMap(({ score }): Score[] => (score === undefined ? [] : [score]));
  return typeof scores[0] === "number" ? mean(scores as number[]) : microF1(scores as Counts[]);
}
