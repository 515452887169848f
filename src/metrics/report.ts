/**
 * What an evaluation hands back: figures, each with a name for programs, a label for people and the sort of figure it
 * is, so that a number computed as a paper computed it is never mistaken for the sounder one beside it.
 */
import { DataError } from "../errors.ts";
import { bootstrap, type BootstrapOptions, type Interval } from "./bootstrap.ts";

export interface Figure {
  /** Machine name: `micro_f1`. */
  readonly name: string;
  /** What exactly was computed, in words. */
  readonly label: string;
  readonly value: number;
  /** As published, the sounder way, a baseline that needs no model, or a detail of one of these. */
  readonly kind: "published" | "sound" | "baseline" | "detail";
  /** Absent for shares of 1, which people are shown in percent. */
  readonly unit?: "count" | "number";
  /** How a baseline answers: "copying names known from training". */
  readonly by?: string;
  readonly interval?: Interval;
}

/** What scoring answers gives. */
export interface Measurement {
  /** Answers from which nothing could be read, where answers are read at all. */
  readonly failed?: number;
  /** Name of the figure that papers report. */
  readonly primary: string;
  readonly figures: readonly Figure[];
}

/** A measurement with what it was made of: the one report of all evaluations. */
export interface Report extends Measurement {
  readonly task: string;
  readonly version: string;
  /** What the figures depend on besides the model: settings, seeds, a fingerprint of the data. */
  readonly protocol: Readonly<Record<string, unknown>>;
  /** Of the protocol: reports with the same hash can be compared. */
  readonly hash: string;
  /** Number of examples that were scored. */
  readonly examples: number;
}

export interface EvaluateOptions {
  /** Percentile intervals over resampled documents; without it no interval is computed. */
  readonly bootstrap?: BootstrapOptions;
}

type About = Pick<Figure, "name" | "label" | "kind" | "unit">;

/** A figure whose value is `statistic(units)`, with a bootstrap interval over `units` where one is asked for. */
export function figure<T>(
  about: About,
  units: readonly T[],
  statistic: (units: readonly T[]) => number,
  options: EvaluateOptions = {},
): Figure {
  const value = statistic(units);
  if (options.bootstrap === undefined || units.length === 0) return { ...about, value };
  return { ...about, value, interval: bootstrap(units, statistic, options.bootstrap) };
}

/** A figure of kind "detail". */
export function detail(name: string, label: string, value: number, unit?: Figure["unit"]): Figure {
  return { name, label, value, kind: "detail", ...(unit && { unit }) };
}

/** Figures with intervals of answers that need no model, as those of a baseline. @param by what answers: "BM25". */
export function asBaseline(figures: readonly Figure[], by: string): Figure[] {
  return figures
    .filter(({ interval }) => interval !== undefined)
    .map((one) => ({ ...one, name: `baseline_${one.name}`, kind: "baseline", by }));
}

/** The figure called `name`. @throws DataError where the report has none. */
export function valueOf(report: Pick<Report, "figures">, name: string): number {
  const found = report.figures.find((one) => one.name === name);
  if (found === undefined) throw new DataError(`report: expected a figure "${name}", got none of that name`);
  return found.value;
}

/** The figure that papers report. @throws DataError where there is none. */
export function primaryOf({ primary, figures }: Measurement, where: string): Figure {
  const found = figures.find(({ name }) => name === primary);
  if (found === undefined) throw new DataError(`${where}: expected a figure "${primary}", got none of that name`);
  return found;
}

/** @throws DataError unless there is exactly one prediction for every example. */
export function checkAligned(gold: readonly unknown[], predictions: readonly unknown[], where: string): void {
  if (gold.length !== predictions.length) {
    throw new DataError(`${where}: expected ${gold.length} predictions, one an example, got ${predictions.length}`);
  }
}
