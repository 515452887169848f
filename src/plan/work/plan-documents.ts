/**
 * What indexing or mining so many documents takes, from rates of samples. Each machine is one like the one that was
 * measured, with a share of the documents of its own: mining falls apart so, an index into several indexes.
 */
import { ConfigError } from "../../errors.ts";
import { required } from "../../schema.ts";
import type { Range } from "../flops.ts";
import type { Constant } from "../ranks.ts";
import { type Amount, charactersOfToken, converted } from "./amount.ts";
import type { DocumentRates } from "./rates.ts";

export interface DocumentPlanOptions {
  /** Default: all that the inputs hold. */
  readonly amount?: Amount | undefined;
  /** Like the one that was measured, each with a share of the documents. Default 1. */
  readonly machines?: number | undefined;
  /** Of a machine for an hour. */
  readonly price?: number | undefined;
}

export interface DocumentPlan {
  readonly job: DocumentRates["job"];
  readonly machines: number;
  readonly amount: {
    readonly bytes: Range;
    readonly documents: Range;
    readonly characters: Range;
  };
  /** Documents a second of one machine. */
  readonly rate: Range;
  /** How many times as long twice as many documents took, as a power of two: 1 is as the documents. */
  readonly growth: number;
  readonly hours: Range;
  readonly machineHours: Range;
  /** Bytes of all outputs together. */
  readonly disk: Range;
  /** Bytes of each machine. */
  readonly memory: Range;
  readonly cost?: Range;
  readonly constants: readonly Constant[];
  readonly warnings: readonly string[];
  readonly rates: DocumentRates;
}

/** What the whole is in memory to be searched. */
const exactStore = "exact";
/** Beyond this, time grows faster than the documents; below it is noise. */
const feltGrowth = 1.15;
const farTimes = 1000;

/** @throws ConfigError for numbers out of range. */
export function planDocuments(rates: DocumentRates, options: DocumentPlanOptions = {}): DocumentPlan {
  required("planDocuments: rates", rates, "object");
  const { amount = { value: rates.files.bytes, unit: "bytes" }, machines = 1, price } = options;
  for (const [name, value] of Object.entries({ machines, price })) {
    if (value !== undefined && !(value > 0 && Number.isFinite(value))) {
      throw new ConfigError(`${name}: expected a number above 0, got ${value}`);
    }
  }
  const { samples } = rates;
  const characters = converted(amount, "characters", samples);
  const each = (of: (sample: Sample) => number): Range => {
    const ratios = samples.map((sample) => of(sample) / sample.characters);
    return { low: characters.low * Math.min(...ratios), high: characters.high * Math.max(...ratios) };
  };
  const growth = growthOf(samples);
  const seconds = each((sample) => sample.seconds);
  // What grew faster in the samples is taken to go on as a sort does: a power of so few doublings says no more.
  const largest = samples.reduce((most, one) => Math.max(most, one.characters), 1);
  const more = growth > feltGrowth ? Math.log2(characters.high / machines) / Math.log2(largest) : 1;
  const machineHours = { low: seconds.low / 3600, high: (seconds.high * Math.max(1, more)) / 3600 };
  const hours = { low: machineHours.low / machines, high: machineHours.high / machines };
  const disk = each((sample) => sample.disk);
  const inMemory = rates.job === "index" && rates.store === exactStore;
  const plan = {
    job: rates.job,
    machines,
    amount: {
      bytes: converted(amount, "bytes", samples),
      documents: converted(amount, "documents", samples),
      characters,
    },
    rate: {
      low: Math.min(...samples.map((one) => one.documents / one.seconds)),
      high: Math.max(...samples.map((one) => one.documents / one.seconds)),
    },
    growth,
    hours,
    machineHours,
    disk,
    memory: {
      low: rates.memory + (inMemory ? disk.low / machines : 0),
      high: rates.memory + (inMemory ? (2 * disk.high) / machines : 0),
    },
    ...(price === undefined ? {} : { cost: { low: price * machineHours.low, high: price * machineHours.high } }),
    constants: constantsOf(rates),
    rates,
  };
  return { ...plan, warnings: warningsOf(plan, amount) };
}

type Sample = DocumentRates["samples"][number];

/** Between the smallest and the largest sample; 1 where there is one. */
function growthOf(samples: readonly Sample[]): number {
  const [least, most] = [samples.reduce(smaller), samples.reduce(larger)];
  if (most.characters < 1.5 * least.characters) return 1;
  return Math.log(most.seconds / least.seconds) / Math.log(most.characters / least.characters);
}

const smaller = (a: Sample, b: Sample): Sample => (b.characters < a.characters ? b : a);
const larger = (a: Sample, b: Sample): Sample => (b.characters > a.characters ? b : a);

function constantsOf({ samples, machine, memory, threads }: DocumentRates): Constant[] {
  const source = `${machine.processor}, ${threads} of ${machine.threads} threads, Node ${machine.node}`;
  const speeds = samples.map(({ characters, seconds }) => characters / seconds);
  return [
    {
      name: "characters a second",
      low: Math.min(...speeds),
      high: Math.max(...speeds),
      unit: "characters/s",
      basis: "measured",
      source,
    },
    { name: "memory of the samples", low: memory, high: memory, unit: "B", basis: "measured", source },
    {
      name: "characters of a token",
      low: charactersOfToken,
      high: charactersOfToken,
      unit: "",
      basis: "assumed",
      source: "only where the amount is one of tokens",
    },
  ];
}

function warningsOf(
  { job, machines, amount, growth, memory, rates }: Omit<DocumentPlan, "warnings">,
  given: Amount,
): string[] {
  const warnings: string[] = [];
  const many = (value: number): string => Math.round(value).toLocaleString("en-US");
  if (job === "index" && machines > 1) {
    warnings.push(
      `an index is made by one process: ${many(machines)} machines make ${many(machines)} indexes, each of which is searched by itself`,
    );
  }
  if (job === "index" && rates.store === exactStore && memory.high > 0.5 * rates.machine.memory) {
    warnings.push(
      `the exact store is read into memory whole, ${many(memory.high / 1e9)} GB at most: --store lance keeps it on disk`,
    );
  }
  if (growth > feltGrowth) {
    warnings.push(
      `time grew faster than the documents did (to the power ${growth.toFixed(2)} from the smallest sample to the largest): the upper end goes on as n log n does; measure a larger sample`,
    );
  }
  const far =
    amount.characters.high / machines / rates.samples.reduce((most, one) => Math.max(most, one.characters), 1);
  if (far > farTimes) {
    warnings.push(`a machine's share is ${many(far)} times the largest sample: measure a larger one (--sample) first`);
  }
  if (given.unit === "tokens") warnings.push(`a token is taken for ${charactersOfToken} characters`);
  return warnings;
}
