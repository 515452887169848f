/**
 * Which examples an update has: a pure function of (seed, epoch). Where a teacher's numbers are learned, examples of like
 * length share a batch, so that little is padded: each epoch is shuffled, sorted by length within windows of fifty
 * batches, and the batches are shuffled again. Elsewhere batches are random: a class may go with a length, and in-batch
 * negatives would be told by theirs; these need full batches besides.
 */
import { ConfigError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import type { EncoderConfig } from "./config.ts";

export interface Plan {
  /** Updates of all epochs. */
  readonly steps: number;
  /** The examples of update `step`, from 0. */
  batch(step: number): readonly number[];
}

const window = 50; // batches
const byLength: ReadonlySet<EncoderConfig["objective"]["kind"]> = new Set([
  "distil",
  "margin",
  "divergence",
  "late-divergence",
]);

/** @param sizes the length of every example, in any unit. @throws ConfigError where no full batch can be had. */
export function planOf(
  { batch, epochs, seed, objective }: Pick<EncoderConfig, "batch" | "epochs" | "seed" | "objective">,
  sizes: readonly number[],
): Plan {
  const full = objective.kind === "ranking" || objective.kind === "late-contrastive";
  const perEpoch = full ? Math.floor(sizes.length / batch) : Math.ceil(sizes.length / batch);
  if (perEpoch === 0) {
    throw new ConfigError(`batch: expected at most ${sizes.length}, the number of examples, got ${batch}`);
  }
  const epochOf = (epoch: number): number[][] => {
    const draw = random(seed, epoch);
    const order = draw.shuffle(Array.from(sizes, (_, i) => i));
    const sorted = byLength.has(objective.kind);
    const batches: number[][] = [];
    for (let start = 0; start < order.length; start += window * batch) {
      const some = order.slice(start, start + window * batch);
      if (sorted) some.sort((a, b) => sizes[b]! - sizes[a]!);
      for (let at = 0; at < some.length; at += batch) batches.push(some.slice(at, at + batch));
    }
    return sorted ? draw.shuffle(batches) : batches.slice(0, perEpoch);
  };
  let epoch = -1;
  let batches: number[][] = [];
  return {
    steps: perEpoch * epochs,
    batch(step) {
      const wanted = Math.floor(step / perEpoch);
      if (wanted !== epoch) batches = epochOf((epoch = wanted));
      return batches[step % perEpoch]!;
    },
  };
}
