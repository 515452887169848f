/**
 * A suite: one model, several benchmarks, each asked in the way that the model is able to, one folder of results each. A
 * benchmark that the model cannot be asked, or whose files are missing or of another version, is said and left, so that
 * the others are scored.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readDocuments } from "../corpus/documents.ts";
import { ConfigError, GalenError } from "../errors.ts";
import { lockFolder } from "../io/lock.ts";
import { primaryOf, type Report } from "../metrics/report.ts";
import type { AnswerForm, Benchmark, Example } from "../tasks/benchmark.ts";
import { checkDataFiles } from "../tasks/data-files.ts";
import { benchmarks } from "../tasks/index.ts";
import { didYouMean } from "../suggest.ts";
import { contaminationFigures, findOverlaps, type Overlap, type OverlapSet } from "./contamination.ts";
import { evaluate, type BenchmarkOptions, type Evaluation } from "./evaluate.ts";
import type { OpenedModel } from "./open.ts";
import { withShots } from "./shots.ts";
import { isAskable } from "./ways.ts";
import { suites } from "./suites.ts";

export interface SuiteOptions extends Omit<BenchmarkOptions, "data" | "output"> {
  /** Folder with a folder of each benchmark's files, or of one benchmark the files themselves. */
  readonly data: string;
  /** Each benchmark has a folder in it. */
  readonly output?: string | undefined;
  /** Examples with their answers before each question. Default 0. */
  readonly shots?: number | undefined;
  /** Files of texts that the model was trained on: which examples they hold is said, and figures of the others. */
  readonly seen?: readonly string[] | undefined;
  /** Takes files of another version than the benchmark's. */
  readonly anyVersion?: boolean | undefined;
}

export type SuiteResult = { readonly name: string } & (
  | {
      readonly evaluation: Evaluation<Example, unknown>;
      readonly benchmark: Benchmark;
      readonly overlaps?: readonly Overlap[] | undefined;
    }
  /** The model cannot be asked this. */
  | { readonly skipped: string }
  | { readonly failed: GalenError }
);

/** Benchmarks of suites and of names, each once. @throws ConfigError for a name that is neither. */
export function benchmarksOf(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    if (Object.hasOwn(suites, name)) return suites[name]!.benchmarks;
    if (Object.hasOwn(benchmarks, name)) return [name];
    const known = [...Object.keys(suites), ...Object.keys(benchmarks)];
    throw new ConfigError(
      `evaluate suite: expected a suite or a benchmark, got "${name}"`,
      didYouMean(name, known) ?? { hint: `suites are ${Object.keys(suites).join(", ")}` },
    );
  });
  return [...new Set(found)];
}

/** The benchmark's own folder in that of a suite's data; of its files alone, that one. */
export function dataFolder({ data }: Pick<Benchmark, "data">, root: string): string {
  if (data === undefined) return root;
  const own = join(root, data.folder);
  const [first] = Object.values(data.files).flat();
  return !existsSync(own) && first !== undefined && existsSync(join(root, first.path)) ? root : own;
}

/** Names and words of an answer, as a person would be told. */
function formInWords({ sentence, none }: AnswerForm): string {
  const parts = sentence.map((part) => {
    if (typeof part === "string") return part;
    return "name" in part ? "NAME" : part.oneOf.join(" or ");
  });
  const empty = none === undefined ? "" : ` If there is none, say: ${none}`;
  return `Answer with one sentence of this form for each, semicolons between them: ${parts.join("")}.${empty}`;
}

/** What a model is told that was tuned to nothing: the benchmark's own words, or what it is and the form of an answer. */
export function instructed<E extends Example, Answer>(benchmark: Benchmark<E, Answer>): Benchmark<E, Answer> {
  const { answerForm, description } = benchmark;
  const instruction =
    benchmark.instruction ?? (answerForm === undefined ? undefined : `${description}. ${formInWords(answerForm)}`);
  if (instruction === undefined) return benchmark;
  return {
    ...benchmark,
    source: (example) => `${instruction}\n\n${benchmark.source(example)}\n\n`,
  };
}

/** The benchmark as it is put to the model: files looked at, told what to do, with shots. */
async function prepared(name: string, model: OpenedModel, options: SuiteOptions): Promise<Benchmark> {
  const benchmark = benchmarks[name]!;
  const folder = dataFolder(benchmark, options.data);
  const files = await checkDataFiles(benchmark, folder, options.split ?? "test", options);
  const told = model.kind === "decoder" || model.kind === "server" ? instructed(benchmark) : benchmark;
  const { shots = 0 } = options;
  const asked = shots > 0 || told.shots !== undefined ? await withShots(told, { shots, data: folder }) : told;
  return { ...asked, settings: { ...asked.settings, files } };
}

/** What the texts hold of each benchmark's examples; a benchmark that cannot be read is said when its turn comes. */
async function overlapsOf(
  names: readonly string[],
  paths: readonly string[],
  { data, split = "test", limit, signal }: SuiteOptions,
): Promise<Map<string, readonly Overlap[]>> {
  const sets: (OverlapSet & { readonly name: string })[] = [];
  for (const name of names) {
    const benchmark = benchmarks[name]!;
    try {
      const examples = await benchmark.read(dataFolder(benchmark, data), split);
      sets.push({ name, benchmark, examples: examples.slice(0, limit) });
    } catch (error) {
      if (!(error instanceof GalenError)) throw error;
    }
  }
  const found = await findOverlaps(sets, readDocuments(paths), { signal });
  return new Map(sets.map(({ name }, i) => [name, found[i]!]));
}

/** The evaluation with the figures of what was seen in training and of what was not. */
function withParts(
  benchmark: Benchmark,
  evaluation: Evaluation<Example, unknown>,
  overlaps: readonly Overlap[],
  seed = 1,
): Evaluation<Example, unknown> {
  const { report } = evaluation;
  const parts = contaminationFigures(benchmark, evaluation, overlaps, { bootstrap: { seed } });
  return { ...evaluation, report: { ...report, figures: [...report.figures, ...parts] } };
}

/** Why the model is not asked; undefined where it is. */
function whySkipped(
  name: string,
  { kind, abilities, task }: OpenedModel,
  ask: SuiteOptions["ask"],
): string | undefined {
  if (task !== undefined && task !== name) return `the model was tuned for ${task}`;
  if (isAskable(benchmarks[name]!, abilities, ask)) return undefined;
  const unable = abilities.unable ?? `a model of kind ${kind} cannot be asked this`;
  return ask === undefined ? unable : `${unable} by ${ask}`;
}

/**
 * Results one by one, in the order of the names.
 * @param open the model for a benchmark, which is its opener's to close: the same for all, or one that was tuned to it.
 * @throws the signal's reason.
 */
export async function* evaluateSuite(
  names: readonly string[],
  open: (benchmark: Benchmark, folder: string) => Promise<OpenedModel>,
  options: SuiteOptions,
): AsyncGenerator<SuiteResult> {
  const { data, output, shots: _, anyVersion: __, seen, ...more } = options;
  const seenOf = seen === undefined ? undefined : await overlapsOf(benchmarksOf(names), seen, options);
  for (const name of benchmarksOf(names)) {
    try {
      const model = await open(benchmarks[name]!, dataFolder(benchmarks[name]!, data));
      const skipped = whySkipped(name, model, options.ask);
      if (skipped !== undefined) {
        yield { name, skipped };
        continue;
      }
      const benchmark = await prepared(name, model, options);
      const own = output === undefined ? undefined : join(output, name);
      const evaluation = await evaluate(benchmark, model.abilities, {
        ...more,
        data: dataFolder(benchmark, data),
        output: own,
        // A benchmark that was never begun has nothing to go on with.
        resume: more.resume === true && own !== undefined && existsSync(own),
      });
      const overlaps = seenOf?.get(name);
      yield overlaps === undefined
        ? { name, evaluation, benchmark }
        : { name, evaluation: withParts(benchmark, evaluation, overlaps, more.seed), benchmark, overlaps };
    } catch (error) {
      if (!(error instanceof GalenError)) throw error;
      yield { name, failed: error };
    }
  }
}

/** The folder for this run alone. @throws ConfigError where another run writes to it, or did and is not gone on with. */
export async function claimSuite(folder: string, resume: boolean): Promise<AsyncDisposable> {
  const lock = await lockFolder(folder);
  if (resume || !existsSync(join(folder, "suite.json"))) return lock;
  await lock[Symbol.asyncDispose]();
  throw new ConfigError(`${folder}: expected an output without a suite, got one with suite.json`, {
    hint: "--resume goes on there, with other benchmarks too; or name another --output",
  });
}

/** The line of a benchmark: what programs read of it. */
export function suiteLine(
  name: string,
  report: Report,
): {
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly interval: readonly [number, number] | null;
  readonly n: number;
  readonly unparsed: number | null;
  readonly protocol: string;
} {
  const { examples, failed, hash } = report;
  const { name: metric, value, interval } = primaryOf(report, name);
  return {
    name,
    metric,
    value,
    interval: interval === undefined ? null : [interval.low, interval.high],
    n: examples,
    unparsed: failed ?? null,
    protocol: hash,
  };
}
