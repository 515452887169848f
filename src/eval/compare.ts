/**
 * Models beside each other on the same benchmarks: each one's primary figure, and the difference to the first model's
 * with an interval, a paired test and the smallest difference that the set could have shown. What was asked in another
 * way, or of other examples, is not compared; a mean over benchmarks is over those that all models have.
 */
import { ConfigError, DataError } from "../errors.ts";
import type { Interval } from "../metrics/bootstrap.ts";
import { mean } from "../metrics/counts.ts";
import {
  holm,
  mcnemar,
  pairedBootstrap,
  type Score,
  smallestOfDiscordant,
  smallestOfError,
  spreadOf,
} from "../metrics/paired.ts";
import { primaryOf, type Figure } from "../metrics/report.ts";
import { required } from "../schema.ts";
import { type CleanResults, cleanResults } from "./clean-results.ts";
import { type BenchmarkResult, type Results, scoresOf } from "./results.ts";
import { partsOf, type SuiteLine } from "./suite-line.ts";

export interface Difference {
  /** The model's figure less the first model's. */
  readonly value: number;
  readonly interval: Interval;
  readonly test: "mcnemar" | "bootstrap";
  readonly p: number;
  /** By Holm's method, over all benchmarks and models that are compared; of a mean the same as `p`. */
  readonly adjusted: number;
  /** What the set shows with a power of 80 % at a level of 5 %; absent where the answers are all of the same worth. */
  readonly smallest?: number;
}

/** The first field in which two protocols differ, and what they say there. */
export interface ProtocolDifference {
  /** "decoding.beams". */
  readonly field: string;
  readonly first: unknown;
  readonly here: unknown;
}

/** A model on a benchmark. */
export interface Cell {
  readonly value: number;
  readonly interval?: Interval;
  readonly examples: number;
  /** Answers of which nothing could be read. */
  readonly failed?: number;
  /** Of the protocol. */
  readonly hash: string;
  /** What the model's training texts hold of the examples and what not, where that was looked for. */
  readonly parts?: Pick<SuiteLine, "clean" | "contaminated" | "difference">;
  readonly difference?: Difference;
  /** Why there is none, where the first model was asked in another way. */
  readonly differs?: ProtocolDifference;
  /** Why there is none, where the protocols agree. */
  readonly untested?: string;
}

export interface ComparedBenchmark {
  readonly name: string;
  /** The primary figure's name and unit. */
  readonly metric: string;
  readonly unit?: Figure["unit"];
  /** One a model; null where it has not been evaluated. */
  readonly cells: readonly (Cell | null)[];
}

export interface Comparison {
  readonly models: readonly { readonly label: string; readonly model: string; readonly folder: string }[];
  readonly benchmarks: readonly ComparedBenchmark[];
  /** Over benchmarks that all models have, asked in the same way; absent where these are fewer than two. */
  readonly average?: {
    readonly benchmarks: readonly string[];
    readonly cells: readonly { readonly value: number; readonly difference?: Difference }[];
  };
  /** Tests that Holm's method has corrected for. */
  readonly tests: number;
  /** Where only clean examples are compared: how many these are, and the benchmarks of which it is not known. */
  readonly clean?: Omit<CleanResults, "results">;
}

export interface CompareOptions {
  /** Of the bootstrap. */
  readonly seed?: number | undefined;
  /** Default 10,000. */
  readonly resamples?: number | undefined;
  /** Examples alone that no model's training texts hold, as far as that was looked for. */
  readonly clean?: boolean | undefined;
}

/** Fields of a protocol that say which model it is and what it was trained on, not how it was asked. */
const ofTheModel = new Set(["model", "weights", "seen"]);

/**
 * @throws ConfigError for fewer than two results, or where only clean examples are wanted and nobody has looked for them;
 * DataError where records are not those of their report.
 */
export function compareResults(all: readonly Results[], options: CompareOptions = {}): Comparison {
  required("compareResults: results", all, "list");
  const { seed = 1, resamples = 10_000, clean = false } = options;
  const { results, ...only } = clean ? cleanResults(all, seed) : { results: all };
  if (results.length < 2) throw new ConfigError(`compareResults: expected two results or more, got ${results.length}`);
  const names = [...new Set(results.flatMap(({ benchmarks }) => [...benchmarks.keys()]))];
  const drafts = names.map((name) => draftOf(name, results, { seed: seedOf(name, seed), resamples }));
  const pairs = drafts.flatMap(({ cells }) => cells.flatMap((cell) => cell?.pair ?? []));
  const adjusted = holm(pairs.map(({ p }) => p));
  const differences = new Map(
    pairs.map((pair, i): [Pair, Difference] => {
      const { draws: _draws, ...difference } = pair;
      return [pair, { ...difference, adjusted: adjusted[i]! }];
    }),
  );
  const benchmarks = drafts.map(({ cells, ...about }) => ({
    ...about,
    cells: cells.map((cell) => {
      if (cell === null) return null;
      const { pair, ...rest } = cell;
      return pair === undefined ? rest : { ...rest, difference: differences.get(pair)! };
    }),
  }));
  const average = averageOf(drafts, seed);
  return {
    models: labelled(results),
    benchmarks,
    ...(average && { average }),
    tests: pairs.length,
    ...("shares" in only && { clean: only }),
  };
}

/** A difference before it is corrected, with the differences that were drawn. */
interface Pair extends Omit<Difference, "adjusted"> {
  readonly draws: Float64Array;
}

interface Draft extends Omit<ComparedBenchmark, "cells"> {
  readonly cells: readonly ((Omit<Cell, "difference"> & { readonly pair?: Pair }) | null)[];
}

/** Benchmarks draw independently of one another, whichever others there are. */
function seedOf(name: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) >>> 0;
  return hash;
}

function draftOf(
  name: string,
  results: readonly Results[],
  options: { readonly seed: number; readonly resamples: number },
): Draft {
  const found = results.map(({ benchmarks }) => benchmarks.get(name));
  const first = found[0];
  const shown = found.find((one) => one !== undefined);
  // A benchmark that nobody has come to yet.
  if (shown === undefined) return { name, metric: "", cells: found.map(() => null) };
  const { name: metric, unit } = primaryOf(shown.report, shown.path);
  const cells = found.map((result, i): Draft["cells"][number] => {
    if (result === undefined) return null;
    const { report, path } = result;
    const { value, interval } = primaryOf(report, path);
    const { examples, failed, hash } = report;
    const parts = partsOf(report, metric);
    const cell = {
      value,
      examples,
      hash,
      ...(interval && { interval }),
      ...(failed !== undefined && { failed }),
      ...(parts.clean && { parts }),
    };
    if (i === 0) return cell;
    if (first === undefined) return { ...cell, untested: "the first model has not been evaluated" };
    const differs = differenceOf(
      { ...first.report.protocol, primary: first.report.primary },
      { ...report.protocol, primary: report.primary },
    );
    if (differs !== undefined) return { ...cell, differs };
    const [a, b] = [scoresOf(first), scoresOf(result)];
    if (a === undefined || b === undefined) return { ...cell, untested: "no scores of single examples" };
    return { ...cell, pair: pairOf(first, result, [a, b], options) };
  });
  return { name, metric, ...(unit && { unit }), cells };
}

/** Where two protocols first differ, in the order of the first. */
export function differenceOf(first: unknown, here: unknown, path: string = ""): ProtocolDifference | undefined {
  const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject(first) && isObject(here)) {
    for (const key of new Set([...Object.keys(first), ...Object.keys(here)])) {
      if (path === "" && ofTheModel.has(key)) continue;
      const inside = differenceOf(first[key], here[key], path === "" ? key : `${path}.${key}`);
      if (inside !== undefined) return inside;
    }
    return undefined;
  }
  return JSON.stringify(first) === JSON.stringify(here) ? undefined : { field: path, first, here };
}

function pairOf(
  first: BenchmarkResult,
  here: BenchmarkResult,
  [a, b]: readonly [readonly Score[], readonly Score[]],
  options: { readonly seed: number; readonly resamples: number },
): Pair {
  const [ours, theirs] = [first.records!, here.records!];
  const at = ours.findIndex(({ id }, i) => id !== theirs[i]!.id);
  if (at >= 0) {
    throw new DataError(
      `${here.path}/records.jsonl:${at + 1}: expected example "${ours[at]!.id}" as in ${first.path}, got "${theirs[at]!.id}"`,
    );
  }
  const documents = ours.map(({ id, document }, i) => document ?? `${i} ${id}`);
  const { difference: value, interval, p, error, draws } = pairedBootstrap(a, b, documents, options);
  const isRightOrWrong = [...a, ...b].every((one) => one === 0 || one === 1);
  if (isRightOrWrong && new Set(documents).size === documents.length) {
    const test = mcnemar(a as number[], b as number[]);
    const smallest = smallestOfDiscordant(test.onlyFirst + test.onlySecond, a.length);
    return { value, interval, test: "mcnemar", p: test.p, smallest, draws };
  }
  return { value, interval, test: "bootstrap", p, ...smallestOf(error), draws };
}

const smallestOf = (error: number): { readonly smallest?: number } =>
  error === 0 ? {} : { smallest: smallestOfError(error) };

/** Means over the benchmarks that all models have and that were asked of all in the same way. */
function averageOf(drafts: readonly Draft[], seed: number): Comparison["average"] {
  const common = drafts.filter(
    ({ cells, unit }) => unit === undefined && cells.every((cell) => cell !== null && cell.differs === undefined),
  );
  if (common.length < 2) return undefined;
  const cells = common[0]!.cells.map((_, model) => {
    const column = common.map(({ cells: some }) => some[model]!);
    const value = mean(column.map((cell) => cell.value));
    const pairs = column.flatMap(({ pair }) => pair ?? []);
    if (pairs.length < column.length) return { value };
    const draws = pairs[0]!.draws.map((__, round) => mean(pairs.map((one) => one.draws[round]!)));
    const { interval, p, error } = spreadOf(draws, 0.95, seed);
    const difference = { interval, p, adjusted: p, test: "bootstrap" as const, ...smallestOf(error) };
    return { value, difference: { value: mean(pairs.map((one) => one.value)), ...difference } };
  });
  return { benchmarks: common.map(({ name }) => name), cells };
}

/** Models by the last parts of their names that tell them apart, else by their folders'. */
function labelled(results: readonly Results[]): Comparison["models"] {
  // What training writes is RUN/model.
  const lastPart = (path: string): string => {
    const parts = path.split(/[/\\]/).filter((part) => part !== "");
    return (parts.length > 1 && parts.at(-1) === "model" ? parts.at(-2) : parts.at(-1)) ?? path;
  };
  const candidates = [
    results.map(({ model }) => lastPart(model)),
    results.map(({ folder }) => lastPart(folder)),
    results.map(({ model }) => model),
    results.map(({ folder }) => folder),
  ];
  const isTelling = (labels: readonly string[]): boolean => new Set(labels).size === labels.length;
  const labels = candidates.find(isTelling) ?? results.map(({ folder }, i) => `${i + 1} ${folder}`);
  return results.map(({ model, folder }, i) => ({ label: printable(labels[i]!), model: printable(model), folder }));
}

/** Names come from files: what a terminal would obey is no part of one. */
const printable = (text: string): string => text.replace(/\p{C}/gu, "�");
