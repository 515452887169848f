/**
 * Which examples an update has: a pure function of (seed, epoch) or, for streams, of the update's number, so that a
 * resumed run sees what an uninterrupted one would. An update is a list of micro-batches.
 */
import { ConfigError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import type { Config } from "./config.ts";
import type { Objective, Order } from "./objectives/objective.ts";

type Numbers = readonly number[];

export interface Plan {
  /** Updates in all, and of an epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  /** The micro-batches of the update after `done`; the last one of an epoch may have fewer. */
  update(done: number): readonly Numbers[];
}

type PlanConfig = Pick<Config, "batch" | "tokensPerBatch" | "accumulate" | "steps" | "epochs" | "seed">;
type Examples = Pick<Objective, "order" | "sizesAreTokens" | "repeats"> & {
  readonly train: Pick<Objective["train"], "count" | "sizes">;
};

/** @throws ConfigError where there are too few examples for a batch, or no lengths to limit its tokens by. */
export function planOf(config: PlanConfig, { repeats = 1, ...examples }: Examples): Plan {
  const once = planOnce(config, examples);
  if (repeats === 1) return once;
  const perEpoch = once.perEpoch * repeats;
  return {
    perEpoch,
    steps: config.steps ?? config.epochs! * perEpoch,
    update: (done) => once.update(Math.floor(done / repeats)),
  };
}

function planOnce(config: PlanConfig, { order, sizesAreTokens, train }: Examples): Plan {
  const { batch, tokensPerBatch, accumulate, seed } = config;
  if (batch !== null && order === "stream") return streamPlan({ ...config, batch }, train.count);
  if (batch === null && sizesAreTokens !== true) {
    throw new ConfigError(
      `tokensPerBatch: expected null, since this objective counts examples, got ${tokensPerBatch}`,
      {
        hint: "set batch=N",
      },
    );
  }
  const { count, sizes = [] } = train;
  const batchesOf = (epoch: number): number[][] =>
    batch === null
      ? budgetedBatches(sizes, tokensPerBatch!, [seed, epoch])
      : countedBatches(sizes, count, order, batch, [seed, epoch]);
  // Batches depend on lengths and numbers alone, so every epoch has as many.
  const perEpoch = Math.ceil(batchesOf(0).length / accumulate);
  if (perEpoch === 0) throw new ConfigError(`batch: expected at most ${count}, the number of examples, got ${batch}`);
  let epoch = -1;
  let batches: number[][] = [];
  return {
    perEpoch,
    steps: config.steps ?? config.epochs! * perEpoch,
    update(done) {
      const wanted = Math.floor(done / perEpoch);
      if (wanted !== epoch) batches = batchesOf((epoch = wanted));
      const first = (done % perEpoch) * accumulate;
      return batches.slice(first, first + accumulate);
    },
  };
}

/** Examples one after another; an epoch ends in the middle of an update. */
function streamPlan({ batch, accumulate, steps, epochs }: PlanConfig & { batch: number }, count: number): Plan {
  const perEpoch = Math.ceil(count / (batch * accumulate));
  return {
    perEpoch,
    steps: steps ?? Math.ceil((epochs! * count) / (batch * accumulate)),
    update: (done) =>
      Array.from({ length: accumulate }, (_, index) => {
        const first = (done * accumulate + index) * batch;
        return Array.from({ length: batch }, (_, row) => first + row);
      }),
  };
}

/** Batches among which examples are sorted by length. */
const windowOfBatches = 50;

/** Batches of `batch` examples: see `Order`. */
function countedBatches(
  sizes: Numbers,
  count: number,
  order: Order,
  batch: number,
  seeds: readonly [seed: number, epoch: number],
): number[][] {
  const draw = random(...seeds);
  const shuffled = draw.shuffle(Array.from({ length: count }, (_, i) => i));
  const batches: number[][] = [];
  for (let start = 0; start < count; start += windowOfBatches * batch) {
    const some = shuffled.slice(start, start + windowOfBatches * batch);
    if (order === "length") some.sort((a, b) => sizes[b]! - sizes[a]!);
    for (let at = 0; at < some.length; at += batch) batches.push(some.slice(at, at + batch));
  }
  if (order === "length") return draw.shuffle(batches);
  return order === "full" ? batches.filter(({ length }) => length === batch) : batches;
}

/**
 * Batches of at most so many tokens, as fairseq makes them (fairseq 0.12.2, data/language_pair_dataset.py,
 * data/data_utils_fast.pyx, data/iterators.py): examples are shuffled, stably sorted by length, cut into batches whose
 * padded size stays below the limit, and the batches shuffled. Left out: batch sizes rounded to multiples of eight.
 */
function budgetedBatches(sizes: Numbers, tokens: number, seeds: readonly [seed: number, epoch: number]): number[][] {
  const draw = random(...seeds);
  return draw.shuffle(cutByTokens(sizes, tokens, draw.shuffle(Array.from(sizes, (_, i) => i))));
}

/** Batches in order of length; a longer example is a batch by itself. */
function cutByTokens(sizes: Numbers, tokens: number, shuffled: Numbers): number[][] {
  const order = [...shuffled].sort((a, b) => sizes[a]! - sizes[b]!); // stable
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const index of order) {
    // Sorted, so the newest is the longest.
    if (batch.length > 0 && (batch.length + 1) * sizes[index]! > tokens) {
      batches.push(batch);
      batch = [];
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** The first `examples` of a held-out set (null: all) in batches; of these, order is of no account. */
export function heldOutBatches(
  { batch, tokensPerBatch, evaluate }: Pick<Config, "batch" | "tokensPerBatch" | "evaluate">,
  { count, sizes = [] }: Pick<Objective["train"], "count" | "sizes">,
): number[][] {
  const all = Array.from({ length: Math.min(count, evaluate.examples ?? count) }, (_, i) => i);
  if (batch === null) return cutByTokens(sizes, tokensPerBatch!, all);
  return Array.from({ length: Math.ceil(all.length / batch) }, (_, i) => all.slice(i * batch, (i + 1) * batch));
}
