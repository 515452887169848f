/**
 * Which layouts a training can have on so many accelerators: FSDP beside tensor parallelism within a node, recomputation,
 * micro-batches; what each needs, and why others fail. Pipelines are left out: no engine that Galen starts has them.
 */
import { acceleratorsOfNode, type Fleet } from "./accelerators.ts";
import { flopsOfToken } from "./flops.ts";
import { type Layout, memoryOf, type RankMemory } from "./memory.ts";
import type { Network } from "./network.ts";

export interface PlannedLayout extends Layout {
  /** Micro-batches of an update on each rank: a whole number where the layout is feasible. */
  readonly accumulate: number;
  readonly memory: RankMemory;
  readonly feasible: boolean;
  /** Why it is not. */
  readonly reason?: string;
  /** Seconds of an update that each rank computes (at the given utilisation; a third more with recomputation) and sends. */
  readonly seconds: { readonly computing: number; readonly sharding: number; readonly tensorParallel: number };
}

/** What an update is of. */
export interface Update {
  /** Rows of all micro-batches of all ranks. */
  readonly rows: number;
  readonly tokensOfRow: number;
}

/** Every layout that is tried, feasible ones first, of these the quickest by its own estimate. */
export function layoutsOf(network: Network, fleet: Fleet, update: Update, utilisation: number): PlannedLayout[] {
  const found: PlannedLayout[] = [];
  for (let ranks = 1; ranks <= Math.min(acceleratorsOfNode, fleet.count); ranks *= 2) {
    for (const recomputation of ["none", "full"] as const) {
      for (let microBatch = 1; microBatch <= largestMicroBatch; microBatch *= 2) {
        const layout = { fsdp: Math.floor(fleet.count / ranks), tensorParallel: ranks, recomputation, microBatch };
        if (microBatch > 1 && layout.fsdp * microBatch > update.rows) break;
        found.push(planned(network, fleet, update, layout, utilisation));
      }
    }
  }
  // Where two are as quick, larger micro-batches.
  const quicker = (a: PlannedLayout, b: PlannedLayout): number =>
    secondsOf(a) - secondsOf(b) || a.accumulate - b.accumulate;
  return [...found.filter(({ feasible }) => feasible).sort(quicker), ...found.filter(({ feasible }) => !feasible)];
}

const largestMicroBatch = 64;

/** Shards are fetched while others are computed with; tensor parallelism waits for its own. */
export function secondsOf({ seconds: { computing, sharding, tensorParallel } }: PlannedLayout): number {
  return Math.max(computing, sharding) + tensorParallel;
}

function planned(network: Network, fleet: Fleet, update: Update, layout: Layout, utilisation: number): PlannedLayout {
  const memory = memoryOf(network, layout, update.tokensOfRow, fleet.accelerator.memory);
  const reason = whyNot(network, fleet, update, layout) ?? tooLarge(memory);
  return {
    ...layout,
    accumulate: update.rows / (layout.fsdp * layout.microBatch),
    memory,
    feasible: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    seconds: secondsOfUpdate(network, fleet, update, layout, utilisation),
  };
}

/** What does not divide. */
function whyNot(network: Network, { count }: Fleet, { rows, tokensOfRow }: Update, layout: Layout): string | undefined {
  const { fsdp, tensorParallel: ranks, microBatch } = layout;
  if (fsdp * ranks !== count) return `${count} accelerators are no multiple of ${ranks}`;
  const sizes: readonly (readonly [number, string])[] = [
    [network.heads, "heads"],
    [network.keyHeads, "key heads"],
    ...network.divided,
    [tokensOfRow, "tokens of a row"],
  ];
  const odd = sizes.find(([size]) => size % ranks !== 0);
  if (odd !== undefined) return `${odd[0].toLocaleString("en-US")} (${odd[1]}) is no multiple of ${ranks}`;
  if (rows % (fsdp * microBatch) !== 0) {
    return `${rows.toLocaleString("en-US")} rows of an update are no multiple of ${fsdp} ranks × ${microBatch} rows`;
  }
  return undefined;
}

function tooLarge({ total, usable }: RankMemory): string | undefined {
  if (total <= usable) return undefined;
  return `${(total / 1e9).toFixed(1)} GB of memory, and ${(usable / 1e9).toFixed(1)} GB are to be had`;
}

/**
 * Bytes over published bandwidths, at their best. FSDP gathers half-precision weights twice and scatters float32 gradients
 * once a micro-batch; tensor parallelism with split sequences gathers and scatters a layer's inputs about eight times.
 */
function secondsOfUpdate(
  network: Network,
  { count, accelerator }: Fleet,
  { rows, tokensOfRow }: Update,
  { fsdp, tensorParallel: ranks, recomputation, microBatch }: Layout,
  utilisation: number,
): PlannedLayout["seconds"] {
  const forwards = recomputation === "full" ? 4 / 3 : 1;
  const flops = rows * tokensOfRow * flopsOfToken(network) * forwards;
  const microBatches = rows / (fsdp * microBatch);
  const bandwidth = count > acceleratorsOfNode ? accelerator.network : accelerator.link;
  const sharded = fsdp === 1 ? 0 : (8 * network.parameters * microBatches * (fsdp - 1)) / fsdp / ranks;
  const inputs = 2 * microBatch * tokensOfRow * network.width * network.layers;
  return {
    computing: flops / (count * accelerator.peak * utilisation),
    sharding: sharded / bandwidth,
    tensorParallel: ranks === 1 ? 0 : (8 * inputs * microBatches * forwards * (ranks - 1)) / ranks / accelerator.link,
  };
}
