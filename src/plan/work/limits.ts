/** What of curation breaks before the rest, as text grows: known terms of `curate/work`, each with how much text it allows. */
import type { CorpusPlan } from "./plan-corpus.ts";

export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly breaks: boolean;
  /** Characters of text at which it breaks, if all else is as planned; null: it does not grow with the text. */
  readonly characters: number | null;
  readonly message: string;
}

/** Shards whose markers a rank was reckoned to hold; 4,000 were tried (docs/curation.md, "What breaks first"). */
const mostShards = 100_000;
const triedShards = 4000;
/** Slurm's MaxArraySize, unless it was raised: indexes are below it. */
const mostRanks = 1001;
/** Of the time of a step that compares, beyond which opening files is what it does. */
const openShare = 0.5;
/** Of all hours, what one rank alone does. */
const aloneShare = 0.25;

type Planned = Omit<CorpusPlan, "limits" | "warnings">;

const many = (value: number): string => Math.round(value).toLocaleString("en-US");

/** What breaks first comes first: by how far it is beyond its limit. */
export function limitsOf(plan: Planned): Limit[] {
  const limits = [shards(plan), ...opened(plan), ranks(plan), idle(plan), alone(plan)];
  return limits.sort((a, b) => b.value / b.limit - a.value / a.limit);
}

function shards({ amount: { shards: value, characters } }: Planned): Limit {
  const at = (characters.high * mostShards) / value;
  return {
    name: "markers",
    value,
    limit: mostShards,
    breaks: value > mostShards,
    characters: at,
    message:
      `${many(value)} shards are more markers than a rank holds (${many(triedShards)} were tried, ${many(mostShards)} are reckoned to go): ` +
      `curate in parts of at most ${terabytes(at)} of text, a source or a year each`,
  };
}

function opened({ steps, amount: { shards: value, characters }, rates }: Planned): Limit[] {
  return steps.flatMap(({ name, kind, opens, coreHours }): Limit[] => {
    if (kind !== "comparison" && kind !== "clusters") return [];
    const opening = (opens * rates.open.high) / 3600;
    const share = coreHours.high === 0 ? 0 : Math.min(1, opening / coreHours.high);
    // Work grows as the text, opening as its square.
    const at = share === 0 ? null : (characters.high * openShare * (1 - share)) / (share * (1 - openShare));
    return [
      {
        name: `${name}: files opened`,
        value: share,
        limit: openShare,
        breaks: share > openShare && opening > 1,
        characters: at,
        message:
          `${name}: ${opens.toExponential(1)} files are opened, since each range of keys looks into each of ${many(value)} shards, ` +
          `which is ${Math.round(100 * share)} % of its time here, and more on a network's disk: near ${terabytes(at ?? 0)} of text it is half`,
      },
    ];
  });
}

function ranks({ machines }: Planned): Limit {
  return {
    name: "MaxArraySize",
    value: machines,
    limit: mostRanks,
    breaks: machines > mostRanks,
    characters: null,
    message: `${many(machines)} machines are more ranks than an array of Slurm has (MaxArraySize, ${many(mostRanks)} unless raised): fewer machines with more cores each`,
  };
}

function idle({ cores, steps, amount }: Planned): Limit {
  const { shards: tasks } = amount;
  const imports = steps.find(({ kind }) => kind === "import")?.tasks ?? tasks;
  const least = Math.min(tasks, imports);
  return {
    name: "cores without a task",
    value: cores,
    limit: least,
    breaks: cores > least,
    characters: null,
    message: `${many(cores)} cores for ${many(tasks)} shards and ${many(imports)} tasks of reading: more than ${many(least)} have nothing to do, so take fewer, or cut large files to some hundred megabytes`,
  };
}

function alone({ steps, hours }: Planned): Limit {
  const last = steps.at(-1)!;
  const share = hours.high === 0 ? 0 : last.hours.high / hours.high;
  return {
    name: "the first rank alone",
    value: share,
    limit: aloneShare,
    breaks: share > aloneShare && last.hours.high > 1 / 60,
    characters: null,
    message:
      `${last.name} are the first rank's alone, ${Math.round(100 * share)} % of the time` +
      (last.name.endsWith("tokens") ? ': leave "tokens" out, and run "galen tokenize" on parts of the dataset' : ""),
  };
}

function terabytes(characters: number): string {
  return characters >= 1e12
    ? `${(characters / 1e12).toPrecision(2)} TB`
    : `${Number((characters / 1e9).toPrecision(2))} GB`;
}
