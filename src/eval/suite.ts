/**
 * A suite: one model, several benchmarks, each asked in the way that the model is able to, one folder of results each. A
 * benchmark that the model cannot be asked, or whose files are missing or of another version, is said and left, so that
 * the others are scored.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, GalenError } from "../errors.ts";
import { lockFolder } from "../io/lock.ts";
import type { Report } from "../metrics/report.ts";
import { type AnswerForm, type Benchmark, type Example, namedIn } from "../tasks/benchmark.ts";
import { checkDataFiles } from "../tasks/data-files.ts";
import { benchmarks } from "../tasks/index.ts";
import { didYouMean } from "../suggest.ts";
import {
  contaminationFigures,
  type Overlap,
  type OverlapOptions,
  overlapRule,
  type OverlapSet,
} from "./contamination.ts";
import { evaluate, type BenchmarkOptions, type Evaluation } from "./evaluate.ts";
import type { OpenedModel } from "./open.ts";
import { protocolHash } from "./protocol.ts";
import { type ExampleRecord, recordsOf } from "./records.ts";
import { type ScorerSet, scorerSets } from "./scorer-sets.ts";
import { seenFileName, seenIn, type SeenTexts, writeSeen } from "./seen.ts";
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
  /** In conversations: these stand within the question's turn. Default: each is two turns, as in lm-evaluation-harness. */
  readonly oneTurn?: boolean | undefined;
  /**
   * Files and folders of texts that the model was trained on, or the seen.json of an earlier output: which examples they
   * hold is said, with figures of these and of the others.
   */
  readonly seen?: readonly string[] | undefined;
  /** Called while these are looked through, and with what was found. */
  readonly onReading?: OverlapOptions["onProgress"];
  readonly onSeen?: ((seen: Omit<SeenTexts, "overlaps">) => void) | undefined;
  /** Takes files of another version than the benchmark's. */
  readonly anyVersion?: boolean | undefined;
}

/** What a suite is made of: benchmarks of any model, and what only scorers of pairs are measured by. */
export type SuiteEntry = Benchmark | ScorerSet;

const entries: Readonly<Record<string, SuiteEntry>> = { ...benchmarks, ...scorerSets };

export type SuiteResult = { readonly name: string } &
  /** Records of single examples, where the primary figure is one of these. */
  (
    | { readonly report: Report; readonly records?: readonly ExampleRecord[] | undefined }
    /** The model cannot be asked this. */
    | { readonly skipped: string }
    | { readonly failed: GalenError }
  );

/** Benchmarks of suites and of names, each once. @throws ConfigError for a name that is neither. */
export function benchmarksOf(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    if (Object.hasOwn(suites, name)) return suites[name]!.benchmarks;
    if (Object.hasOwn(entries, name)) return [name];
    const known = [...Object.keys(suites), ...Object.keys(entries)];
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
    settings: { ...benchmark.settings, instructed: true },
    named: (example) => namedIn(benchmark, example),
    // One line feed: two at a prompt's end are one token of GPT-2's kind of vocabulary, and two before an answer.
    source: (example) => `${instruction}\n\n${benchmark.source(example)}\n`,
  };
}

/** The benchmark as it is put to the model: files looked at, told what to do, with shots. */
async function prepared(benchmark: Benchmark, model: OpenedModel, options: SuiteOptions): Promise<Benchmark> {
  const folder = dataFolder(benchmark, options.data);
  const files = await checkDataFiles(benchmark, folder, options.split ?? "test", options);
  const told = model.kind === "decoder" || model.kind === "server" ? instructed(benchmark) : benchmark;
  const { shots = 0, oneTurn = false } = options;
  const as = model.abilities.converses === true ? (oneTurn ? "text" : "turns") : undefined;
  const asked = shots > 0 || told.shots !== undefined ? await withShots(told, { shots, data: folder, as }) : told;
  return { ...asked, settings: { ...asked.settings, files } };
}

/** What texts hold of one benchmark's examples. */
interface SeenSet extends Pick<SeenTexts, "texts" | "unread"> {
  readonly overlaps: readonly Overlap[];
}

/** What the texts hold of each benchmark's examples; a benchmark that cannot be read is said when its turn comes. */
async function overlapsOf(
  names: readonly string[],
  paths: readonly string[],
  { data, split = "test", limit, output, signal, onReading, onSeen }: SuiteOptions,
): Promise<Map<string, SeenSet>> {
  const sets: (OverlapSet & { readonly name: string })[] = [];
  for (const name of names) {
    const benchmark = entries[name]!;
    if (isScorerSet(benchmark)) continue;
    try {
      const examples = await benchmark.read(dataFolder(benchmark, data), split);
      sets.push({ name, benchmark, examples: examples.slice(0, limit) });
    } catch (error) {
      if (!(error instanceof GalenError)) throw error;
    }
  }
  const found = await seenIn(sets, paths, { signal, onProgress: onReading });
  onSeen?.(found);
  if (output !== undefined) await writeSeen(join(output, seenFileName), sets, found);
  const { texts, unread, overlaps } = found;
  return new Map(sets.map(({ name }, i) => [name, { texts, unread, overlaps: overlaps[i]! }]));
}

/**
 * The evaluation with the figures of what was seen in training and of what was not. What the answers are does not depend
 * on it: they are kept, and gone on with, under the protocol without it.
 */
function withParts(
  benchmark: Benchmark,
  evaluation: Evaluation<Example, unknown>,
  { texts, unread, overlaps }: SeenSet,
  seed = 1,
): Evaluation<Example, unknown> {
  const { report } = evaluation;
  const parts = contaminationFigures(benchmark, evaluation, overlaps, { bootstrap: { seed } });
  const { documents, digest } = texts;
  const seen = { ...overlapRule, documents, texts: digest, ...(unread === 0 ? {} : { unread }) };
  const protocol = { ...report.protocol, seen };
  const figures = [...report.figures, ...parts];
  return { ...evaluation, report: { ...report, protocol, hash: protocolHash(protocol), figures } };
}

const isScorerSet = (entry: SuiteEntry): entry is ScorerSet => "measure" in entry;

/** Why the model is not asked; undefined where it is. */
function whySkipped(
  entry: SuiteEntry,
  { kind, abilities, task, scorer }: OpenedModel,
  ask: SuiteOptions["ask"],
): string | undefined {
  if (task !== undefined && task !== entry.name) return `the model was tuned for ${task}`;
  if (isScorerSet(entry)) {
    if (scorer === undefined) return `a model of kind ${kind} does not score texts against texts`;
    return ask === undefined || ask === "similarity" ? undefined : `${entry.name} cannot be asked by ${ask}`;
  }
  if (isAskable(entry, abilities, ask)) return undefined;
  const unable = abilities.unable ?? `a model of kind ${kind} cannot be asked this`;
  return ask === undefined ? unable : `${unable} by ${ask}`;
}

/** One entry's report, with the model's own folder of windows. */
async function score(
  entry: SuiteEntry,
  model: OpenedModel,
  options: SuiteOptions,
  seenSet: SeenSet | undefined,
): Promise<{ readonly report: Report; readonly records?: readonly ExampleRecord[] }> {
  const {
    output,
    shots: _,
    oneTurn: _o,
    anyVersion,
    seen: __,
    onReading: _r,
    onSeen: _s,
    split = "test",
    ...more
  } = options;
  const data = dataFolder(entry, options.data);
  const own = output === undefined ? undefined : join(output, entry.name);
  // A benchmark that was never begun has nothing to go on with.
  const windows = { ...more, output: own, resume: more.resume === true && own !== undefined && existsSync(own) };
  if (isScorerSet(entry)) {
    await checkDataFiles(entry, data, split, { anyVersion });
    return await entry.measure(model.scorer!, data, { ...windows, split });
  }
  const benchmark = await prepared(entry, model, options);
  const evaluation = await evaluate(benchmark, model.abilities, { ...windows, split, data });
  const whole = seenSet === undefined ? evaluation : withParts(benchmark, evaluation, seenSet, more.seed);
  return { report: whole.report, records: recordsOf(benchmark, whole, seenSet?.overlaps) };
}

/**
 * Results one by one, in the order of the names.
 * @param open the model for a benchmark, which is its opener's to close: the same for all, or one that was tuned to it.
 * @throws the signal's reason.
 */
export async function* evaluateSuite(
  names: readonly string[],
  open: (entry: SuiteEntry, folder: string) => Promise<OpenedModel>,
  options: SuiteOptions,
): AsyncGenerator<SuiteResult> {
  const { data, seen } = options;
  const seenOf = seen === undefined ? undefined : await overlapsOf(benchmarksOf(names), seen, options);
  for (const name of benchmarksOf(names)) {
    try {
      const entry = entries[name]!;
      const model = await open(entry, dataFolder(entry, data));
      const skipped = whySkipped(entry, model, options.ask);
      yield skipped === undefined
        ? { name, ...(await score(entry, model, options, seenOf?.get(name))) }
        : { name, skipped };
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
