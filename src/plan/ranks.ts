/**
 * What so many ranks take beside computing, on paper: starting, checkpoints, data, what an update sends, interruptions. No
 * machine with accelerators is asked: each constant says where it comes from, and what was assumed may be given otherwise.
 * Left out: queues, images of containers, restarts that fail, networks that others use, too.
 */
import { acceleratorsOfNode, type Fleet } from "./accelerators.ts";
import type { Range } from "./flops.ts";
import type { PlannedLayout } from "./layouts.ts";
import { bytesOfCheckpoint } from "./memory.ts";

/** How a constant is known: measured by Galen's authors, published by others, or assumed. */
export type Basis = "measured" | "published" | "assumed" | "given";

export interface Constant {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  readonly basis: Basis;
  readonly source: string;
}

export interface RanksOnPaper {
  readonly ranks: number;
  /** Machines of eight accelerators. */
  readonly hosts: number;
  readonly startUp: {
    /** Of the start weights, float32. */
    readonly weightsBytes: number;
    /** From shared storage, of all hosts: once where each reads its shards, a copy a host where each reads all. */
    readonly readBytes: Range;
    /** Processes, weights, and a first checkpoint's worth of state where a run is resumed. */
    readonly seconds: Range;
    readonly resumeSeconds: Range;
  };
  readonly checkpoint: {
    readonly bytes: number;
    readonly bytesOfRank: number;
    /** The run stands still for it. */
    readonly seconds: Range;
    /** Updates between two, as the recipe says. */
    readonly every: number;
    readonly secondsBetween: Range;
    /** Of the run's time. */
    readonly share: Range;
    /** Seconds between two that lose least, by the square root of 2 · seconds · time between interruptions. */
    readonly bestSeconds: Range;
  };
  readonly data: {
    /** Of the file that says which examples each micro-batch has. */
    readonly orderBytes: number;
    /** Of the tokens, if each came once. */
    readonly tokenBytes: number;
    readonly tokensPerSecond: Range;
    /** Read by all ranks. */
    readonly bytesPerSecond: Range;
    /** Rows, each at a place of its own. */
    readonly readsPerSecond: Range;
  };
  readonly update: {
    readonly seconds: Range;
    /** Sent by a rank: shards of weights and gradients. */
    readonly shardBytes: number;
    readonly collectives: number;
    /** Until the first byte of each has gone round. */
    readonly latencySeconds: Range;
  };
  readonly interruptions: {
    readonly expected: Range;
    /** Work done again, and starting, of one. */
    readonly hoursEach: Range;
    /** Of the run's time. */
    readonly share: Range;
  };
  readonly constants: readonly Constant[];
}

const measuredHere = "one process on a virtual machine of two threads (AMD EPYC, Zen 4), PyTorch 2.15, disk local";

/** Interruptions that nobody had planned (Grattafiori et al. 2024, arXiv:2407.21783, §3.3.4): of 16,384 H100 in 54 days. */
const unexpected = { count: 419, hours: 16_384 * 54 * 24 };

const known = {
  imports: {
    name: "PyTorch is loaded",
    low: 6,
    high: 7,
    unit: "s",
    basis: "measured",
    source: `${measuredHere}, files in memory`,
  },
  meeting: {
    name: "ranks find each other, the first collective of each group",
    low: 10,
    high: 120,
    unit: "s",
    basis: "assumed",
    source: "no machine with several accelerators was at hand",
  },
  saving: {
    name: "a rank writes its share of a checkpoint (torch.distributed.checkpoint)",
    low: 0.33e9,
    high: 0.36e9,
    unit: "B/s",
    basis: "measured",
    source: `${measuredHere}, 0.54 GB, synced`,
  },
  loading: {
    name: "a rank reads its share of a checkpoint",
    low: 1.1e9,
    high: 1.5e9,
    unit: "B/s",
    basis: "measured",
    source: `${measuredHere}, files in memory`,
  },
  hop: {
    name: "latency of a step from rank to rank",
    low: 2e-6,
    high: 1e-5,
    unit: "s",
    basis: "assumed",
    source: "rings of NCCL over the maker's own network",
  },
  interruption: {
    name: "interruptions of an accelerator and hour",
    low: unexpected.count / unexpected.hours / 2,
    high: (unexpected.count / unexpected.hours) * 4,
    unit: "1/h",
    basis: "published",
    source:
      "419 in 54 days of 16,384 H100 (arXiv:2407.21783, §3.3.4); half of it to four times as many, since other clusters are others",
  },
  noticing: {
    name: "an interruption is noticed, and the run queued again",
    low: 60,
    high: 1800,
    unit: "s",
    basis: "assumed",
    source: "heartbeats come every 2 s; queues are as they are",
  },
} as const satisfies Record<string, Constant>;

/** Of shared storage, where nothing is given: a small parallel file system, and a large one. */
const usualStorage: Constant = {
  name: "shared storage, all hosts together",
  low: 5e9,
  high: 50e9,
  unit: "B/s",
  basis: "assumed",
  source: "a small parallel file system to a large one; --storage says which",
};

export interface RanksInput {
  readonly fleet: Fleet;
  readonly parameters: number;
  readonly layers: number;
  /** Rows of the vocabulary. */
  readonly rows: number;
  readonly tokens: number;
  readonly updates: number;
  readonly rowsOfUpdate: number;
  readonly tokensOfRow: number;
  readonly days: Range;
  readonly layout: PlannedLayout;
  readonly checkpoints: { readonly bytes: number; readonly written: number };
  /** Bytes a second that shared storage gives to all hosts together. */
  readonly storage: number | undefined;
}

const over = (amount: number, rate: Range): Range => ({ low: amount / rate.high, high: amount / rate.low });
const scaled = ({ low, high }: Range, factor: number): Range => ({ low: low * factor, high: high * factor });
const sum = (...ranges: readonly Range[]): Range => ({
  low: ranges.reduce((all, one) => all + one.low, 0),
  high: ranges.reduce((all, one) => all + one.high, 0),
});
/** Of two that go on at once, the one that ends last. */
const later = (a: Range, b: Range): Range => ({ low: Math.max(a.low, b.low), high: Math.max(a.high, b.high) });
const within = ({ low, high }: Range, most: number): Range => ({
  low: Math.min(low, most),
  high: Math.min(high, most),
});

/** Of the layout that the plan would take. */
export function ranksOnPaper(input: RanksInput): RanksOnPaper {
  const { fleet, parameters, storage: given } = input;
  const ranks = fleet.count;
  const hosts = Math.ceil(ranks / acceleratorsOfNode);
  const storage: Constant =
    given === undefined
      ? usualStorage
      : { ...usualStorage, low: given, high: given, basis: "given", source: "--storage" };
  const weightsBytes = 4 * parameters;
  const readBytes = { low: weightsBytes, high: weightsBytes * hosts };
  const begin = sum(known.imports, known.meeting);
  const stateOfRank = (bytesOfCheckpoint * parameters) / ranks;
  const reading = { low: readBytes.low / storage.high, high: readBytes.high / storage.low };
  const seconds = sum(begin, reading);
  const restored = later(over(stateOfRank, known.loading), over(bytesOfCheckpoint * parameters, storage));
  const resumeSeconds = sum(begin, restored);
  const saving = later(over(stateOfRank, known.saving), over(bytesOfCheckpoint * parameters, storage));
  const updateSeconds = scaled(input.days, 86_400 / input.updates);
  const checkpoint = checkpointOf(input, saving, updateSeconds);
  return {
    ranks,
    hosts,
    startUp: { weightsBytes, readBytes, seconds, resumeSeconds },
    checkpoint,
    data: dataOf(input, updateSeconds),
    update: updateOf(input, updateSeconds),
    interruptions: interruptionsOf(input, checkpoint, resumeSeconds),
    constants: [...Object.values(known), storage],
  };
}

function checkpointOf(
  { fleet, updates, checkpoints, days }: RanksInput,
  seconds: Range,
  updateSeconds: Range,
): RanksOnPaper["checkpoint"] {
  const every = Math.max(1, Math.round(updates / checkpoints.written));
  const between = (rate: number): number => 3600 / (rate * fleet.count);
  const { low, high } = known.interruption;
  return {
    bytes: checkpoints.bytes,
    bytesOfRank: checkpoints.bytes / fleet.count,
    seconds,
    every,
    secondsBetween: scaled(updateSeconds, every),
    share: {
      low: (checkpoints.written * seconds.low) / (days.high * 86_400),
      high: (checkpoints.written * seconds.high) / (days.low * 86_400),
    },
    bestSeconds: {
      low: Math.sqrt(2 * seconds.low * between(high)),
      high: Math.sqrt(2 * seconds.high * between(low)),
    },
  };
}

function dataOf({ tokens, updates, rowsOfUpdate, tokensOfRow, rows }: RanksInput, update: Range): RanksOnPaper["data"] {
  const width = rows <= 65_536 ? 2 : 4;
  const tokensPerSecond = over(rowsOfUpdate * tokensOfRow, update);
  return {
    orderBytes: 4 * updates * rowsOfUpdate,
    tokenBytes: width * tokens,
    tokensPerSecond,
    bytesPerSecond: scaled(tokensPerSecond, width),
    readsPerSecond: over(rowsOfUpdate, update),
  };
}

/** Weights are gathered twice and gradients scattered once for each layer and micro-batch, the rest of the network beside them. */
function updateOf({ fleet, parameters, layers, layout }: RanksInput, seconds: Range): RanksOnPaper["update"] {
  const { fsdp, tensorParallel, accumulate } = layout;
  const microBatches = Math.max(1, Math.ceil(accumulate));
  const collectives = fsdp === 1 ? 0 : 3 * (layers + 1) * microBatches;
  const shardBytes = (8 * parameters * microBatches * (fsdp - 1)) / fsdp / tensorParallel;
  return {
    seconds,
    shardBytes: fleet.count === 1 ? 0 : shardBytes,
    collectives,
    latencySeconds: scaled(known.hop, collectives * Math.max(0, fsdp - 1)),
  };
}

function interruptionsOf(
  { fleet, days }: RanksInput,
  { secondsBetween }: RanksOnPaper["checkpoint"],
  resumeSeconds: Range,
): RanksOnPaper["interruptions"] {
  const hours = scaled(days, 24 * fleet.count);
  const expected = { low: hours.low * known.interruption.low, high: hours.high * known.interruption.high };
  // On average half of what lies between two checkpoints is done again; of a run that never comes to one, half of it.
  const again = within(scaled(secondsBetween, 1 / 2), (days.high * 86_400) / 2);
  const hoursEach = scaled(sum(again, resumeSeconds, known.noticing), 1 / 3600);
  return {
    expected,
    hoursEach,
    share: {
      low: known.interruption.low * fleet.count * hoursEach.low,
      high: known.interruption.high * fleet.count * hoursEach.high,
    },
  };
}
