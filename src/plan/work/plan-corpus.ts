/**
 * What curating so much text takes, from rates of a sample. Most steps grow as the text does; those that do not are reckoned as
 * `curate/work` does them: keys are sorted, ranges of all keys open a file of every shard, clusters take rounds. Left out:
 * what a shared disk's bandwidth allows, failures of machines, and texts that differ from the sample's.
 */
import { partsFor } from "../../curate/work/ranges.ts";
import { shardCharacters } from "../../curate/work/import-task.ts";
import { edgeWidth, keyWidth } from "../../curate/work/keyed-tasks.ts";
import { ConfigError } from "../../errors.ts";
import { required } from "../../schema.ts";
import type { Range } from "../flops.ts";
import type { Constant } from "../ranks.ts";
import { type Amount, charactersOfToken, converted } from "./amount.ts";
import { type Limit, limitsOf } from "./limits.ts";
import type { CorpusRates, MeasuredStep } from "./rates.ts";

export interface CorpusPlanOptions {
  /** Default: all that the pipeline's sources hold. */
  readonly amount?: Amount | undefined;
  /** In all, each as a thread of the machine that was measured. Default: that machine's. */
  readonly cores?: number | undefined;
  /** That share the cores, and a disk; each is a rank. Default: one for 64 cores. */
  readonly machines?: number | undefined;
  /** Of a core for an hour. */
  readonly price?: number | undefined;
}

export interface PlannedStep {
  readonly name: string;
  readonly kind: MeasuredStep["kind"] | "end";
  readonly tasks: number;
  readonly coreHours: Range;
  readonly hours: Range;
  /** How it grows with the text. */
  readonly growth: "as the text" | "n log n" | "n log n, and files opened as n²" | "rounds, and files opened as n²";
  /** How often a file is opened for it. */
  readonly opens: number;
}

export interface CorpusPlan {
  readonly job: "corpus";
  readonly cores: number;
  readonly machines: number;
  readonly amount: {
    /** Of sources as they lie. */
    readonly bytes: Range;
    readonly documents: Range;
    readonly characters: Range;
    readonly tokens: Range;
    readonly shards: number;
  };
  /** Characters that are left; of duplicates a sample shows few, so expect less. */
  readonly result: Range;
  readonly hours: Range;
  readonly coreHours: Range;
  /** Bytes of the output folder, without --prune, beside the sources. */
  readonly disk: Range;
  /** Bytes of each machine. */
  readonly memory: Range;
  /** In the currency of the price; absent without one. */
  readonly cost?: Range;
  readonly steps: readonly PlannedStep[];
  /** What breaks first comes first. */
  readonly limits: readonly Limit[];
  readonly constants: readonly Constant[];
  readonly warnings: readonly string[];
  readonly rates: CorpusRates;
}

const usualCores = 64;
/** Ranks look for each other between steps that often (`curate/work/work.ts`), in seconds. */
const looks = { low: 0.2, high: 10 };
/** Of a thread with shards of full size: 1.95 GB for two were measured (docs/curation.md, "What it takes"). */
const fullThread = 1e9;
/** Of a shard's markers in each rank's memory: 0.5 GB for 4,000 (docs/curation.md, "What breaks first"). */
export const markerBytes: number = 0.5e9 / 4000;
/** Of all keys that a document has, so many stand elsewhere, too, at most. */
const linkedAtMost = 0.5;

/** @throws ConfigError for numbers out of range, or an amount in a unit that was not measured. */
export function planCorpus(rates: CorpusRates, options: CorpusPlanOptions = {}): CorpusPlan {
  required("planCorpus: rates", rates, "object");
  const { amount = { value: rates.files.bytes, unit: "bytes" }, cores = rates.machine.threads, price } = options;
  const machines = options.machines ?? Math.ceil(cores / usualCores);
  for (const [name, value] of Object.entries({ cores, machines, price })) {
    if (value !== undefined && !(value > 0 && Number.isFinite(value))) {
      throw new ConfigError(`${name}: expected a number above 0, got ${value}`);
    }
  }
  if (machines > cores) throw new ConfigError(`machines: expected at most ${cores}, one a core, got ${machines}`);
  const { samples } = rates;
  const characters = converted(amount, "characters", samples);
  const bytes = converted(amount, "bytes", samples);
  const importTasks = Math.max(1, Math.ceil((rates.files.tasks * bytes.high) / rates.files.bytes));
  const shards = Math.max(importTasks, Math.ceil(characters.high / shardCharacters));
  const scale = { characters, shards, importTasks, cores, machines };
  const steps = plannedSteps(rates, scale);
  const [hours, coreHours] = totalsOf(rates, scale);
  const perCharacter = (of: (sample: Sample) => number): Range => {
    const each = samples.map((sample) => of(sample) / sample.characters);
    return { low: characters.low * Math.min(...each), high: characters.high * Math.max(...each) };
  };
  const threads = Math.ceil(cores / machines);
  const markers = shards * markerBytes;
  const memory = {
    low: Math.min(rates.memory, fullThread) * threads + markers,
    high: Math.max(rates.memory, fullThread) * threads + markers,
  };
  const plan = {
    job: "corpus" as const,
    cores,
    machines,
    amount: {
      bytes,
      documents: converted(amount, "documents", samples),
      characters,
      tokens: converted(amount, "tokens", samples),
      shards,
    },
    result: perCharacter(({ result }) => result),
    hours,
    coreHours,
    disk: perCharacter(({ disk }) => disk),
    memory,
    // Machines are paid for while they wait, too.
    ...(price === undefined
      ? {}
      : { cost: { low: price * Math.max(coreHours.low, hours.low * cores), high: price * hours.high * cores } }),
    steps,
    constants: constantsOf(rates),
    rates,
  };
  const limits = limitsOf(plan);
  return { ...plan, limits, warnings: warningsOf(plan, limits, amount) };
}

type Sample = CorpusRates["samples"][number];

interface Scale {
  readonly characters: Range;
  readonly shards: number;
  readonly importTasks: number;
  readonly cores: number;
  readonly machines: number;
}

/** Thread-seconds and opened files of a step of the whole, by one sample. */
interface Work {
  readonly seconds: Range;
  readonly tasks: number;
  readonly opens: number;
  readonly growth: PlannedStep["growth"];
}

function plannedSteps(rates: CorpusRates, scale: Scale): PlannedStep[] {
  const [first] = rates.samples;
  const steps = first!.steps.map(({ name, kind }): PlannedStep => {
    const works = rates.samples.flatMap((sample) => {
      const step = sample.steps.find((one) => one.name === name);
      return step === undefined ? [] : [workOf(step, sample, scale)];
    });
    const opens = Math.max(...works.map((work) => work.opens));
    const tasks = Math.max(...works.map((work) => work.tasks));
    const seconds = {
      low: Math.min(...works.map((work) => work.seconds.low)) + opens * rates.open.low,
      high: Math.max(...works.map((work) => work.seconds.high)) + opens * rates.open.high,
    };
    const rounds = kind === "clusters" ? 4 * Math.max(...rates.samples.map((one) => roundsOf(one, name))) + 2 : 1;
    return { name, kind, tasks, opens, growth: works[0]!.growth, ...timesOf(seconds, tasks, rounds, rates, scale) };
  });
  return [...steps, lastStep(rates, scale)];
}

function roundsOf({ steps }: Sample, name: string): number {
  return steps.find((one) => one.name === name)?.rounds ?? 0;
}

/** Threads beside each other are slower, the last tasks leave threads idle, and ranks wait for the slowest. */
function timesOf(
  seconds: Range,
  tasks: number,
  turns: number,
  { together }: CorpusRates,
  { cores, machines }: Scale,
): Pick<PlannedStep, "coreHours" | "hours"> {
  // Nothing was measured on machines with one thread, and of pipelines whose stages are functions.
  const slower = together?.slower ?? 2;
  const rounds = Math.ceil(tasks / cores);
  const wait = machines > 1 ? { low: looks.low * turns, high: looks.high * turns } : { low: 0, high: 0 };
  return {
    coreHours: { low: seconds.low / 3600, high: (seconds.high * slower) / 3600 },
    hours: {
      low: (seconds.low / Math.min(cores, tasks) + wait.low) / 3600,
      high: ((seconds.high * slower * rounds) / tasks + wait.high) / 3600,
    },
  };
}

function workOf(step: MeasuredStep, sample: Sample, scale: Scale): Work {
  const { characters, shards, importTasks } = scale;
  const grown = {
    low: (step.seconds * characters.low) / sample.characters,
    high: (step.seconds * characters.high) / sample.characters,
  };
  if (step.kind === "import") return { seconds: grown, tasks: importTasks, opens: importTasks, growth: "as the text" };
  if (step.kind === "keys") {
    const growth = sorting((step.records ?? 0) / sample.shards, grownRecords(step, sample, scale) / shards);
    return { seconds: { low: grown.low, high: grown.high * growth }, tasks: shards, opens: shards, growth: "n log n" };
  }
  const keys = keysBefore(step, sample);
  const keyBytes = 4 * (keyWidth + 1) * grownRecords(keys, sample, scale);
  const parts = partsFor(keyBytes);
  if (step.kind === "comparison") {
    const growth = sorting(keys?.records ?? 0, grownRecords(keys, sample, scale) / parts);
    const seconds = { low: grown.low, high: grown.high * growth };
    return { seconds, tasks: parts, opens: parts * shards, growth: "n log n, and files opened as n²" };
  }
  if (step.kind === "clusters") return clusters(step, sample, scale, parts);
  // What tells shards their losses opens a file of every range; stages before are one file each.
  const losses = keys === undefined ? 1 : parts;
  return { seconds: grown, tasks: shards, opens: shards * losses, growth: "as the text" };
}

/** How much longer a sort takes an element among more of them. */
function sorting(before: number, after: number): number {
  return Math.max(1, Math.log2(Math.max(2, after)) / Math.log2(Math.max(2, before)));
}

function grownRecords(step: MeasuredStep | undefined, { characters }: Sample, scale: Scale): number {
  return ((step?.records ?? 0) * scale.characters.high) / characters;
}

/** The keys that a comparison, its clusters and its losses are of: "near-duplicates: keys". */
function keysBefore({ name }: MeasuredStep, { steps }: Sample): MeasuredStep | undefined {
  const stage = name.replace(/: (?:comparison|clusters)$/, "");
  return steps.find((one) => one.name === `${stage}: keys`);
}

/**
 * A sample has next to no edges to measure: each round sends and sorts them four times, at the rate at which its comparison
 * sorted keys. Rounds: as many as in the sample, to one more for each tenfold text.
 */
function clusters(step: MeasuredStep, sample: Sample, scale: Scale, compareParts: number): Work {
  const keys = keysBefore(step, sample);
  const stage = step.name.replace(/: clusters$/, "");
  const comparison = sample.steps.find(({ name }) => name === `${stage}: comparison`);
  const records = keys?.records ?? 0;
  const secondsOfRecord = records === 0 ? 0 : (comparison?.seconds ?? 0) / records;
  const found = ((comparison?.records ?? 0) * scale.characters.low) / sample.characters;
  const most = Math.max(found, linkedAtMost * grownRecords(keys, sample, scale));
  const rounds = Math.max(1, step.rounds ?? 1);
  const more = rounds + Math.ceil(Math.log10(Math.max(1, scale.characters.high / sample.characters)));
  const parts = partsFor(4 * 4 * edgeWidth * most);
  const growth = sorting(records, (4 * most) / parts);
  return {
    seconds: {
      low: found * secondsOfRecord * (4 * rounds + 2),
      high: most * secondsOfRecord * growth * (4 * more + 2),
    },
    tasks: parts,
    opens: compareParts * (parts + 1) + 2 * more * parts * (parts + 1) + parts * (parts + 1),
    growth: "rounds, and files opened as n²",
  };
}

/** Sums of one sample's steps each: a sample that was slow in one step and fast in another is no two slow ones. */
function totalsOf(rates: CorpusRates, scale: Scale): [hours: Range, coreHours: Range] {
  const each = rates.samples.map((sample) => plannedSteps({ ...rates, samples: [sample] }, scale));
  const total = (of: "hours" | "coreHours", end: keyof Range): number[] =>
    each.map((steps) => steps.reduce((sum, step) => sum + step[of][end], 0));
  const range = (of: "hours" | "coreHours"): Range => {
    return { low: Math.min(...total(of, "low")), high: Math.max(...total(of, "high")) };
  };
  return [range("hours"), range("coreHours")];
}

/** A file is linked, and its marker read, for each shard: opened so often. */
const linkedOpens = 10;

/** The first rank links the dataset, writes the report and, where the pipeline says so, tokens: by itself. */
function lastStep({ samples, together, open }: CorpusRates, { characters, shards }: Scale): PlannedStep {
  const each = samples.map(({ finish, characters: own, tokens }): Range => {
    const linking = { low: shards * open.low, high: linkedOpens * shards * open.high };
    if (tokens === undefined) return { low: finish + linking.low, high: finish + linking.high };
    return {
      low: (finish * characters.low) / own + linking.low,
      high: (finish * characters.high) / own + linking.high,
    };
  });
  const slower = together?.slower ?? 1;
  const hours = {
    low: Math.min(...each.map(({ low }) => low)) / 3600,
    high: (slower * Math.max(...each.map(({ high }) => high))) / 3600,
  };
  const name = samples[0]!.tokens === undefined ? "dataset, report" : "dataset, report, tokens";
  const opens = linkedOpens * shards;
  return { name, kind: "end", tasks: 1, opens, growth: "as the text", coreHours: hours, hours };
}

function constantsOf({ samples, together, open, machine, memory }: CorpusRates): Constant[] {
  const here = `${machine.processor}, ${machine.threads} threads, Node ${machine.node}`;
  const speeds = samples.map((one) => one.characters / one.steps.reduce((sum, { seconds }) => sum + seconds, 0));
  const measured = (name: string, low: number, high: number, unit: string, source = here): Constant => {
    return { name, low, high, unit, basis: "measured", source };
  };
  return [
    measured("all stages, one thread", Math.min(...speeds), Math.max(...speeds), "characters/s"),
    together === null
      ? {
          name: "a thread beside others is slower by",
          low: 1,
          high: 2,
          unit: "times",
          basis: "assumed",
          source: "not measured: one thread here, or a stage that is a function",
        }
      : measured(`a thread beside ${together.threads - 1} others is slower by`, 1, together.slower, "times"),
    measured("a small file is opened and read", open.low, open.high, "s", `${here}; a network's disk takes 1 to 5 ms`),
    measured(
      "memory of a thread",
      Math.min(memory, fullThread),
      Math.max(memory, fullThread),
      "B",
      "the sample's, and that of full shards (docs/curation.md)",
    ),
    measured("markers of a shard in a rank's memory", markerBytes, markerBytes, "B", "docs/curation.md"),
    samples[0]!.tokens === undefined
      ? {
          name: "characters of a token",
          low: charactersOfToken,
          high: charactersOfToken,
          unit: "",
          basis: "assumed",
          source: "English; a pipeline with a tokenizer has it measured",
        }
      : measured(
          "characters of a token",
          Math.min(...samples.map((one) => one.characters / one.tokens!)),
          Math.max(...samples.map((one) => one.characters / one.tokens!)),
          "",
          "the pipeline's tokenizer",
        ),
    {
      name: "keys that stand elsewhere, too",
      low: 0,
      high: linkedAtMost,
      unit: "share",
      basis: "assumed",
      source: "low: the sample's; duplicates of a corpus are seldom in one sample",
    },
    {
      name: "rounds of clusters",
      low: 0,
      high: 1,
      unit: "more for a tenfold text",
      basis: "assumed",
      source: "alternating stars take few rounds more for longer chains",
    },
  ];
}

/** Of the sample's text the whole may be so many times before a reader is told how far that is. */
const farTimes = 1000;
/** Of a processor, below which a thread was not measured by itself. */
const idleShare = 0.85;

function warningsOf(
  { hours, coreHours, cores, amount, rates, steps }: Omit<CorpusPlan, "limits" | "warnings">,
  limits: readonly Limit[],
  given: Amount,
): string[] {
  const warnings = limits.flatMap(({ breaks, message }) => (breaks ? [message] : []));
  const far = amount.characters.high / Math.max(...rates.samples.map(({ characters }) => characters));
  if (far > farTimes) {
    warnings.push(
      `the whole is ${Math.round(far).toLocaleString("en-US")} times the sample: measure a larger one (--sample) of files from all over, and a real share of the work, before machines are rented`,
    );
  }
  if (hours.high * cores > 2 * coreHours.high) {
    const longest = steps.reduce((most, one) => (one.hours.high > most.hours.high ? one : most));
    warnings.push(
      `half of the cores' time or more is waiting: ${longest.name} has ${longest.tasks.toLocaleString("en-US")} tasks for ${cores.toLocaleString("en-US")} cores`,
    );
  }
  const linked = steps.some(({ kind }) => kind === "clusters");
  if (linked) {
    warnings.push(
      "a sample shows few of a corpus's duplicates: clusters take longer, and less is left, than it says; the upper ends allow for that",
    );
  }
  const failed = Math.max(...rates.samples.map(({ failures, documents }) => failures / (failures + documents)));
  if (failed > 0.05) {
    warnings.push(
      `${(100 * failed).toFixed(0)} % of a sample's records could not be read, files that were cut among them`,
    );
  }
  const got = Math.min(...rates.samples.map(({ processor }) => processor));
  if (got < idleShare) {
    warnings.push(
      `a thread had ${Math.round(100 * got)} % of a processor while it was measured: other work ran, or the disk is slow; measure again on a quiet machine`,
    );
  }
  if (given.unit === "tokens" && rates.samples[0]!.tokens === undefined) {
    warnings.push(
      `a token is taken for ${charactersOfToken} characters: name a tokenizer in the pipeline to have it measured`,
    );
  }
  return warnings;
}
