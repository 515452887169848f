/**
 * Results on those examples alone that no compared model's training texts hold, as far as that was looked for
 * (`contamination.ts`): what one model may have seen is left out for all, so that they are compared on the same examples.
 */
import { ConfigError } from "../errors.ts";
import { bootstrap } from "../metrics/bootstrap.ts";
import { grouped } from "../metrics/groups.ts";
import { primaryOf } from "../metrics/report.ts";
import { type BenchmarkResult, figureOf, type Results, scoresOf } from "./results.ts";

/** How many examples of a benchmark were left. */
export interface CleanShare {
  readonly name: string;
  readonly kept: number;
  readonly of: number;
}

export interface CleanResults {
  readonly results: readonly Results[];
  readonly shares: readonly CleanShare[];
  /** Benchmarks that were left out whole: nobody looked, there are no scores of single examples, or none is clean. */
  readonly unknown: readonly string[];
}

/**
 * The figure of the examples that are left is made again from their scores, its interval from 1,000 draws of documents.
 * @throws ConfigError where no benchmark of any model was looked for in training texts.
 */
export function cleanResults(results: readonly Results[], seed: number): CleanResults {
  const names = [...new Set(results.flatMap(({ benchmarks }) => [...benchmarks.keys()]))];
  const isLooked = (name: string): boolean =>
    results.some(({ benchmarks }) => benchmarks.get(name)?.records?.some(({ seen }) => seen !== undefined));
  if (!names.some(isLooked)) {
    throw new ConfigError(`compareResults: expected results that say what training texts hold, got none`, {
      hint: "galen evaluate suite … --seen TEXTS writes them",
    });
  }
  const told = new Map(names.filter(isLooked).map((name) => [name, tellingIds(name, results)]));
  const parts = results.map((one) => ({
    ...one,
    benchmarks: new Map(
      [...told].flatMap(([name, ids]) => {
        const whole = one.benchmarks.get(name);
        const part = whole && partOf(whole, ids, seed);
        return part === undefined ? [] : [[name, part] as const];
      }),
    ),
  }));
  const shares = names.flatMap((name) => {
    const part = parts.flatMap(({ benchmarks }) => benchmarks.get(name)?.report.examples ?? [])[0];
    const whole = results.flatMap(({ benchmarks }) => benchmarks.get(name)?.report.examples ?? [])[0];
    return part === undefined || whole === undefined ? [] : [{ name, kept: part, of: whole }];
  });
  const unknown = names.filter((name) => !shares.some((share) => share.name === name));
  return { results: parts, shares, unknown };
}

/** Examples that all who looked call clean; of too short ones it cannot be told. */
function tellingIds(name: string, results: readonly Results[]): ReadonlySet<string> {
  const looks = results.flatMap(({ benchmarks }) => benchmarks.get(name)?.records ?? []);
  const clean = new Set(looks.flatMap(({ id, seen }) => (seen?.verdict === "clean" ? [id] : [])));
  for (const { id, seen } of looks) if (seen !== undefined && seen.verdict !== "clean") clean.delete(id);
  return clean;
}

function partOf(whole: BenchmarkResult, ids: ReadonlySet<string>, seed: number): BenchmarkResult | undefined {
  const { report, records, path } = whole;
  if (scoresOf(whole) === undefined) return undefined;
  const kept = records!.filter(({ id }) => ids.has(id));
  if (kept.length === 0) return undefined;
  const documents = kept.map(({ id, document }, i) => document ?? `${i} ${id}`);
  const interval = bootstrap(grouped(kept, documents), (sample) => figureOf(sample.flat()), { seed });
  const { interval: _, ...primary } = primaryOf(report, path);
  const { failed: __, ...about } = report;
  const figures = [{ ...primary, value: figureOf(kept), interval }];
  return { report: { ...about, examples: kept.length, figures }, records: kept, path };
}
